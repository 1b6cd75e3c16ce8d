from datetime import timedelta

import asyncpg
import pytest

from commerce.licenses import service
from commerce.licenses.adapters.derived_keys import DerivedKeys
from commerce.licenses.errors import (
    IllegalLicenseStepError,
    LicenseNotActiveError,
    LicenseNotFoundError,
    MachineNotFoundError,
    ResetTooSoonError,
    TooManyMachinesError,
    UnknownLicenseKeyError,
)
from commerce.licenses.model import FILE_GRACE_DAYS, RESET_HOURS_MIN, fingerprint_hash
from commerce.orders.model import show
from protocol.events import LicenseChanged
from protocol.topics import user_topic
from tests.commerce.outbox import events_told
from tests.commerce.shop import ADA, BEN

LAPTOP, DESK, PHONE = "laptop-0001", "desk-0001", "phone-0001"


class TestIssuing:
    async def test_gives_every_unit_of_a_line_a_licence_of_its_own(self, shop):
        issued = await shop.sell(3)

        assert len({shop.key(held) for held in issued}) == 3
        assert [held.unit for held in issued] == [1, 2, 3]
        told = await events_told(shop.database, user_topic(ADA))
        assert sum(isinstance(each, LicenseChanged) for each in told) == 3

    async def test_the_same_order_twice_issues_once(self, shop):
        order = await shop.order(2)

        first, second = await shop.issue(order), await shop.issue(order)

        assert (len(first), second) == (2, [])

    async def test_gives_nothing_for_what_comes_without_a_licence(self, shop):
        variant = await shop.add("A Poster", price=0)
        order = await shop.buy(variant)

        assert await shop.issue(show(order)) == []

    async def test_keeps_no_key(self, shop):
        (held,) = await shop.sell()
        key = shop.key(held)

        async with shop.database.transaction() as tx:
            rows = await tx.value(str, "select licenses::text from licenses")
        assert key not in rows
        assert key.replace("-", "") not in rows
        assert key.endswith(held.key_ending)

    async def test_keys_of_another_secret_are_other_keys(self, shop):
        (held,) = await shop.sell()

        other = DerivedKeys("another secret of thirty-two characters")
        assert other.make(held.id, generation=1, prefix="1NK") != shop.key(held)
        assert other.hash(shop.key(held)) != shop.keys.hash(shop.key(held))


class TestActivating:
    async def test_takes_a_place_for_each_machine_up_to_the_limit(self, shop):
        (held,) = await shop.sell(machines_max=2)
        key = shop.key(held)

        await shop.activate(key, LAPTOP, "Ada's laptop")
        after, _ = await shop.activate(key, DESK)
        with pytest.raises(TooManyMachinesError):
            await shop.activate(key, PHONE)

        assert after.active_count == 2
        _, machines = await shop.view(held)
        assert {machine.name for machine in machines} == {"Ada's laptop", ""}

    async def test_on_the_same_machine_again_takes_no_second_place(self, shop):
        (held,) = await shop.sell(machines_max=1)
        key = shop.key(held)
        await shop.activate(key, LAPTOP)

        again, _ = await shop.activate(key.lower(), LAPTOP)

        assert (again.active_count, again.version) == (1, 2)

    async def test_gives_the_place_back_once(self, shop):
        (held,) = await shop.sell(machines_max=1)
        key = shop.key(held)
        await shop.activate(key, LAPTOP)

        freed = await shop.deactivate(key, LAPTOP)
        with pytest.raises(MachineNotFoundError):
            await shop.deactivate(key, LAPTOP)

        assert freed.active_count == 0
        assert (await shop.activate(key, DESK))[0].active_count == 1

    @pytest.mark.parametrize("key", ["", "1NK-nonsense"])
    async def test_with_a_key_that_is_none_is_refused(self, shop, key):
        with pytest.raises(UnknownLicenseKeyError):
            await shop.activate(key, LAPTOP)
        with pytest.raises(UnknownLicenseKeyError):
            await shop.deactivate(key, LAPTOP)

    async def test_of_a_licence_that_has_run_out_is_refused(self, shop, clock):
        (held,) = await shop.sell(valid_days=10)
        clock.advance(days=10)

        with pytest.raises(LicenseNotActiveError, match="expired"):
            await shop.activate(shop.key(held), LAPTOP)

    async def test_never_counts_past_the_limit_even_if_the_code_were_wrong(self, shop):
        (held,) = await shop.sell(machines_max=1)

        with pytest.raises(asyncpg.CheckViolationError):
            async with shop.database.transaction() as tx:
                await tx.execute("update licenses set active_count = 2 where id = $1", held.id)


