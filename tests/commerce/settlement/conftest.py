"""Orders, attempts and a stand-in for Stripe: everything between a click and being paid."""

import pytest
import pytest_asyncio

from commerce.refunds.adapters.stripe_refunds import StripeRefunds
from commerce.settlement.service import Standing
from shared.clock import SystemClock
from tests.commerce.payments.conftest import account, gateway, standin_url, stripe_api
from tests.commerce.settlement.till import Till
from tests.commerce.shop import Shop

__all__ = ["account", "gateway", "standin_url", "stripe_api"]


@pytest.fixture
def clock():
    """Stripe's time is the wall's, and so is ours where they meet."""
    return SystemClock()


@pytest_asyncio.fixture
async def shop(database):
    made = Shop(database)
    await made.open()
    return made


@pytest.fixture
def standing(database, gateway, stripe_api):
    return Standing(database=database, gateway=gateway, refunds=StripeRefunds(stripe_api))


@pytest.fixture
def till(shop, standing, account):
    return Till(shop, standing, account)
