"""Whatever happens, a client hears every event after its position, once, in order: or `gap`."""

import trio
from hypothesis import HealthCheck, given, settings, strategies
from trio.testing import MockClock

from protocol.server_frames import (
    Error,
    EventFrame,
    Gap,
    Ok,
    Replayed,
    Resumed,
    Subscribed,
    Welcome,
)
from tests.gateway.builders import a_product, a_user_id
from tests.gateway.house import House

TOPICS = [a_product(), a_product()]
USERS = [a_user_id() for _ in range(3)]


class Reader:
    """A client that trusts nobody: it checks each frame against what commerce published."""

    def __init__(self, user):
        self.user = user
        self.visitor = None
        self.positions = {}
        self.asked = {}

    def take(self, frames, truth):  # noqa: C901  # a table of what may be told
        for frame in frames:
            match frame:
                case Welcome() | Resumed():
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
                case Ok():
                    self.positions.pop(self.asked.pop(frame.id))
                case Error():
                    assert frame.name in {"unavailable", "already_subscribed", "not_subscribed"}

    def take_event(self, frame, truth):
        before = self.positions[frame.topic]
        assert frame.offset == before.offset + 1
        assert frame.id in truth[frame.topic, before.epoch, frame.offset]
        self.positions[frame.topic] = type(before)(before.epoch, frame.offset)


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
    strategies.tuples(strategies.just("outage"), strategies.booleans(), strategies.floats(0, 2)),
    strategies.tuples(strategies.just("rewind"), TOPIC, strategies.integers(1, 3), SECONDS),
    strategies.tuples(strategies.just("trim"), TOPIC, strategies.integers(0, 3)),
    strategies.tuples(strategies.just("sleep"), SECONDS),
)


class Story:
    def __init__(self, house):
        self.house = house
        self.streams = house.streams
        self.readers = [Reader(user) for user in USERS]

    async def connect(self, reader):
        if reader.visitor is not None:
            reader.visitor.leave()
        self.look()
        known, reader.positions = reader.positions, {}
        reader.asked.clear()
        reader.visitor = await self.house.enter(reader.user, positions=known)
        if known:
            await self.house.settled(0.005)

    async def chatter(self, topic, count):
        for _ in range(count):
            await trio.sleep(self.streams.dice.uniform(0, 0.008))
            if self.streams.is_up:
                self.streams.publish(topic)

    def look(self):
        for reader in self.readers:
            if reader.visitor is not None:
                reader.take(reader.visitor.read(), self.streams.truth)

    async def act(self, act):  # noqa: C901, PLR0912, PLR0915  # a table of what may happen
        match act:
            case "publish", topic, count:
                for left in reversed(range(count)):
                    self.streams.publish(topic, is_last=not left)
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
                if reader.positions:
                    reader.visitor.resume(reader.positions)
            case "unsubscribe", number, topic:
                visitor = self.readers[number].visitor
                visitor.unsubscribe(topic)
                self.readers[number].asked[next(visitor.numbers) - 1] = topic
            case "reconnect", number:
                await self.connect(self.readers[number])
            case "outage", empty, seconds:
                self.streams.go_down()
                await trio.sleep(seconds)
                self.streams.come_back(empty=empty)
            case "rewind", topic, count, seconds:
                self.streams.go_down()
                lost = self.streams.rewind(topic, count)
                self.streams.come_back()
                await trio.sleep(seconds)
                self.streams.publish_again(topic, lost)
            case "trim", topic, kept:
                self.streams.trim(topic, kept)
            case "sleep", seconds:
                await trio.sleep(seconds)


async def tell_story(acts, seed):
    async with trio.open_nursery() as nursery:
        story = Story(House(nursery, seed=seed))
        for reader in story.readers:
            await story.connect(reader)
        await trio.sleep(0.1)
        for act in acts:
            await story.act(act)
        await trio.sleep(5)
        story.house.hub.audit_all()  # as it does by itself once a minute
        await trio.sleep(5)
        story.look()
        for reader in story.readers:
            for topic, position in reader.positions.items():
                assert position == story.streams.head(topic), "a silent hole"
        nursery.cancel_scope.cancel()


class TestWhateverHappens:
    @given(acts=strategies.lists(ACTS, max_size=40), seed=strategies.integers(0, 1000))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_every_event_is_heard_once_in_order_or_a_gap_is_told(self, acts, seed):
        trio.run(tell_story, acts, seed, clock=MockClock(autojump_threshold=0))
