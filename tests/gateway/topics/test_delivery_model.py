"""Whatever happens, a client hears every event after its position, once, in order: or `gap`.

And nothing of what is said in a room later than a second after its user lost the right to it.
"""

import pytest
import trio
from hypothesis import HealthCheck, given, settings, strategies
from trio.testing import MockClock

from gateway.limits import OUTBOX_SECONDS_MAX
from protocol.codec import decode_server_frame
from protocol.events import MemberLeft
from protocol.ids import RoomId
from protocol.server_frames import (
    Error,
    EventFrame,
    Gap,
    Ok,
    Replayed,
    Resumed,
    Subscribed,
    Unsubscribed,
    Welcome,
)
from tests.gateway.builders import a_message, a_product, a_room, a_user_id
from tests.gateway.connections.frames import close_codes, split
from tests.gateway.house import House

ROOM = a_room()
TOPICS = [a_product(), ROOM]
USERS = [a_user_id() for _ in range(3)]
WINDOW_BYTES = 2_000
"""What the kernel holds for a client: a few events, so that a frozen one is slow at once."""

BARRED_SECONDS_MAX = 1.0

RESUMABLE = {4002, 4008}
LOOK_SECONDS = 0.02


class Reader:
    """A client that trusts nobody: it checks each frame against what commerce published."""

    def __init__(self, user, wire_format, said_at):
        self.user = user
        self.said_at = said_at
        self.wire_format = wire_format
        self.visitor = None
        self.stream = b""
        self.is_frozen = False
        self.is_closed = False
        self.positions = {}
        self.given = {}
        self.asked = {}
        self.barred_at = None

    def read(self, truth):
        """Take what has come; what is half there waits for its other half."""
        self.stream += self.visitor.line.read()
        frames, rest = split(self.stream)
        codes = close_codes(self.stream)
        self.stream = rest
        self.take(
            [decode_server_frame(told, self.wire_format) for kind, told in frames if kind < 3],
            truth,
        )
        assert set(codes) <= RESUMABLE
        self.is_closed = self.is_closed or bool(codes) or self.visitor.line.is_closed

    def take(self, frames, truth):  # noqa: C901, PLR0912  # a table of what may be told
        for frame in frames:
            match frame:
                case Welcome():
                    self.positions.update(frame.positions)
                    self.given = {}
                case Resumed():
                    self.positions.update(frame.positions)
                case Subscribed():
                    self.positions[frame.topic] = frame.position
                case EventFrame():
                    self.take_event(frame, truth)
                case Replayed():
                    assert frame.position == self.positions[frame.topic]
                case Gap():
                    assert frame.topic in self.positions
                    self.positions[frame.topic] = frame.position
                case Unsubscribed():
                    assert frame.topic == ROOM
                    self.positions.pop(ROOM)
                case Ok():
                    self.positions.pop(self.asked.pop(frame.id), None)
                case Error():
                    self.take_refusal(frame)

    def take_refusal(self, frame):
        assert frame.name in {
            *("unavailable", "already_subscribed", "not_subscribed", "unknown_topic"),
        }
        if frame.name == "unknown_topic":
            assert frame.topic == ROOM
        if frame.id is None and frame.topic is not None:
            self.positions.pop(frame.topic, None)

    def take_event(self, frame, truth):
        before = self.positions[frame.topic]
        assert frame.offset == before.offset + 1
        assert frame.id in truth[frame.topic, before.epoch, frame.offset]
        self.positions[frame.topic] = type(before)(before.epoch, frame.offset)
        if frame.topic == ROOM and self.barred_at is not None:
            said_at = self.said_at[before.epoch, frame.offset]
            assert said_at <= self.barred_at + BARRED_SECONDS_MAX, "heard what it may not"


