"""What one user's clients ask, and what happens when something in here breaks."""

import msgspec
import pytest
import trio

from gateway.limits import (
    ACTOR_CRASHES_MAX,
    CONNECTIONS_PER_USER_MAX,
    FLOODS_MAX,
    HEARTBEAT_JITTER_MS,
    HEARTBEAT_MS,
    MAILBOX_MESSAGES_MAX,
    OUTBOX_SECONDS_MAX,
    SILENCE_SECONDS_MAX,
    STRIKES_MAX,
    TICKET_GRACE_SECONDS,
)
from protocol.client_frames import (
    TOPICS_MAX,
    GiveCommand,
    Hello,
    Ping,
    Refresh,
    SetStatus,
    SetTyping,
)
from protocol.commands import MarkRead, SendMessage
from protocol.events import MemberChanged, MemberLeft, SessionRevoked
from protocol.ids import RoomId
from protocol.server_frames import (
    Accepted,
    Error,
    EventFrame,
    Gap,
    Ok,
    Refreshed,
    Replayed,
    Resumed,
    SignalFrame,
    Subscribed,
    Unsubscribed,
    Welcome,
)
from protocol.signals import Presence
from protocol.stream_names import (
    access_muted,
    topic_live_channel,
    user_ended_sign_ins,
    user_sockets,
)
from protocol.topics import Position, user_topic
from shared.clock import unix_ms
from tests.gateway.builders import a_message, a_product, a_room, a_ticket, a_user_id, mint
from tests.gateway.connections.frames import split, told
from tests.gateway.house import House


@pytest.fixture
async def house(nursery):
    return House(nursery)


@pytest.fixture
async def visitor(house):
    visitor = await house.enter()
    await house.settled()
    visitor.read()
    return visitor


@pytest.fixture
async def bystander(house):
    bystander = await house.enter()
    await house.settled()
    bystander.read()
    return bystander


async def answers(house, visitor, seconds=1):
    await house.settled(seconds)
    return [frame for frame in visitor.read() if not isinstance(frame, SignalFrame)]


def send_message(number=2, text="hi", key="key-00000001"):
    return GiveCommand(id=number, key=key, body=SendMessage(room=RoomId(mint("rom")), text=text))


def mark_read(number):
    return GiveCommand(
        id=number, key="key-00000001", body=MarkRead(room=RoomId(mint("rom")), seq=1)
    )


class TestHello:
    async def test_lists_the_topics_the_user_may_hear_and_refuses_the_others(self, house):
        mine, secret = a_room(), a_room()
        user = a_user_id()
        house.streams.grant(mine, user)
        start = house.streams.head(mine)

        visitor = await house.enter(user, positions={mine: start, secret: Position("x", 4)})
        welcome, refusal, replayed = await answers(house, visitor)

        assert isinstance(welcome, Welcome)
        assert set(welcome.positions) == {user_topic(user), mine}
        assert (refusal.name, refusal.topic, refusal.id) == ("unknown_topic", secret, None)
        assert replayed == Replayed(topic=mine, position=start, count=0)

    async def test_during_an_outage_is_answered_unavailable_and_closed_resumably(self, house):
        house.streams.go_down()

        visitor = await house.enter()
        await house.settled()
        stream = visitor.line.read()

        assert b"unavailable" in stream
        assert visitor.transport.close_code == 4002

    async def test_said_twice_is_a_bad_frame(self, visitor, house):
        visitor.say(Hello(id=2, ticket="x", device="device-1"))

        (error,) = await answers(house, visitor)

        assert (error.name, error.id) == ("bad_frame", 2)

    async def test_takes_over_the_socket_of_its_session(self, house, visitor):
        newer = await house.enter(visitor.user_id, session=visitor.connection.id)
        await house.settled()

        assert visitor.close_codes() == [4009]
        assert newer.connection.is_open

    async def test_cannot_take_over_another_users_socket(self, house, visitor):
        await house.enter(a_user_id(), session=visitor.connection.id)
        await house.settled()

        assert visitor.connection.is_open

    async def test_of_one_connection_too_many_is_refused(self, house, visitor):
        others = [await house.enter(visitor.user_id) for _ in range(CONNECTIONS_PER_USER_MAX)]
        await house.settled()

        assert all(other.connection.is_open for other in others[:-1])
        assert others[-1].close_codes() == [4504]


