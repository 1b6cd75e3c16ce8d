"""Pricing tests: a shop with two empty shelves."""

import pytest_asyncio

from tests.commerce.shop import Shop


@pytest_asyncio.fixture
async def shop(database):
    shop = Shop(database)
    await shop.open()
    return shop