class TestValidating:
    async def test_tells_what_is_known_of_a_key_on_a_machine(self, shop):
        (held,) = await shop.sell()
        key = shop.key(held)

        assert await shop.validate("not a key") == "unknown_key"
        assert await shop.validate(key) == "machine_needed"
        assert await shop.validate(key, LAPTOP) == "not_activated"
        await shop.activate(key, LAPTOP)
        assert await shop.validate(key, LAPTOP) == "valid"
        assert await shop.validate(key, DESK) == "not_activated"

    async def test_follows_the_state_of_the_licence(self, shop, clock):
        (held,) = await shop.sell(valid_days=1)
        key = shop.key(held)
        await shop.activate(key, LAPTOP)

        await shop.set_state(held, "suspended")
        assert await shop.validate(key, LAPTOP) == "suspended"
        await shop.set_state(held, "granted")
        assert await shop.validate(key, LAPTOP) == "valid"
        clock.advance(days=1)
        assert await shop.validate(key, LAPTOP) == "expired"
        await shop.set_state(held, "revoked")
        assert await shop.validate(key, LAPTOP) == "revoked"
        with pytest.raises(IllegalLicenseStepError):
            await shop.set_state(held, "granted")


class TestTheHolder:
    async def test_rotates_the_key_and_keeps_the_machines(self, shop, keys):
        (held,) = await shop.sell()
        before = shop.key(held)
        await shop.activate(before, LAPTOP)

        async with shop.database.transaction() as tx:
            rotated = await service.rotate(tx, ADA, held.id, keys=keys)

        assert shop.key(rotated) != before
        assert await shop.validate(before, LAPTOP) == "unknown_key"
        assert await shop.validate(shop.key(rotated), LAPTOP) == "valid"

    async def test_lets_go_of_all_machines_once_a_day(self, shop, clock):
        (held,) = await shop.sell(machines_max=2)
        key = shop.key(held)
        for machine in (LAPTOP, DESK):
            await shop.activate(key, machine)

        async def reset():
            async with shop.database.transaction() as tx:
                return await service.reset(tx, ADA, held.id)

        assert (await reset()).active_count == 0
        with pytest.raises(ResetTooSoonError):
            await reset()
        clock.advance(hours=RESET_HOURS_MIN)
        assert (await reset()).version == 5

    async def test_removes_one_machine(self, shop):
        (held,) = await shop.sell()
        await shop.activate(shop.key(held), LAPTOP)

        async with shop.database.transaction() as tx:
            after = await service.remove_machine(tx, ADA, held.id, fingerprint_hash(LAPTOP))

        assert after.active_count == 0

    async def test_is_the_only_one_who_may(self, shop, keys):
        (held,) = await shop.sell()

        async with shop.database.transaction() as tx:
            for act in (
                lambda: service.view(tx, BEN, held.id),
                lambda: service.rotate(tx, BEN, held.id, keys=keys),
                lambda: service.reset(tx, BEN, held.id),
                lambda: service.remove_machine(tx, BEN, held.id, bytes(32)),
                lambda: service.issue_file(tx, BEN, held.id, fingerprint=LAPTOP, name=""),
            ):
                with pytest.raises(LicenseNotFoundError):
                    await act()
            assert await service.of_holder(tx, BEN, limit=10) == []

    async def test_finds_every_step_written_down(self, shop, keys):
        (held,) = await shop.sell()
        await shop.activate(shop.key(held), LAPTOP)
        await shop.set_state(held, "suspended")

        async with shop.database.transaction() as tx:
            steps = await tx.value(
                str, "select string_agg(type, ' ' order by version) from license_steps"
            )
        assert steps == "issued activated suspended"
        with pytest.raises(asyncpg.RaiseError):
            async with shop.database.transaction() as tx:
                await tx.execute("delete from license_steps")


class TestAFile:
    async def file(self, shop, held, fingerprint=LAPTOP):
        async with shop.database.transaction() as tx:
            return await service.issue_file(tx, ADA, held.id, fingerprint=fingerprint, name="")

    async def test_activates_its_machine_and_counts_upwards(self, shop):
        (held,) = await shop.sell(machines_max=1)

        first, second = await self.file(shop, held), await self.file(shop, held)

        assert (first.seq, second.seq) == (1, 2)
        assert (await shop.view(held))[0].active_count == 1
        with pytest.raises(TooManyMachinesError):
            await self.file(shop, held, DESK)

    async def test_runs_out_no_later_than_the_licence(self, shop, clock):
        (held,) = await shop.sell(valid_days=5, file_days=30)

        claims = await self.file(shop, held)

        ends = clock.now() + timedelta(days=5)
        assert claims.exp == int(ends.timestamp())
        assert claims.grace == claims.exp + FILE_GRACE_DAYS * 86_400
