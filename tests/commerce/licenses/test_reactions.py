import msgspec

from commerce.delivery.model import show
from commerce.licenses import service
from commerce.licenses.reactions import reactions
from protocol.events import GrantChanged
from protocol.money import Money
from tests.commerce.shop import ADA

LAPTOP = "laptop-0001"


async def hear(shop, keys, grants):
    (reaction,) = reactions(keys)
    assert reaction.event is GrantChanged
    async with shop.database.transaction() as tx:
        for grant in grants:
            await reaction.run(tx, GrantChanged(grant=show(grant)))


def later(order, **facts):
    return msgspec.structs.replace(order, version=order.version + 1, **facts)


def refunded(order, amount_minor):
    (line,) = order.lines
    back = Money(amount_minor=amount_minor, currency="EUR")
    total = Money(amount_minor=300, currency="EUR")
    return later(order, lines=[msgspec.structs.replace(line, refunded=back, total=total)])


class TestAGrant:
    async def test_brings_its_licences_once_however_often_it_is_heard(self, shop, keys):
        order = await shop.order(2)
        grants = await shop.grants(order)

        for _ in range(2):
            await hear(shop, keys, grants)

        async with shop.database.transaction() as tx:
            assert len(await service.of_order(tx, order.id, ADA)) == 2

    async def test_that_is_suspended_stops_the_key_at_once_and_gives_it_back(self, shop, keys):
        order = await shop.order()
        (held,) = await shop.issue(order)
        key = shop.key(held)
        await shop.activate(key, LAPTOP)

        disputed = later(order, disputed=True)
        await hear(shop, keys, await shop.grants(disputed))
        assert await shop.validate(key, LAPTOP) == "suspended"

        await hear(shop, keys, await shop.grants(later(disputed, disputed=False)))
        assert await shop.validate(key, LAPTOP) == "valid"

    async def test_that_is_lost_at_the_bank_revokes_the_key_for_good(self, shop, keys):
        order = await shop.order()
        (held,) = await shop.issue(order)

        lost = later(order)
        await hear(shop, keys, await shop.grants(lost, is_lost=True))
        await hear(shop, keys, await shop.grants(later(lost)))

        assert await shop.validate(shop.key(held)) == "revoked"

    async def test_that_is_refunded_in_part_takes_as_many_keys_as_the_money_paid_for(
        self, shop, keys
    ):
        order = await shop.order(3)
        issued = await shop.issue(order)

        await hear(shop, keys, await shop.grants(refunded(order, 100)))

        codes = [await shop.validate(shop.key(held)) for held in issued]
        assert codes == ["machine_needed", "machine_needed", "revoked"]

    async def test_comes_back_when_its_refund_failed(self, shop, keys):
        order = await shop.order()
        (held,) = await shop.issue(order)
        back = refunded(order, 300)
        await hear(shop, keys, await shop.grants(back))
        assert await shop.validate(shop.key(held)) == "revoked"

        await hear(shop, keys, await shop.grants(refunded(back, 0)))

        assert await shop.validate(shop.key(held)) == "machine_needed"

    async def test_does_not_undo_what_the_staff_has_done(self, shop, keys):
        order = await shop.order()
        (held,) = await shop.issue(order)
        await shop.set_state(held, "suspended")

        disputed = later(order, disputed=True)
        await hear(shop, keys, await shop.grants(disputed))
        await hear(shop, keys, await shop.grants(later(disputed, disputed=False)))
        assert await shop.validate(shop.key(held)) == "suspended"

        await shop.set_state(held, "granted")
        assert await shop.validate(shop.key(held)) == "machine_needed"
