"""Discount tests: a shop with two empty shelves, and discounts made on the spot."""

import pytest_asyncio

from tests.commerce.shop import Shop


@pytest_asyncio.fixture
async def shop(database):
    shop = Shop(database)
    await shop.open()
    return shop
