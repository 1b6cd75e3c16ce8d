"""A link and channels to a real Valkey."""

import pytest

from gateway.streams.opening import make_streams


@pytest.fixture
async def link(redis_url, nursery):
    """A link that is up."""
    link, _ = make_streams(redis_url)
    await nursery.start(link.run)
    return link


@pytest.fixture
async def operator(redis_url, nursery):
    """Another link, for what others do to Redis."""
    operator, _ = make_streams(redis_url, name="operator")
    await nursery.start(operator.run)
    return operator


@pytest.fixture
async def channels(redis_url, nursery):
    """Channels that are connected."""
    link, channels = make_streams(redis_url)
    await nursery.start(link.run)
    await nursery.start(channels.run)
    return channels