class TestSubscribing:
    async def test_to_a_room_shows_who_is_there(self, house, visitor):
        room = a_room()
        house.streams.grant(room, visitor.user_id)

        visitor.subscribe(room)
        await house.settled()
        answer, signal = visitor.read()

        assert isinstance(answer, Subscribed)
        assert isinstance(signal, SignalFrame)
        assert ("enter", room, visitor.user_id, True) in house.presence.calls

    async def test_without_the_right_is_refused(self, house, visitor):
        visitor.subscribe(a_room())

        (error,) = await answers(house, visitor)

        assert (error.name, error.temporary) == ("unknown_topic", False)

    async def test_while_rights_are_unknown_is_refused_for_now(self, house, visitor):
        house.streams.access_is_ready = False

        visitor.subscribe(a_room())
        (error,) = await answers(house, visitor)

        assert (error.name, error.temporary) == ("unavailable", True)
        assert error.retry_after_ms

    async def test_twice_is_refused(self, house, visitor):
        topic = a_product()
        visitor.subscribe(topic)
        visitor.subscribe(topic)

        _, error = await answers(house, visitor)

        assert error.name == "already_subscribed"

    async def test_to_the_129th_topic_is_refused(self, house):
        topics = [a_product() for _ in range(TOPICS_MAX)]
        visitor = await house.enter(positions={name: house.streams.head(name) for name in topics})
        await answers(house, visitor)

        visitor.subscribe(a_product())
        (error,) = await answers(house, visitor)

        assert error.name == "limit_reached"
        assert len(house.hub.heard_by(visitor.connection)) == TOPICS_MAX + 1

    async def test_is_given_up_when_redis_does_not_answer(self, house, visitor):
        house.streams.is_stuck = True

        visitor.subscribe(a_product())
        (error,) = await answers(house, visitor, seconds=5)

        assert error.name == "unavailable"

    async def test_ends_with_the_socket_even_halfway(self, house, visitor):
        visitor.subscribe(a_product())
        visitor.leave()
        await house.settled(30)

        assert house.hub.statistics().subscriptions_count == 0
        assert house.hub.statistics().feeds_count == 0
        assert house.registry.statistics().actors_count == 0
        assert house.streams.receivers == {}

    async def test_to_many_again_begins_anew_from_the_position_given(self, house, visitor):
        topic = a_product()
        first = house.streams.publish(topic)
        visitor.subscribe(topic)
        await answers(house, visitor)

        visitor.resume({topic: Position(first.epoch, 0)})
        resumed, event, replayed = await answers(house, visitor)

        assert isinstance(resumed, Resumed)
        assert event.offset == 1
        assert replayed.count == 1


class TestGaps:
    @pytest.fixture
    def topic(self, house):
        topic = a_product()
        for _ in range(10):
            house.streams.publish(topic)
        return topic

    async def reason(self, house, visitor, topic, position):
        visitor.subscribe(topic, position)
        _, gap = await answers(house, visitor)
        assert isinstance(gap, Gap)
        assert gap.position == house.streams.head(topic)
        return gap.reason

    async def test_for_another_epoch(self, house, visitor, topic):
        assert await self.reason(house, visitor, topic, Position("old", 3)) == "epoch"

    async def test_for_a_log_that_does_not_reach_back(self, house, visitor, topic):
        house.streams.trim(topic, 5)
        epoch = house.streams.head(topic).epoch

        assert await self.reason(house, visitor, topic, Position(epoch, 3)) == "trimmed"

    async def test_for_more_than_a_resume_carries(self, house, visitor, topic):
        epoch = house.streams.head(topic).epoch
        for _ in range(300):
            house.streams.publish(topic)

        assert await self.reason(house, visitor, topic, Position(epoch, 3)) == "too_far"

    async def test_for_a_position_that_never_was(self, house, visitor, topic):
        epoch = house.streams.head(topic).epoch

        assert await self.reason(house, visitor, topic, Position(epoch, 99)) == "lost"

    async def test_while_live_when_an_event_cannot_be_read(self, house, visitor):
        topic = a_product()
        visitor.subscribe(topic)
        await answers(house, visitor)

        house.streams.publish(topic, b"\xc1")
        house.streams.publish(topic)
        gap, event = await answers(house, visitor)

        assert (gap.reason, gap.position.offset) == ("lost", 1)
        assert event.offset == 2