TOPIC = strategies.sampled_from(TOPICS)
READER = strategies.integers(0, len(USERS) - 1)
SECONDS = strategies.floats(0, 0.03)
ACTS = strategies.one_of(
    strategies.tuples(strategies.just("publish"), TOPIC, strategies.integers(1, 4)),
    strategies.tuples(strategies.just("publish unheard"), TOPIC),
    strategies.tuples(strategies.just("chatter"), TOPIC, strategies.integers(5, 40)),
    strategies.tuples(strategies.just("subscribe"), READER, TOPIC),
    strategies.tuples(strategies.just("subscribe from"), READER, TOPIC, strategies.integers(0, 5)),
    strategies.tuples(strategies.just("resume"), READER),
    strategies.tuples(strategies.just("unsubscribe"), READER, TOPIC),
    strategies.tuples(strategies.just("reconnect"), READER),
    strategies.tuples(strategies.just("freeze"), READER),
    strategies.tuples(strategies.just("thaw"), READER),
    strategies.tuples(strategies.just("doubt"), READER),
    strategies.tuples(strategies.just("bar"), READER),
    strategies.tuples(strategies.just("let in again"), READER),
    strategies.tuples(strategies.just("outage"), strategies.booleans(), strategies.floats(0, 2)),
    strategies.tuples(strategies.just("rewind"), TOPIC, strategies.integers(1, 3), SECONDS),
    strategies.tuples(strategies.just("trim"), TOPIC, strategies.integers(0, 3)),
    strategies.tuples(strategies.just("sleep"), SECONDS),
)


class Story:
    def __init__(self, house):
        self.house = house
        self.streams = house.streams
        self.said_at = {}
        self.streams.on_published = self.note_said
        self.readers = [
            Reader(user, name, self.said_at)
            for user, name in zip(USERS, ("json", "msgpack", "json"), strict=True)
        ]
        for user in USERS:
            self.streams.grant(ROOM, user)

    async def connect(self, reader):
        if reader.visitor is not None:
            reader.visitor.leave()
            reader.read(self.streams.truth)
        known = {**reader.given, **reader.positions}
        reader.positions, reader.given = {}, known
        reader.asked.clear()
        reader.stream, reader.is_closed = b"", False
        reader.visitor = await self.house.enter(
            reader.user,
            positions=known,
            window_bytes=WINDOW_BYTES,
            wire_format=reader.wire_format,
        )

    async def chatter(self, topic, count):
        for _ in range(count):
            await trio.sleep(self.streams.dice.uniform(0, 0.008))
            if self.streams.is_up:
                self.streams.publish(topic)

    async def watch(self):
        """Whoever is not frozen reads all the time."""
        while True:
            self.look()
            await trio.sleep(LOOK_SECONDS)

    def look(self):
        for reader in self.readers:
            if reader.visitor is not None and not reader.is_frozen:
                reader.read(self.streams.truth)

    def note_said(self, topic, epoch, offset):
        if topic == ROOM:
            self.said_at.setdefault((epoch, offset), trio.current_time())

    def begin_anew(self):
        """While Redis was away nobody could know of a lost right: the second begins now."""
        for reader in self.readers:
            if reader.barred_at is not None:
                reader.barred_at = trio.current_time()

    def says_left(self, reader):
        left = MemberLeft(room=RoomId(ROOM.removeprefix("room:")), user=reader.user)
        return self.streams.publish(ROOM, left)

    async def act(self, act):  # noqa: C901, PLR0912, PLR0915  # a table of what may happen
        match act:
            case "publish", topic, count:
                for left in reversed(range(count)):
                    self.streams.publish(topic, a_message("x" * 200), is_last=not left)
            case "chatter", topic, count:
                self.house.nursery.start_soon(self.chatter, topic, count)
            case "publish unheard", topic:
                self.streams.publish(topic, is_heard=False)
            case "subscribe", number, topic:
                self.readers[number].visitor.subscribe(topic)
            case "subscribe from", number, topic, back:
                head = self.streams.head(topic)
                start = type(head)(head.epoch, max(0, head.offset - back))
                self.readers[number].visitor.subscribe(topic, start)
            case "resume", number:
                reader = self.readers[number]
                self.look()
                if reader.positions and not reader.is_frozen:
                    reader.visitor.resume(reader.positions)
            case "unsubscribe", number, topic:
                visitor = self.readers[number].visitor
                visitor.unsubscribe(topic)
                self.readers[number].asked[next(visitor.numbers) - 1] = topic
            case "reconnect", number:
                await self.connect(self.readers[number])
            case "freeze", number:
                self.readers[number].is_frozen = True
            case "thaw", number:
                self.readers[number].is_frozen = False
            case "doubt", number:
                self.says_left(self.readers[number])
            case "bar", number:
                reader = self.readers[number]
                if reader.barred_at is None:
                    self.streams.revoke(ROOM, reader.user)
                    reader.barred_at = trio.current_time()
                    self.says_left(reader)
            case "let in again", number:
                self.streams.grant(ROOM, self.readers[number].user)
                self.readers[number].barred_at = None
            case "outage", empty, seconds:
                self.streams.go_down()
                await trio.sleep(seconds)
                self.streams.come_back(empty=empty)
                self.begin_anew()
            case "rewind", topic, count, seconds:
                self.streams.go_down()
                lost = self.streams.rewind(topic, count)
                self.streams.come_back()
                await trio.sleep(seconds)
                self.streams.publish_again(topic, lost)
                self.begin_anew()
            case "trim", topic, kept:
                self.streams.trim(topic, kept)
            case "sleep", seconds:
                await trio.sleep(seconds)

    async def end(self):
        """Let the slow be found out, everybody come back who was closed, and all be heard."""
        await trio.sleep(OUTBOX_SECONDS_MAX + 1)
        for reader in self.readers:
            reader.is_frozen = False
        await trio.sleep(1)
        for reader in self.readers:
            if reader.is_closed:
                await self.connect(reader)
        await trio.sleep(5)
        self.house.hub.audit_all()  # as it does by itself once a minute
        await trio.sleep(5)
        self.look()


