import pytest_asyncio

from commerce.invoices import service
from tests.commerce.in_order import assert_in_order
from tests.commerce.invoices.world import Desk


@pytest_asyncio.fixture
async def desk(database):
    return Desk(database)


@pytest_asyncio.fixture
async def in_order(database):
    """Look at this feature's own invariants: these tests make its rows without the others'."""
    yield
    await assert_in_order(database, service.INVARIANTS)
