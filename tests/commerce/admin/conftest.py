"""Tests of the seller's side: the shop of the refund tests, a member of the staff, and a buyer."""

import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.settings import CommerceSettings
from protocol.views import Person
from tests.commerce.caller import sign_in
from tests.commerce.refunds.conftest import database_settings, shop
from tests.commerce.shop import ADA, BEN

__all__ = ["database_settings", "shop"]


@pytest.fixture
def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def ada(app, redis, clock):
    """A buyer."""
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest_asyncio.fixture
async def staff(app, redis, clock):
    """Ben, who runs the shop."""
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"), roles=("staff",))
