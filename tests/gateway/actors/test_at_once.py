"""A signal that finds its user's actor at rest is dealt with at once; in turn if it is at work."""

import pytest

from protocol.client_frames import SetTyping
from protocol.server_frames import Error, Subscribed
from tests.gateway.builders import a_room
from tests.gateway.house import House

ROOM = a_room()


@pytest.fixture
async def house(nursery):
    return House(nursery)


@pytest.fixture
async def visitor(house):
    visitor = await house.enter()
    house.streams.grant(ROOM, visitor.user_id)
    await house.settled()
    visitor.read()
    return visitor


def writers(house):
    return [call[2] for call in house.typing.calls if call[0] == "set"]


async def test_a_signal_is_dealt_with_before_anything_else_happens(house, visitor):
    visitor.subscribe(ROOM)
    await house.settled()

    visitor.say(SetTyping(topic=ROOM, on=True))

    assert writers(house) == [visitor.user_id]


async def test_a_signal_waits_for_the_question_before_it(house, visitor):
    visitor.subscribe(ROOM)
    visitor.say(SetTyping(topic=ROOM, on=True))

    assert writers(house) == []
    await house.settled()
    assert writers(house) == [visitor.user_id]
    assert isinstance(visitor.read()[0], Subscribed)


async def test_a_signal_that_is_refused_is_answered_at_once(visitor):
    visitor.say(SetTyping(topic=ROOM, on=True))

    [refused] = visitor.read()
    assert isinstance(refused, Error)
    assert refused.name == "not_subscribed"


async def test_a_crash_over_a_signal_ends_the_users_sockets_and_nothing_else(house, visitor):
    visitor.subscribe(ROOM)
    await house.settled()
    visitor.read()
    house.typing.failing.add("set")

    visitor.say(SetTyping(topic=ROOM, on=True))
    await house.settled()

    assert visitor.close_codes() == [4002]
    other = await house.enter()
    await house.settled()
    assert other.read()
