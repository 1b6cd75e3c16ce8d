"""A client says hello, listens, asks and leaves."""

import pytest

from protocol.server_frames import EventFrame, Ok, Pong, Replayed, Subscribed, Welcome
from protocol.topics import Position, user_topic
from tests.gateway.builders import a_message, a_product, a_user_id


@pytest.fixture(params=["json", "msgpack"])
def wire_format(request):
    return request.param


class TestAClient:
    async def test_is_welcomed_and_told_where_its_own_topic_stands(self, worker, wire_format):
        user = a_user_id()
        async with worker.connect(wire_format) as client:
            welcome = await client.hello(user)

        assert isinstance(welcome, Welcome)
        assert welcome.user == user
        assert set(welcome.positions) == {user_topic(user)}
        assert welcome.positions[user_topic(user)].offset == 0

    async def test_hears_the_events_of_its_own_topic(self, worker, commerce, wire_format):
        user = a_user_id()
        event = a_message("grüße 🌍")
        async with worker.connect(wire_format) as client:
            await client.hello(user)
            position = await commerce.publish(user_topic(user), event)
            told = await client.receive()

        assert isinstance(told, EventFrame)
        assert told.body == event
        assert told.offset == position.offset == 1

    async def test_is_replayed_what_it_missed_then_hears_what_is_new(
        self, worker, commerce, wire_format
    ):
        topic = a_product()
        texts = ["one", "two", "three"]
        positions = [await commerce.publish(topic, a_message(text)) for text in texts]
        async with worker.connect(wire_format) as client:
            await client.hello()
            subscribed = await client.subscribe(topic, Position(positions[0].epoch, 1))
            replay = await client.receive_many(3)
            await commerce.publish(topic, a_message("four"))
            live = await client.receive()

        assert isinstance(subscribed, Subscribed)
        assert [frame.body.message.text for frame in replay[:2]] == ["two", "three"]
        assert replay[2] == Replayed(topic=topic, position=Position(positions[0].epoch, 3), count=2)
        assert live.offset == 4

    async def test_hears_nothing_after_it_unsubscribed(self, worker, commerce):
        topic = a_product()
        async with worker.connect() as client:
            await client.hello()
            await client.subscribe(topic)
            answer = await client.unsubscribe(topic)
            await commerce.publish(topic, a_message())
            pong = await client.ping()

        assert isinstance(answer, Ok)
        assert isinstance(pong, Pong)
        assert client.put_aside == []
