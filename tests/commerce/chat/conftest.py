"""Chat tests: a database with some people in it, and the room of a product."""

import pytest
import pytest_asyncio

from commerce.chat import service as chat
from commerce.foundation.settings import DatabaseSettings
from protocol.ids import ProductId
from tests.commerce.chat.world import World


@pytest.fixture
def database_settings(database_url):
    """Connections for twenty people at once, who may wait for one another."""
    return DatabaseSettings(url=database_url, pool_size_max=24, acquire_timeout_ms=30_000)


@pytest_asyncio.fixture
async def world(database, clock):
    world = World(database, clock)
    await world.add_people("ada", "ben", "cleo", "dan")
    return world


@pytest_asyncio.fixture
async def product_room(database):
    async with database.transaction() as tx:
        return await chat.open_product_room(
            tx, ProductId("prd_01JD0000000000000000000001"), "Brushes"
        )
