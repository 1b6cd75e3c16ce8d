"""What commerce tests stand on: a database, a Redis client, a clock, all of their own."""

import pytest
import pytest_asyncio

from commerce.foundation.bell import Bell
from commerce.foundation.database import open_database
from commerce.foundation.redis_client import open_redis
from commerce.foundation.settings import DatabaseSettings, RedisSettings
from tests.commerce.in_order import assert_in_order
from tests.fakes.clock import SettableClock


class TestIsOverError(Exception):
    """Rolls a test's transaction back."""

    __test__ = False


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def database_settings(database_url):
    return DatabaseSettings(url=database_url, pool_size_max=8)


@pytest_asyncio.fixture
async def database(database_settings, clock, bell):
    async with open_database(database_settings, clock=clock, bell=bell) as opened:
        yield opened


@pytest_asyncio.fixture
async def in_order(database):
    """Look at every invariant when the test is over; for whatever moves money."""
    yield
    await assert_in_order(database)


@pytest_asyncio.fixture
async def tx(database):
    """One transaction, rolled back when the test ends."""

    unit = database.transaction()
    yield await unit.__aenter__()
    await unit.__aexit__(TestIsOverError, TestIsOverError(), None)


@pytest_asyncio.fixture
async def redis(redis_url):
    async with open_redis(RedisSettings(url=redis_url)) as client:
        yield client
