"""A gateway on the stand-in, by Stripe's own client; and a stand-in whose knobs can be turned."""

import pytest
import pytest_asyncio

from commerce.foundation.settings import StripeSettings
from commerce.foundation.stripe_api import open_stripe
from commerce.payments.adapters.stripe_gateway import StripeGateway
from deploy.engines.ports import free_port
from shared.clock import SystemClock
from tests.contracts.stripe.account import Account
from tests.contracts.stripe.standin import running_standin

KEY = "sk_test_contracts"


@pytest.fixture(scope="session")
def standin_url(scratch_folder):
    with running_standin(free_port(), file=scratch_folder / "stripe-payments.sqlite") as url:
        yield url


@pytest_asyncio.fixture
async def account(standin_url):
    found = Account(url=standin_url, secret_key=KEY)
    yield found
    await found.control("faults", verb="DELETE")
    await found.close()


@pytest_asyncio.fixture
async def stripe_api(standin_url):
    settings = StripeSettings(api_key=KEY, url=standin_url, timeout_ms=3_000)
    async with open_stripe(settings) as api:
        yield api


@pytest.fixture
def gateway(stripe_api):
    return StripeGateway(stripe_api, SystemClock(), shop_url="https://shop.example")
