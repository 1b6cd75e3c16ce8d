"""Real connections that start together: whoever wins, no machine is one too many."""

import pytest

from commerce.foundation.settings import DatabaseSettings
from commerce.licenses import service
from commerce.licenses.errors import MachineNotFoundError, ResetTooSoonError, TooManyMachinesError
from tests.commerce.racing import lost, race
from tests.commerce.shop import ADA

TRIES = 8


@pytest.fixture
def database_settings(database_url):
    return DatabaseSettings(url=database_url, pool_size_max=12, acquire_timeout_ms=30_000)


async def machines_counted(shop, held):
    licence, machines = await shop.view(held)
    return licence.active_count, len(machines)


class TestTheLastPlace:
    async def test_goes_to_one_of_many_machines(self, shop):
        (held,) = await shop.sell(machines_max=1)
        key = shop.key(held)

        outcomes = await race(
            shop.database,
            *(
                lambda tx, name=f"machine-{n}": service.activate(tx, key, name, "", keys=shop.keys)
                for n in range(TRIES)
            ),
        )

        assert lost(outcomes) == [TooManyMachinesError] * (TRIES - 1)
        assert await machines_counted(shop, held) == (1, 1)

    async def test_is_taken_once_by_one_machine_that_asks_many_times(self, shop):
        (held,) = await shop.sell(machines_max=3)
        key = shop.key(held)

        outcomes = await race(
            shop.database,
            *[lambda tx: service.activate(tx, key, "the-machine", "", keys=shop.keys)] * TRIES,
        )

        assert lost(outcomes) == []
        assert await machines_counted(shop, held) == (1, 1)

    async def test_is_given_back_once_however_often_it_is_let_go(self, shop):
        (held,) = await shop.sell(machines_max=2)
        key = shop.key(held)
        await shop.activate(key, "the-machine")
        await shop.activate(key, "another-machine")

        outcomes = await race(
            shop.database,
            *[lambda tx: service.deactivate(tx, key, "the-machine", keys=shop.keys)] * TRIES,
        )

        assert lost(outcomes) == [MachineNotFoundError] * (TRIES - 1)
        assert await machines_counted(shop, held) == (1, 1)


class TestAGrantHeardTwiceAtOnce:
    async def test_issues_one_licence_a_unit(self, shop):
        (grant,) = await shop.grants(await shop.order(2))

        outcomes = await race(
            shop.database,
            *[lambda tx: service.follow(tx, grant.id, keys=shop.keys)] * TRIES,
        )

        assert sum(len(issued) for issued in outcomes) == 2


class TestAResetAskedForTwiceAtOnce:
    async def test_is_done_once(self, shop):
        (held,) = await shop.sell()
        await shop.activate(shop.key(held), "the-machine")

        outcomes = await race(shop.database, *[lambda tx: service.reset(tx, ADA, held.id)] * TRIES)

        assert lost(outcomes) == [ResetTooSoonError] * (TRIES - 1)

    async def test_while_a_machine_is_activated_leaves_the_count_true(self, shop):
        (held,) = await shop.sell(machines_max=9)
        key = shop.key(held)
        for number in range(3):
            await shop.activate(key, f"before-{number}")

        await race(
            shop.database,
            lambda tx: service.reset(tx, ADA, held.id),
            *(
                lambda tx, name=f"machine-{n}": service.activate(tx, key, name, "", keys=shop.keys)
                for n in range(TRIES - 1)
            ),
        )

        counted, there = await machines_counted(shop, held)
        assert counted == there
