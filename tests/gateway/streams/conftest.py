"""A link and channels to a real Valkey."""

import pytest

from gateway.streams.address import parse_address
from gateway.streams.channels import Channels
from gateway.streams.link import Link


@pytest.fixture
async def link(redis_url, nursery):
    """A link that is up."""
    link = Link(parse_address(redis_url))
    await nursery.start(link.run)
    return link


@pytest.fixture
async def operator(redis_url, nursery):
    """Another link, for what others do to Redis."""
    operator = Link(parse_address(redis_url), name="operator")
    await nursery.start(operator.run)
    return operator


@pytest.fixture
async def channels(redis_url, nursery):
    """Channels that are connected."""
    channels = Channels(parse_address(redis_url))
    await nursery.start(channels.run)
    return channels
