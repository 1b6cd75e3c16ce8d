"""One stand-in for the run; or a test account of Stripe's, if `STRIPE_API_KEY` names one."""

import pytest
import pytest_asyncio

from deploy.engines.ports import free_port
from shared.environment import process_variables
from tests.contracts.stripe.account import Account
from tests.contracts.stripe.standin import running_standin


@pytest.fixture(scope="session")
def standin_url(scratch_folder):
    with running_standin(free_port(), file=scratch_folder / "stripe.sqlite") as url:
        yield url


@pytest_asyncio.fixture
async def account(request):
    key = process_variables().get("STRIPE_API_KEY", "")
    if key.startswith("sk_test_"):
        found = Account(url=None, secret_key=key)
    else:
        found = Account(url=request.getfixturevalue("standin_url"), secret_key="sk_test_contracts")
    yield found
    await found.close()


@pytest.fixture
def api(account):
    return account.api


@pytest_asyncio.fixture
async def knobs(account):
    """Whatever a test turns is turned back afterwards; there is nothing to turn at Stripe."""
    if account.is_real:
        pytest.skip("it needs a knob, and Stripe itself has none")
    yield account.control
    await account.control("faults", verb="DELETE")
    await account.control("webhooks")
    await account.control("clock", run=True)