async def tell_story(acts, seed):
    async with trio.open_nursery() as nursery:
        story = Story(House(nursery, seed=seed))
        for reader in story.readers:
            await story.connect(reader)
        nursery.start_soon(story.watch)
        await trio.sleep(0.1)
        for act in acts:
            await story.act(act)
        await story.end()
        for reader in story.readers:
            assert not reader.is_closed
            assert not reader.given
            for topic, position in reader.positions.items():
                assert position == story.streams.head(topic), "a silent hole"
        nursery.cancel_scope.cancel()


class TestWhateverHappens:
    @given(acts=strategies.lists(ACTS, max_size=40), seed=strategies.integers(0, 1000))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_every_event_is_heard_once_in_order_or_a_gap_is_told(self, acts, seed):
        trio.run(tell_story, acts, seed, clock=MockClock(autojump_threshold=0))


SOON = ("sleep", 0.03)
HEARD = [("subscribe", 0, ROOM), SOON, SOON, SOON]


class TestARightThatIsLost:
    @pytest.mark.parametrize(
        "acts",
        [
            [("subscribe", 0, ROOM), SOON, ("bar", 0)],
            [("subscribe", 1, ROOM), SOON, SOON, SOON, ("subscribe", 0, ROOM), ("bar", 0)],
            [*HEARD, ("resume", 0), ("sleep", 0.012), ("bar", 0)],
            [*HEARD, ("publish unheard", ROOM), ("bar", 0), ("trim", ROOM, 0)],
            [*HEARD, ("outage", True, 1.0), ("bar", 0)],
            [*HEARD, ("freeze", 0), ("publish", ROOM, 40), ("bar", 0)],
        ],
        ids=["joining", "joining others", "resuming", "in a hole", "in an outage", "while frozen"],
    )
    def test_is_noticed_though_its_event_falls_into_a_crack(self, acts):
        for seed in range(12):
            story = [*acts, ("sleep", 1.2), ("publish", ROOM, 3)]
            trio.run(tell_story, story, seed, clock=MockClock(autojump_threshold=0))
