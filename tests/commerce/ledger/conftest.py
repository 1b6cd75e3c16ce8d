"""A stand-in of Stripe, and its balance as the ledger reads it."""

import pytest
import pytest_asyncio

from commerce.foundation.settings import StripeSettings
from commerce.foundation.stripe_api import open_stripe
from commerce.ledger import service
from commerce.ledger.adapters.stripe_balance import StripeBalance
from deploy.engines.ports import free_port
from tests.commerce.in_order import assert_in_order
from tests.contracts.stripe.account import SECRET_KEY
from tests.contracts.stripe.standin import running_standin


@pytest.fixture(scope="session")
def balance_standin_url(scratch_folder):
    with running_standin(free_port(), file=scratch_folder / "stripe-balance.sqlite") as url:
        yield url


@pytest_asyncio.fixture
async def stripe(balance_standin_url):
    settings = StripeSettings(api_key=SECRET_KEY, url=balance_standin_url)
    async with open_stripe(settings) as api:
        yield api


@pytest.fixture
def balance(stripe):
    return StripeBalance(stripe)


@pytest_asyncio.fixture
async def in_order(database):
    """Look at this feature's own invariants: these tests make its rows without the others'."""
    yield
    await assert_in_order(database, service.INVARIANTS)
