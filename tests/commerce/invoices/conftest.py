import pytest_asyncio

from tests.commerce.invoices.world import Desk


@pytest_asyncio.fixture
async def desk(database):
    return Desk(database)