class TestAnEventOfAnUnknownType:
    @pytest.mark.parametrize("wire_format", ["json", "msgpack"])
    async def test_is_passed_on_as_it_is(self, house, wire_format):
        body = {"type": "flown_to_the_moon", "crew": ["Ada", "Grace"], "at": 7}
        user = a_user_id()
        visitor = await house.enter(user, wire_format=wire_format)
        await house.settled()
        visitor.line.read()

        house.streams.publish(user_topic(user), msgspec.msgpack.encode(body))

        ((_, payload),), _ = split(visitor.line.read())
        decode = msgspec.json.decode if wire_format == "json" else msgspec.msgpack.decode
        assert decode(payload)["body"] == body


class TestCommands:
    async def test_are_accepted_once_they_are_in_the_stream(self, house, visitor):
        visitor.say(send_message(text="hello"))

        (answer,) = await answers(house, visitor)

        assert answer == Accepted(id=2, key="key-00000001")
        (envelope,) = house.streams.commands
        assert (envelope.user, envelope.command.text) == (visitor.user_id, "hello")

    async def test_during_an_outage_are_refused_for_now(self, house, visitor):
        house.streams.go_down()

        visitor.say(send_message())
        (error,) = await answers(house, visitor)

        assert (error.name, error.temporary, error.id) == ("unavailable", True, 2)
        assert visitor.connection.is_open

    async def test_are_refused_for_now_when_commerce_is_far_behind(self, house, visitor):
        house.streams.commands_max = 0

        visitor.say(send_message())
        (error,) = await answers(house, visitor)

        assert error.name == "unavailable"

    async def test_with_a_text_that_is_too_long_in_bytes_are_refused(self, house, visitor):
        visitor.say(send_message(text="ü" * 2049))

        (error,) = await answers(house, visitor)

        assert error.name == "limit_reached"
        assert house.streams.commands == []

    async def test_of_one_kind_too_many_at_once_are_refused_for_now(self, house, visitor):
        for number in range(2, 62):
            visitor.say(mark_read(number))
        found = await answers(house, visitor)

        refused = [frame for frame in found if isinstance(frame, Error)]
        assert {frame.name for frame in refused} == {"rate_limited"}
        assert all(frame.retry_after_ms for frame in refused)
        assert len(house.streams.commands) >= 50

    async def test_refused_for_their_rate_are_no_errors_of_the_client(self, house, visitor):
        for number in range(2, 150):
            visitor.say(mark_read(number))
        found = await answers(house, visitor)
        refused = [answer for answer in found if isinstance(answer, Error)]

        assert len(refused) > STRIKES_MAX
        assert {error.name for error in refused} == {"rate_limited"}
        assert all(error.retry_after_ms for error in refused)
        assert visitor.connection.is_open

    async def test_are_counted_for_the_user_and_not_for_the_socket(self, house, visitor):
        for number in range(2, 150):
            visitor.say(mark_read(number))
        await house.settled()
        visitor.leave()
        again = await house.enter(visitor.user_id)
        await house.settled(0.1)
        again.read()

        for number in range(2, 32):
            again.say(mark_read(number))
        found = await answers(house, again)

        assert any(isinstance(answer, Error) for answer in found)

    async def test_that_do_not_fit_the_mailbox_are_refused_at_once(self, house, visitor):
        house.streams.is_stuck = True
        for number in range(MAILBOX_MESSAGES_MAX + 5):
            visitor.say(send_message(number + 1))
        await house.settled(0.01)

        errors = visitor.read()
        assert {error.name for error in errors} == {"rate_limited"}
        assert 1 <= len(errors) <= 5


class TestAFlood:
    async def test_that_never_waits_is_closed(self, house, visitor):
        for number in range(MAILBOX_MESSAGES_MAX + FLOODS_MAX + 10):
            visitor.say(mark_read(number + 1))
        await house.settled(0.001)

        assert visitor.connection.closed_with.code == 4013


