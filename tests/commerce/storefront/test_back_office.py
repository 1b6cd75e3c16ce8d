"""The seller's pages."""

import pytest
import pytest_asyncio

from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.model import NewUser, User
from commerce.accounts.service import import_user
from commerce.app import create_app
from commerce.settings import CommerceSettings
from tests.commerce.refunds.conftest import database_settings, dispute_of, shop
from tests.commerce.shop import ADA, BEN
from tests.commerce.storefront.test_pages import NASTY, Browser

__all__ = ["database_settings", "shop"]

PAGES = ("/admin", "/admin/refunds", "/admin/disputes", "/admin/audit")


@pytest.fixture
def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


async def browser(app, database, redis, clock, *, user, name, roles=()):
    email = f"{user}@example.org".lower()
    async with database.transaction() as tx:
        await import_user(tx, NewUser(id=user, email=email, name=name, roles=roles))
    account = User(id=user, email=email, name=name, roles=roles)
    token, _ = await RedisSessions(redis, clock).begin(account)
    return Browser(app, f"rialto_session={token}")


@pytest_asyncio.fixture
async def ada(app, database, redis, clock):
    return await browser(app, database, redis, clock, user=ADA, name="Ada Lindqvist")


@pytest_asyncio.fixture
async def staff(app, database, redis, clock):
    return await browser(app, database, redis, clock, user=BEN, name="Ben", roles=("staff",))


class TestTheSellersPages:
    @pytest.mark.parametrize("path", PAGES)
    async def test_are_for_the_staff_alone(self, app, ada, staff, path):
        assert (await ada.get(path)).status_code == 403
        assert (await Browser(app).get(path)).status_code in {302, 303}
        assert (await staff.get(path)).status_code == 200

    async def test_show_everybodys_orders_and_those_that_fit(self, shop, ada, staff):
        paid = await shop.paid(1000)
        waiting = await shop.placed(700)

        everything = await staff.read("/admin?number=&state=")
        some = await staff.read("/admin?state=paid")

        assert paid.number in everything
        assert waiting.number in everything
        assert waiting.number not in some
        assert (await staff.get("/admin?state=nonsense")).status_code == 422

    async def test_show_all_there_is_about_an_order(self, shop, ada, staff):
        order = await shop.paid(1000)
        await shop.refunded(order, 300)
        await shop.ask(order, 100)
        await shop.hear_of_dispute(dispute_of(order, "needs_response"))

        page = await staff.read(f"/admin/orders/{order.id}")
        refunds = await staff.read("/admin/refunds")
        disputes = await staff.read("/admin/disputes")

        assert "Ada Lindqvist" in page
        assert "Disputed" in page
        assert "€3.00" in page
        assert "€1.00" in refunds
        assert "fraudulent" in disputes

    async def test_keep_what_was_written_as_text(self, shop, ada, staff, app):
        order = await shop.paid(1000)
        async with shop.database.transaction() as tx:
            await tx.execute(
                "insert into audit_entries (id, at, actor_id, action, subject, reason)"
                " values ('aud_1', now(), $1, 'order.hold', $2, $3)",
                BEN,
                order.id,
                NASTY,
            )

        for path in ("/admin/audit", f"/admin/orders/{order.id}"):
            assert NASTY not in await staff.read(path)
