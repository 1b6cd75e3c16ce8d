"""Two workers on one Redis, in virtual time."""

import pytest

from tests.fakes.redis import FakeRedis
from tests.gateway.presence.cluster import start_worker


@pytest.fixture
def redis():
    """A Redis of this test's own."""
    return FakeRedis()


@pytest.fixture
async def left(nursery, redis):
    """A worker that hears the room."""
    return await start_worker(nursery, redis, "wrk_left")


@pytest.fixture
async def right(nursery, redis):
    """Another one."""
    return await start_worker(nursery, redis, "wrk_right", seed=1)