class TestStaying:
    async def test_asks_each_client_for_a_ping_at_another_time(self, house):
        welcomes = []
        for _ in range(20):
            visitor = await house.enter()
            await house.settled(0.1)
            welcomes.append(visitor.read()[0])

        beats = {welcome.heartbeat_ms for welcome in welcomes}
        assert len(beats) > 1
        assert all(HEARTBEAT_MS - HEARTBEAT_JITTER_MS < beat <= HEARTBEAT_MS for beat in beats)

    async def test_needs_a_word_now_and_then(self, house, visitor):
        await house.settled(SILENCE_SECONDS_MAX + 2)

        assert visitor.close_codes() == [4012]

    async def test_needs_a_ticket_that_has_not_expired(self, house, visitor):
        for _ in range(int(300 + TICKET_GRACE_SECONDS) // 10 + 1):
            await house.settled(10)
            visitor.transport.heard_at = float("inf")

        assert visitor.close_codes() == [4006]

    async def test_goes_on_with_a_fresh_ticket(self, house, visitor):
        house.clock.advance(seconds=200)
        ticket = a_ticket(visitor.user_id, now=house.clock.now())

        visitor.say(Refresh(id=2, ticket=ticket))
        (answer,) = await answers(house, visitor)
        visitor.transport.heard_at = float("inf")
        await house.settled(310)

        assert answer == Refreshed(id=2, ticket_expires_in_ms=300_000)
        assert visitor.connection.is_open

    async def test_with_a_fresh_ticket_goes_on_holding_its_session_for_as_long(
        self, house, visitor
    ):
        await trio.sleep(250)
        visitor.say(Ping(id=2))
        house.clock.advance(seconds=250)
        ticket = a_ticket(visitor.user_id, now=house.clock.now())
        visitor.say(Refresh(id=3, ticket=ticket))
        await house.settled()

        ((lasts_until, *_),) = house.streams.sockets[user_sockets(visitor.user_id)].values()
        assert lasts_until >= trio.current_time() + 300

    async def test_refuses_another_users_ticket(self, house, visitor):
        visitor.say(Refresh(id=2, ticket=a_ticket(now=house.clock.now())))

        (error,) = await answers(house, visitor)

        assert error.name == "unauthenticated"

    async def test_refuses_a_ticket_that_is_none_and_one_that_expired(self, house, visitor):
        old = a_ticket(visitor.user_id, now=house.clock.now())
        house.clock.advance(seconds=301)

        visitor.say(Refresh(id=2, ticket="nonsense"))
        visitor.say(Refresh(id=3, ticket=old))
        found = await answers(house, visitor)

        assert [error.name for error in found] == ["unauthenticated", "ticket_expired"]

    async def test_answers_a_ping_at_once(self, house, visitor):
        visitor.say(Ping(id=9))

        (pong,) = visitor.read()

        assert pong.id == 9


class TestSignals:
    async def test_need_the_room_to_be_heard(self, house, visitor):
        visitor.say(SetTyping(topic=a_room(), on=True))

        (error,) = await answers(house, visitor)

        assert error.name == "not_subscribed"

    async def test_reach_presence_and_typing(self, house, visitor):
        room = a_room()
        house.streams.grant(room, visitor.user_id)
        visitor.subscribe(room)
        visitor.say(SetTyping(topic=room, on=True))
        visitor.say(SetStatus(visible=False))
        await house.settled()

        assert ("set", room, visitor.user_id, True) in house.typing.calls
        assert ("set_visible", visitor.user_id, False) in house.presence.calls

    async def test_are_told_to_those_who_listen(self, house, visitor):
        room = a_room()
        house.streams.grant(room, visitor.user_id)
        visitor.subscribe(room)
        await house.settled()
        visitor.read()

        house.hub.tell_signal(room, Presence(count=3, users=[]))

        (signal,) = visitor.read()
        assert signal.body.count == 3

    async def test_a_socket_that_goes_leaves_its_rooms_with_grace(self, house, visitor):
        room = a_room()
        house.streams.grant(room, visitor.user_id)
        visitor.subscribe(room)
        await house.settled()

        visitor.leave()

        assert ("leave", room, visitor.user_id, True) in house.presence.calls
        assert ("stop", visitor.user_id, None) in house.typing.calls


class TestLosingARight:
    @pytest.fixture
    def room(self):
        return a_room()

    @pytest.fixture
    async def member(self, house, room):
        user = a_user_id()
        house.streams.grant(room, user)
        visitor = await house.enter(user)
        visitor.subscribe(room)
        await house.settled()
        visitor.read()
        return visitor

    def leaves(self, room, user):
        return MemberLeft(room=RoomId(room.removeprefix("room:")), user=user)

    async def test_ends_delivery_at_that_event(self, house, room, member):
        house.streams.revoke(room, member.user_id)
        house.streams.publish(room, self.leaves(room, member.user_id))
        house.streams.publish(room, a_message("a secret"))

        left, ended = await answers(house, member)

        assert isinstance(left.body, MemberLeft)
        assert ended == Unsubscribed(topic=room)
        assert ("leave", room, member.user_id, False) in house.presence.calls

    async def test_takes_back_what_was_not_written_yet(self, house, room, member):
        house.streams.publish(room, a_message("begun"))
        member.line.window_bytes = len(member.line.unread) + 10
        for number in range(20):
            house.streams.publish(room, a_message(f"secret {number}"))
            house.streams.publish(user_topic(member.user_id))
        house.streams.revoke(room, member.user_id)
        house.streams.publish(room, self.leaves(room, member.user_id))
        await house.settled()
        member.line.window_bytes = 1 << 30
        stream = member.line.read()
        await house.settled()
        stream += member.line.read()

        frames = [frame for frame in told(stream) if isinstance(frame, EventFrame | Unsubscribed)]
        of_the_room = [frame for frame in frames if frame.topic == room]

        assert [frame.offset for frame in of_the_room[:-1]] == [1, 2]
        assert of_the_room[-1] == Unsubscribed(topic=room)
        assert [frame.offset for frame in frames if frame.topic != room] == list(range(1, 21))

    async def test_only_in_part_changes_nothing(self, house, room, member):
        house.streams.publish(room, self.leaves(room, member.user_id))
        house.streams.publish(room, a_message("still here"))

        left, said = await answers(house, member)

        assert (left.offset, said.offset) == (1, 2)
        house.streams.publish(room)
        assert [frame.offset for frame in await answers(house, member)] == [3]

    async def test_of_somebody_else_changes_nothing(self, house, room, member):
        house.streams.publish(room, self.leaves(room, a_user_id()))
        house.streams.publish(room)

        assert [frame.offset for frame in await answers(house, member)] == [1, 2]

    async def test_that_nobody_answers_about_is_lost_within_a_second(self, house, room, member):
        house.streams.publish(room, self.leaves(room, member.user_id))
        house.streams.is_stuck = True

        _, ended = await answers(house, member)

        assert ended == Unsubscribed(topic=room)

    async def test_told_by_no_event_ends_delivery_all_the_same(self, house, room, member):
        house.streams.revoke(room, member.user_id)
        house.streams.receivers[topic_live_channel(room)](f"! revoked {member.user_id}".encode())
        house.streams.publish(room, a_message("a secret"))

        assert await answers(house, member) == [Unsubscribed(topic=room)]

    @pytest.mark.parametrize("notice", ["!", "! other", "! replaced x", "! replaced x y"])
    async def test_is_not_read_into_a_notice_of_another_version(self, house, room, member, notice):
        house.streams.receivers[topic_live_channel(room)](notice.encode())
        house.streams.publish(room)

        assert [frame.offset for frame in await answers(house, member)] == [1]

    async def test_that_cannot_be_asked_for_is_taken_as_lost(self, house, room, member):
        house.streams.publish(room, self.leaves(room, member.user_id))
        house.streams.go_down()

        _, ended = await answers(house, member)

        assert ended == Unsubscribed(topic=room)

    async def test_while_being_told_the_past_ends_it(self, house, room, member):
        head = house.streams.publish(room)
        for _ in range(3):
            house.streams.publish(room)
        await answers(house, member)
        member.resume({room: Position(head.epoch, 1)})
        while not isinstance(next(iter(member.read()), None), Resumed):
            await house.settled(0.001)
        house.streams.revoke(room, member.user_id)
        house.streams.publish(room, self.leaves(room, member.user_id))

        found = await answers(house, member)

        assert found == [Unsubscribed(topic=room)]


class TestASlowClient:
    async def test_that_was_closed_resumes_everything_it_was_not_sent(self, house):
        user, count = a_user_id(), 100
        topic = user_topic(user)
        slow = await house.enter(user)
        await house.settled()
        slow.read()
        start = house.streams.head(topic)
        slow.line.window_bytes = 500
        for number in range(count):
            house.streams.publish(topic, a_message(str(number)))
        await house.settled(OUTBOX_SECONDS_MAX + 1)
        assert slow.transport.close_code == 4008
        heard = split(slow.line.read())[0]
        got = [msgspec.json.decode(payload)["offset"] for opcode, payload in heard if opcode == 1]
        slow.leave()

        again = await house.enter(
            user, positions={topic: Position(start.epoch, got[-1] if got else 0)}
        )
        _, *missed, replayed = await answers(house, again)

        assert got + [frame.offset for frame in missed] == list(range(1, count + 1))
        assert replayed.count == len(missed)

    async def test_keeps_no_publisher_waiting(self, house):
        topic = a_product()
        slow, quick = await house.enter(window_bytes=300), await house.enter()
        for visitor in (slow, quick):
            visitor.subscribe(topic)
        await house.settled()
        quick.read()

        before = trio.current_time()
        for number in range(200):
            house.streams.publish(topic, a_message(str(number)))
        told = [frame.offset for frame in quick.read()]

        assert trio.current_time() == before
        assert told == list(range(1, 201))


class TestARedisThatWasAway:
    async def test_is_told_again_who_holds_what_and_tells_what_was_missed(self, house, visitor):
        replaced, revoked = await house.enter(), await house.enter()
        await house.settled()
        house.streams.go_down()
        await house.settled()
        house.streams.come_back(empty=True)
        ended = house.streams.ended[user_ended_sign_ins(revoked.user_id)]
        ended[revoked.connection.sign_in] = 1
        taken = house.streams.sockets[user_sockets(replaced.user_id)]
        taken[replaced.connection.session] = (1e9, 1e9, "wrk_2", "con_2")
        await house.settled(5)

        assert house.streams.sockets[user_sockets(visitor.user_id)]
        assert visitor.connection.is_open
        assert replaced.connection.closed_with.code == 4009
        assert revoked.connection.closed_with.code == 4503

    async def test_hears_of_the_sockets_that_went_meanwhile(self, house, visitor):
        held = house.streams.sockets[user_sockets(visitor.user_id)]
        assert held
        house.streams.go_down()
        visitor.leave()
        await house.settled(2)
        house.streams.come_back()
        await house.settled(5)

        assert not held


class TestAnEndedSignIn:
    async def test_closes_its_sockets_and_no_others(self, house, visitor):
        other = await house.enter(visitor.user_id)
        await house.settled()
        other.read()

        house.streams.publish(
            user_topic(visitor.user_id), SessionRevoked(session=visitor.connection.sign_in)
        )

        assert visitor.close_codes() == [4503]
        assert [type(frame) for frame in other.read()] == [EventFrame]

    async def test_without_a_name_closes_all(self, house, visitor):
        other = await house.enter(visitor.user_id)
        await house.settled()

        house.streams.publish(user_topic(visitor.user_id), SessionRevoked())

        assert visitor.close_codes() == [4503]
        assert other.close_codes() == [4503]

    async def test_is_noticed_by_a_client_that_comes_back_with_an_old_ticket(self, house):
        user = a_user_id()
        start = house.streams.head(user_topic(user))
        later = int(house.clock.now().timestamp() * 1000) + 5_000
        house.streams.publish(user_topic(user), SessionRevoked(), at_ms=later)

        visitor = await house.enter(user, positions={user_topic(user): start})
        await house.settled()

        assert visitor.transport.close_code == 4503

    async def test_before_a_new_one_does_not_concern_it(self, house):
        user = a_user_id()
        start = house.streams.head(user_topic(user))
        house.streams.publish(user_topic(user), SessionRevoked(), at_ms=1)

        visitor = await house.enter(user, positions={user_topic(user): start})
        await house.settled()

        assert visitor.connection.is_open


class TestABugInAnActor:
    @pytest.mark.parametrize("hook", ["enter", "current", "open"])
    async def test_closes_that_users_sockets_resumably_and_nobody_elses(
        self, house, visitor, bystander, hook
    ):
        second = await house.enter(visitor.user_id)
        await house.settled()
        second.read()
        room = a_room()
        house.streams.grant(room, visitor.user_id)
        house.presence.failing.add(hook)

        visitor.subscribe(room)
        await house.settled()

        assert visitor.transport.close_code == 4002
        assert second.transport.close_code == 4002
        house.streams.publish(user_topic(bystander.user_id))
        assert len(bystander.read()) == 1

    async def test_is_forgotten_when_the_user_comes_back(self, house, visitor):
        house.presence.failing.add("set_visible")
        visitor.say(SetStatus(visible=False))
        await house.settled()
        house.presence.failing.clear()
        visitor.leave()

        again = await house.enter(visitor.user_id)
        (welcome,) = await answers(house, again)

        assert isinstance(welcome, Welcome)

    async def test_that_never_stops_keeps_that_user_out_for_a_while(self, house):
        user = a_user_id()
        house.presence.failing.add("set_visible")
        for _ in range(ACTOR_CRASHES_MAX + 1):
            visitor = await house.enter(user)
            visitor.say(SetStatus(visible=False))
            await house.settled()
            visitor.leave()

        turned_away = await house.enter(user)
        stream = turned_away.line.read()
        await house.settled(61)
        house.presence.failing.clear()
        let_in = await house.enter(user)
        found = await answers(house, let_in)

        assert b'"name":"internal"' in stream
        assert isinstance(found[0], Welcome)


class TestRefusedFrames:
    async def test_are_forgiven_now_and_then_but_not_for_ever(self, visitor):
        for _ in range(STRIKES_MAX):
            visitor.connection.strike()
        assert visitor.connection.is_open

        visitor.connection.strike()

        assert visitor.close_codes() == [4013]


class TestUnsubscribing:
    async def test_from_what_is_not_heard_is_refused(self, house, visitor):
        visitor.unsubscribe(a_product())

        (error,) = await answers(house, visitor)

        assert error.name == "not_subscribed"

    async def test_keeps_its_place_among_the_events(self, house):
        visitor = await house.enter(window_bytes=3000)
        topic = a_product()
        visitor.subscribe(topic)
        await house.settled()
        visitor.read()
        for _ in range(20):
            house.streams.publish(topic)
        visitor.unsubscribe(topic)
        stream = b""
        for _ in range(20):
            await house.settled(0.1)
            stream += visitor.line.read()

        found = told(stream)
        assert [frame.offset for frame in found[:-1]] == list(range(1, 21))
        assert isinstance(found[-1], Ok)


class TestARightThatIsLostWhileThePastIsTold:
    @pytest.mark.parametrize("seconds", [0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 1])
    async def test_takes_the_user_out_of_the_room(self, house, visitor, seconds):
        room = a_room()
        house.streams.grant(room, visitor.user_id)
        start = house.streams.head(room)
        for _ in range(5):
            house.streams.publish(room)
        visitor.subscribe(room, start)
        await house.settled(seconds)

        house.streams.revoke(room, visitor.user_id)
        house.streams.publish(
            room, MemberLeft(room=RoomId(room.removeprefix("room:")), user=visitor.user_id)
        )
        await house.settled(5)

        calls = [call[0] for call in house.presence.calls if room in call]
        assert visitor.connection.is_open
        assert room not in house.hub.heard_by(visitor.connection)
        assert calls.count("enter") == 0 or calls[::-1].index("leave") < calls[::-1].index("enter")


class TestSomebodyWhoIsMuted:
    @pytest.fixture
    def room(self):
        return a_room()

    @pytest.fixture
    def until_ms(self, house):
        return unix_ms(house.clock.now()) + 60_000

    @pytest.fixture
    async def member(self, house, visitor, room):
        house.streams.grant(room, visitor.user_id)
        visitor.subscribe(room)
        await house.settled()
        return visitor

    def changed(self, room, user, until_ms):
        return MemberChanged(
            room=room.removeprefix("room:"), user=user, role="member", muted_until_ms=until_ms
        )

    def shown(self, house):
        return [call for call in house.typing.calls if call[0] == "set" and call[-1]]

    async def test_is_not_seen_to_write(self, house, visitor, room, until_ms):
        house.streams.grant(room, visitor.user_id)
        house.streams.grant(room, access_muted(visitor.user_id), str(until_ms))
        visitor.subscribe(room)
        await house.settled()
        visitor.say(SetTyping(topic=room, on=True))

        assert self.shown(house) == []

    async def test_is_seen_again_when_that_is_over(self, house, visitor, room, until_ms):
        house.streams.grant(room, visitor.user_id)
        house.streams.grant(room, access_muted(visitor.user_id), str(until_ms))
        visitor.subscribe(room)
        await house.settled()
        house.clock.advance(seconds=61)
        visitor.say(SetTyping(topic=room, on=True))

        assert len(self.shown(house)) == 1

    async def test_while_they_write_stops(self, house, member, room, until_ms):
        member.say(SetTyping(topic=room, on=True))
        house.streams.publish(room, self.changed(room, member.user_id, until_ms))
        stopped = house.typing.calls[-1]
        member.say(SetTyping(topic=room, on=True))

        assert stopped == ("stop", member.user_id, room)
        assert len(self.shown(house)) == 1

    async def test_and_let_write_again_is_seen(self, house, member, room, until_ms):
        house.streams.publish(room, self.changed(room, member.user_id, until_ms))
        house.streams.publish(room, self.changed(room, member.user_id, None))
        member.say(SetTyping(topic=room, on=True))

        assert len(self.shown(house)) == 1

    async def test_while_redis_was_away_is_noticed_after_it(self, house, member, room, until_ms):
        house.streams.go_down()
        house.streams.grant(room, access_muted(member.user_id), str(until_ms))
        house.streams.come_back()
        await house.settled()
        member.say(SetTyping(topic=room, on=True))

        assert self.shown(house) == []


class TestARightThatIsLostWhileRedisIsAway:
    async def test_is_noticed_as_soon_as_it_is_back(self, house, visitor):
        kept, lost, order = a_room(), a_room(), f"order:{mint('ord')}"
        for topic in (kept, lost, order):
            house.streams.grant(topic, visitor.user_id)
            visitor.subscribe(topic)
        await house.settled()
        visitor.read()

        house.streams.go_down()
        for topic in (lost, order):
            house.streams.revoke(topic, visitor.user_id)
        await house.settled()
        house.streams.come_back()
        await house.settled()
        for topic in (kept, lost, order):
            house.streams.publish(topic)

        told = visitor.read()
        ended = {frame.topic for frame in told if isinstance(frame, Unsubscribed)}
        assert ended == {lost, order}
        assert [frame.topic for frame in told if isinstance(frame, EventFrame)] == [kept]

    async def test_is_asked_for_until_the_answer_is_certain(self, house, visitor):
        room = a_room()
        house.streams.grant(room, visitor.user_id)
        visitor.subscribe(room)
        await house.settled()
        visitor.read()

        house.streams.go_down()
        house.streams.access.clear()
        house.streams.access_is_ready = False
        house.streams.come_back()
        await house.settled()
        told_meanwhile = visitor.read()
        house.streams.access_is_ready = True
        await house.settled()

        assert told_meanwhile == []
        assert visitor.read() == [Unsubscribed(topic=room)]

    async def test_by_some_of_many_costs_few_calls(self, house):
        room = a_room()
        visitors = [await house.enter() for _ in range(40)]
        for visitor in visitors:
            house.streams.grant(room, visitor.user_id)
            visitor.subscribe(room)
        await house.settled()
        calls_before = house.streams.calls_count

        house.streams.go_down()
        house.streams.come_back()
        await house.settled()

        rights = house.streams.calls_count - calls_before - len(visitors) * 2
        assert rights <= 5  # besides one audit and one renewal for each user


class TestSomebodyWhoWrites:
    @pytest.mark.parametrize("way", ["sends", "unsubscribes", "closes"])
    async def test_is_stopped_when_they(self, house, visitor, way):
        room = a_room()
        house.streams.grant(room, visitor.user_id)
        visitor.subscribe(room)
        await house.settled()
        visitor.say(SetTyping(topic=room, on=True))
        match way:
            case "sends":
                body = SendMessage(room=RoomId(room.removeprefix("room:")), text="hi")
                visitor.say(GiveCommand(id=90, key="key-00000001", body=body))
            case "unsubscribes":
                visitor.unsubscribe(room)
            case _:
                visitor.leave()
        await house.settled()

        stopped = [call[2] for call in house.typing.calls if call[0] == "stop"]
        assert stopped[-1] in {room, None}
