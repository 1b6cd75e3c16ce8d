import asyncpg
import pytest

from commerce.delivery import service
from commerce.delivery.errors import GrantNotFoundError
from commerce.delivery.model import RETRY_SECONDS, status_of
from commerce.foundation.settings import DatabaseSettings
from commerce.orders import service as orders
from protocol.events import GrantChanged
from protocol.ids import GrantId
from protocol.topics import order_topic, user_topic
from tests.commerce.delivery.conftest import later, refunded
from tests.commerce.outbox import events_told, everything_told, forget_what_was_told
from tests.commerce.racing import lost, race
from tests.commerce.shop import ADA

TRIES = 6


@pytest.fixture
def database_settings(database_url):
    return DatabaseSettings(url=database_url, pool_size_max=12, acquire_timeout_ms=30_000)


def states(grants):
    return {grant.benefit: grant.state for grant in grants}


class TestAPaidOrder:
    async def test_brings_access_to_each_line_and_what_the_product_comes_with(self, shop):
        order = await shop.bought(on_refund="revoke")

        grants = await shop.follow(order)

        assert states(grants) == {"access": "granted", "license": "granted"}
        assert {grant.line_id for grant in grants} == {order.lines[0].id}
        assert {grant.holder_id for grant in grants} == {ADA}

    async def test_is_told_of_once_on_both_topics(self, shop):
        order = await shop.bought()
        await forget_what_was_told(shop.database)

        await shop.follow(order)
        await shop.follow(order)

        on_order = await everything_told(shop.database, order_topic(order.id))
        on_user = await everything_told(shop.database, user_topic(ADA))
        assert [type(told.event) for told in on_order] == [GrantChanged]
        assert on_order[0].event_id == on_user[0].event_id

    async def test_heard_many_times_at_once_grants_once(self, shop):
        order = await shop.bought(on_refund="revoke")

        outcomes = await race(shop.database, *[lambda tx: service.put(tx, order)] * TRIES)

        assert lost(outcomes) == []
        assert [grant.version for grant in await shop.grants(order)] == [1, 1]

    async def test_that_is_held_is_handed_over_when_it_is_released(self, shop):
        order = await shop.bought()

        assert states(await shop.follow(later(order, held=True))) == {"access": "pending"}
        assert states(await shop.follow(later(later(order)))) == {"access": "granted"}

    async def test_that_is_held_after_it_was_handed_over_keeps_what_it_has(self, shop):
        order = await shop.bought()
        await shop.follow(order)

        assert states(await shop.follow(later(order, held=True))) == {"access": "granted"}

    async def test_that_waits_for_its_payment_brings_nothing(self, shop):
        order = later(await shop.bought(), state="awaiting_payment")

        assert await shop.follow(order) == []

    async def test_keeps_what_it_brought_when_the_product_comes_with_more_later(self, shop):
        order = await shop.bought()
        await shop.follow(order)
        await shop.promise(order.lines[0].product, "license")

        assert states(await shop.follow(later(order))) == {"access": "granted"}


class TestADisputedOrder:
    async def test_is_suspended_and_restored(self, shop):
        order = await shop.bought()
        await shop.follow(order)

        disputed = later(order, disputed=True)
        assert states(await shop.follow(disputed)) == {"access": "suspended"}
        assert states(await shop.follow(later(disputed, disputed=False))) == {"access": "granted"}

    async def test_that_is_lost_is_revoked_for_good(self, shop):
        order = await shop.bought(on_refund="keep")
        await shop.follow(order)

        lost_order = later(order)
        await shop.follow(lost_order, is_lost=True)

        assert set(states(await shop.follow(later(lost_order))).values()) == {"revoked"}

    async def test_heard_of_late_does_not_undo_what_is_newer(self, shop):
        order = await shop.bought()
        await shop.follow(order)
        disputed = later(order, disputed=True)
        await shop.follow(later(disputed, disputed=False))

        assert states(await shop.follow(disputed)) == {"access": "granted"}

    async def test_heard_of_before_it_was_paid_is_suspended_and_never_granted_meanwhile(self, shop):
        order = await shop.bought()

        assert states(await shop.follow(later(order, disputed=True))) == {"access": "suspended"}
        assert states(await shop.follow(order)) == {"access": "suspended"}
        assert (await shop.grants(order))[0].granted_at is None


