"""What pages show, over real sockets, a real Valkey and two workers."""

import pytest

from protocol.client_frames import Watch, WatchPeople
from protocol.server_frames import PersonFrame, ProductState, Watching, WatchingPeople
from tests.gateway.builders import a_change, a_product, a_user_id

pytestmark = pytest.mark.parametrize("wire_format", ["json", "msgpack"])


class TestAPage:
    async def test_is_told_what_it_missed_of_a_product_and_every_newer_state(
        self, worker, commerce, wire_format
    ):
        product = a_product()
        name = product.removeprefix("product:")
        await commerce.publish(product, a_change(product, 7, stock=3))
        async with worker.connect(wire_format) as client:
            await client.hello()

            answer = await client.ask(Watch(id=90, products={name: 5}))
            missed = await client.receive()
            await commerce.publish(product, a_change(product, 6, stock=9))
            await commerce.publish(product, a_change(product, 8, stock=2))
            newer = await client.receive()

        assert isinstance(answer, Watching)
        assert answer.stale == []
        assert isinstance(missed, ProductState)
        assert isinstance(newer, ProductState)
        assert [(one.product.version, one.product.stock) for one in (missed, newer)] == [
            (7, 3),
            (8, 2),
        ]

    async def test_is_told_that_somebody_on_another_worker_came(
        self, worker, start_worker, commerce, wire_format
    ):
        other, user = await start_worker(), a_user_id()
        async with worker.connect(wire_format) as client, other.connect(wire_format) as comer:
            await client.hello()
            answer = await client.ask(WatchPeople(id=90, users=[user]))
            await comer.hello(user)
            told = await client.receive()

        assert isinstance(answer, WatchingPeople)
        assert [person.state for person in answer.people] == ["offline"]
        assert isinstance(told, PersonFrame)
        assert (told.person.user, told.person.state) == (user, "online")
