"""What arrives together is written together, and nobody can tell by what they are told."""

import pytest

from protocol.events import MemberLeft, SessionRevoked
from protocol.server_frames import EventFrame, SignalFrame, Unsubscribed
from protocol.signals import Typing
from protocol.topics import user_topic
from tests.gateway.builders import a_message, a_product, a_room, a_user_id
from tests.gateway.connections.frames import split
from tests.gateway.house import House


@pytest.fixture
async def house(nursery):
    return House(nursery)


class Writes:
    """Counts how often the kernel is given something."""

    def __init__(self, visitor):
        self.sizes = []
        self._send = visitor.transport._send
        visitor.transport._send = self.send

    def send(self, frame):
        self.sizes.append(len(frame))
        return self._send(frame)


def offsets(frames):
    return [frame.offset for frame in frames if isinstance(frame, EventFrame)]


async def in_topic(house, topic, **choices):
    visitor = await house.enter(**choices)
    visitor.subscribe(topic)
    await house.settled()
    visitor.read()
    return visitor


async def test_events_that_arrive_together_are_one_write(house):
    topic = a_product()
    visitor = await in_topic(house, topic)
    writes = Writes(visitor)

    for left in (2, 1, 0):
        house.streams.publish(topic, is_last=not left)

    assert len(writes.sizes) == 1
    assert offsets(visitor.read()) == [1, 2, 3]


async def test_what_a_person_and_a_room_of_theirs_are_told_together_is_one_write(house):
    room = a_product()
    user = a_user_id()
    own = user_topic(user)
    visitor = await in_topic(house, room, user=user)
    others = [await in_topic(house, room) for _ in range(4)]
    visitor.subscribe(own)
    await house.settled()
    visitor.read()
    writes = Writes(visitor)

    for topic, is_last in ((room, False), (own, False), (room, True)):
        house.streams.publish(topic, is_last=is_last)

    assert len(writes.sizes) == 1
    frames = [frame for frame in visitor.read() if isinstance(frame, EventFrame)]
    assert sorted((frame.topic, frame.offset) for frame in frames) == sorted(
        [(room, 1), (room, 2), (own, 1)]
    )
    assert [offsets(other.read()) for other in others] == [[1, 2]] * 4


async def test_each_wire_format_is_told_all_of_them(house):
    topic = a_product()
    visitors = [
        await in_topic(house, topic, wire_format=wire_format) for wire_format in ("json", "msgpack")
    ]

    for left in (1, 0):
        house.streams.publish(topic, is_last=not left)

    assert [offsets(visitor.read()) for visitor in visitors] == [[1, 2], [1, 2]]


async def test_a_socket_that_is_full_keeps_whole_events_and_their_order(house):
    topic = a_product()
    visitor = await in_topic(house, topic)
    visitor.line.window_bytes = 100

    for left in reversed(range(5)):
        house.streams.publish(topic, is_last=not left)
    stream = b""
    for _ in range(100):
        stream += visitor.line.read()
        await house.settled(0.01)

    whole, begun = split(stream)
    assert len(whole) == 5
    assert begun == b""


async def test_a_signal_comes_after_the_events_that_were_there_before_it(house):
    topic = a_room()
    visitor = await house.enter()
    house.streams.grant(topic, visitor.user_id)
    visitor.subscribe(topic)
    await house.settled()
    visitor.read()

    house.streams.publish(topic, is_last=False)
    house.hub.tell_signal(topic, Typing(count=0, users=[]))

    event, signal = visitor.read()
    assert isinstance(event, EventFrame)
    assert isinstance(signal, SignalFrame)


async def test_somebody_new_is_not_told_what_was_there_before(house):
    topic = a_product()
    await in_topic(house, topic)
    late = await house.enter()
    await house.settled()
    late.read()

    house.streams.publish(topic, is_last=False)
    late.subscribe(topic)
    house.streams.on_drained()
    await house.settled()

    assert offsets(late.read()) == []


async def test_a_member_who_is_put_out_hears_everything_up_to_that(house):
    topic = a_room()
    visitor = await house.enter()
    house.streams.grant(topic, visitor.user_id)
    visitor.subscribe(topic)
    await house.settled()
    visitor.read()

    house.streams.revoke(topic, visitor.user_id)
    house.streams.publish(topic, is_last=False)
    house.streams.publish(topic, MemberLeft(room=topic[5:], user=visitor.user_id), is_last=False)
    house.streams.publish(topic)
    await house.settled()

    told = visitor.read()
    assert offsets(told) == [1, 2]
    assert isinstance(told[-1], Unsubscribed)


async def test_who_is_signed_out_is_told_so_before_the_close(house):
    visitor = await house.enter()
    await house.settled()
    visitor.read()

    house.streams.publish(user_topic(visitor.user_id), SessionRevoked(), is_last=False)

    assert b"session_revoked" in visitor.line.read()


class Writers:
    """Ada writes until her message is there."""

    def __init__(self, ada):
        self.ada = ada

    def is_anybody_writing(self, _topic):
        return True

    def end_by_message(self, _topic, user):
        return Typing(count=0, users=[]) if user == self.ada else None


async def in_room(house, **choices):
    topic = a_room()
    visitor = await house.enter(**choices)
    house.streams.grant(topic, visitor.user_id)
    visitor.subscribe(topic)
    await house.settled()
    visitor.read()
    return topic, visitor


async def test_who_has_sent_what_they_wrote_writes_no_more_by_the_same_write(house):
    topic, visitor = await in_room(house)
    writes = Writes(visitor)
    message = a_message()
    house.hub.notices.writers = Writers(message.message.author.id)

    house.streams.publish(topic, message)

    event, signal = visitor.read()
    assert len(writes.sizes) == 1
    assert isinstance(event, EventFrame)
    assert signal == SignalFrame(topic=topic, body=Typing(count=0, users=[]))


async def test_somebody_elses_message_ends_no_writing(house):
    topic, visitor = await in_room(house)
    house.hub.notices.writers = Writers("somebody else")

    house.streams.publish(topic, a_message())

    (event,) = visitor.read()
    assert isinstance(event, EventFrame)


async def test_a_socket_that_is_full_may_do_without_the_end_of_writing_but_not_the_message(house):
    topic, visitor = await in_room(house)
    message = a_message()
    house.hub.notices.writers = Writers(message.message.author.id)
    visitor.line.window_bytes = 10

    house.streams.publish(topic, message)
    visitor.transport.forget("nothing")
    visitor.line.window_bytes = 1 << 30
    await house.settled()

    assert [type(frame) for frame in visitor.read()] == [EventFrame, SignalFrame]