class TestARefundedOrder:
    @pytest.mark.parametrize(
        ("on_refund", "amount", "state", "units"),
        [
            ("keep", 300, "granted", 3),
            ("revoke", 299, "granted", 3),
            ("revoke", 300, "revoked", 0),
            ("prorate", 1, "granted", 3),
            ("prorate", 100, "granted", 2),
            ("prorate", 101, "granted", 2),
            ("prorate", 200, "granted", 1),
            ("prorate", 299, "granted", 1),
            ("prorate", 300, "revoked", 0),
        ],
    )
    async def test_takes_back_what_the_policy_says(self, shop, on_refund, amount, state, units):
        order = await shop.bought(3, on_refund=on_refund)
        await shop.follow(order)

        grants = await shop.follow(refunded(order, amount))

        (held,) = [grant for grant in grants if grant.benefit == "license"]
        assert (held.state, held.units) == (state, units)

    async def test_gives_back_what_it_took_when_the_refund_failed(self, shop):
        order = await shop.bought(3, on_refund="prorate")
        await shop.follow(order)
        back = refunded(order, 300, state="refunded")
        assert set(states(await shop.follow(back)).values()) == {"revoked"}

        grants = await shop.follow(refunded(back, 0, state="fulfilled"))

        assert [(grant.state, grant.units) for grant in grants] == [("granted", 3)] * 2


class TestWhatCannotBeMadeReady:
    async def test_is_tried_again_and_given_up_after_the_last_try(self, shop, clock):
        order = await shop.bought(on_refund="revoke", benefit="files")

        async def fail(tx, grant):
            await tx.execute("select 1 / 0")

        for tries, wait in enumerate(RETRY_SECONDS, start=1):
            grants = await shop.follow(order, preparations={"files": fail})
            (stuck,) = [grant for grant in grants if grant.benefit == "files"]
            assert (stuck.state, stuck.attempts) == ("pending", tries)
            assert (stuck.next_try_at - clock.now()).total_seconds() == wait
            clock.advance(seconds=wait)
        grants = await shop.follow(order, preparations={"files": fail})

        (stuck,) = [grant for grant in grants if grant.benefit == "files"]
        assert stuck.is_given_up
        assert "division by zero" in stuck.last_error
        assert status_of(grants) == "pending"

    async def test_holds_up_nothing_else_and_is_handed_over_once_it_can_be(self, shop):
        order = await shop.bought(on_refund="revoke", benefit="files")

        async def fail(_tx, _grant):
            raise RuntimeError("no room on the disk")

        first = await shop.follow(order, preparations={"files": fail})
        second = await shop.follow(order)

        assert states(first) == {"access": "granted", "files": "pending"}
        assert states(second) == {"access": "granted", "files": "granted"}


class TestWhatIsWrittenDown:
    async def test_is_every_step_and_stays(self, shop):
        order = await shop.bought()
        await shop.follow(order)
        await shop.follow(later(order, disputed=True))

        async with shop.database.transaction() as tx:
            steps = await tx.value(
                str,
                "select string_agg(from_state || '>' || to_state, ' ' order by version)"
                "  from grant_steps",
            )
        assert steps == "pending>granted granted>suspended"
        with pytest.raises(asyncpg.RaiseError):
            async with shop.database.transaction() as tx:
                await tx.execute("delete from grant_steps")

    async def test_of_past_orders_is_told_to_nobody(self, shop):
        order = await shop.bought()
        async with shop.database.transaction() as tx:
            await orders.fulfil(tx, order.id)
        await forget_what_was_told(shop.database)

        for _ in range(2):
            async with shop.database.transaction() as tx:
                await service.import_past(tx, [order.id])

        assert states(await shop.grants(order)) == {"access": "granted"}
        assert await events_told(shop.database) == []

    async def test_is_found_by_its_id(self, shop):
        order = await shop.bought()
        (grant,) = await shop.follow(order)

        async with shop.database.transaction() as tx:
            assert (await service.find(tx, grant.id)).order_id == order.id
            with pytest.raises(GrantNotFoundError):
                await service.find(tx, GrantId("grn_00000000000000000000000000"))
