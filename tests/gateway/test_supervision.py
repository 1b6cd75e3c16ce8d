"""One client does, or meets, everything that can go wrong; everybody else notices nothing.

It crashes in every hook and at every call, is canceled at every await, sends every kind of frame
that is none, and goes on talking while it is closed. Two others listen all the while.
"""

import functools
import struct

import msgspec
import pytest
import trio
from structlog.testing import capture_logs

from gateway.actors.supervisor import RestartBudget, supervise
from gateway.connections.addresses import Addresses
from gateway.connections.conversation import Conversation, Terms
from gateway.limits import ACTOR_CRASH_WINDOW_SECONDS, FEED_IDLE_SECONDS, INBOUND_FRAME_BYTES_MAX
from protocol.client_frames import (
    GiveCommand,
    Hello,
    Ping,
    Refresh,
    Resume,
    SetStatus,
    SetTyping,
    Subscribe,
    Unsubscribe,
)
from protocol.codec import decode_server_frame, encode_frame
from protocol.commands import SendMessage
from protocol.ids import RoomId
from protocol.server_frames import EventFrame, Refreshed, Replayed, Welcome
from protocol.topics import Position
from tests.gateway.builders import a_product, a_room, a_ticket, a_user_id, mint
from tests.gateway.connections.memory_line import MemoryLine
from tests.gateway.connections.talker import BINARY, CLOSE, PING, TEXT, Talker
from tests.gateway.house import House
from tests.gateway.virtual_time import IN_VIRTUAL_TIME

pytestmark = [IN_VIRTUAL_TIME, pytest.mark.timeout(300)]
SUBPROTOCOLS = {"json": "rialto.v1.json", "msgpack": "rialto.v1.msgpack"}
HOOKS = ("enter", "leave", "set_visible", "open", "close", "set", "stop", "current")
BUDGET = RestartBudget(restarts_max=1000, window_seconds=60, pause_seconds=0.1)
STEPS_MAX = 1000


class Guest(Talker):
    """A client on a line in memory, all the way through the gateway."""

    def __init__(self, stage, wire_format="json", *, user=None):
        super().__init__(MemoryLine())
        self.stage = stage
        self.wire_format = wire_format
        self.user = user or a_user_id()
        self.scope = trio.CancelScope()
        self.task = None
        self.heard = []

    async def run(self):
        stage = self.stage
        self.task = trio.lowlevel.current_task()
        conversation = Conversation(
            terms=stage.terms, host=stage.house.dispatch, on_settled=lambda: None
        )
        with self.scope:
            await conversation.run(self.line)

    async def come(self):
        self.stage.sockets.start_soon(self.run)
        self.ask_for_upgrade(subprotocols=SUBPROTOCOLS[self.wire_format])
        await self.listen(0.05)

    def ticket(self):
        return a_ticket(self.user, now=self.stage.house.clock.now())

    def say(self, frame):
        opcode = TEXT if self.wire_format == "json" else BINARY
        self.write(opcode, encode_frame(frame, self.wire_format))

    def hello(self, positions=None):
        self.say(Hello(id=1, ticket=self.ticket(), device="device-1", positions=positions or {}))

    async def listen(self, seconds=0.1):
        frames = [
            decode_server_frame(payload, self.wire_format)
            for opcode, payload in await self.hear(seconds)
            if opcode in {TEXT, BINARY}
        ]
        self.heard += frames
        return frames


class Bystander(Guest):
    """Hears one room from its first event on, and asks something now and then."""

    async def settle_in(self, room):
        await self.come()
        self.hello({room: self.stage.house.streams.head(room)})
        welcome, replayed = [
            frame for frame in await self.listen(1) if isinstance(frame, Welcome | Replayed)
        ]
        assert room in welcome.positions
        assert replayed.count == 0

    async def is_served(self, number):
        """A fresh ticket is taken, which also keeps the socket open in this long a story."""
        self.say(Refresh(id=number, ticket=self.ticket()))
        answers = [frame.id for frame in await self.listen() if isinstance(frame, Refreshed)]
        return answers == [number]

    def offsets(self):
        return [frame.offset for frame in self.heard if isinstance(frame, EventFrame)]


class Stage:
    """A worker with two bystanders in a room, and a way to put somebody beside them."""

    def __init__(self, nursery, sockets):
        self.house = House(nursery, supervised=functools.partial(supervise, budget=BUDGET))
        self.sockets = sockets
        self.terms = Terms(
            origins=frozenset(),
            addresses=Addresses(),
            verifier=self.house.verifier,
            clock=self.house.clock,
        )
        self.room, self.other_room, self.product = a_room(), a_room(), a_product()
        self.bystanders = [Bystander(self, name) for name in SUBPROTOCOLS]
        self.rounds = 0
        self.lines = []

    async def settle_in(self):
        for room in (self.room, self.other_room):
            self.house.streams.grant(room, "*", "reader")
        self.house.streams.publish(self.other_room)
        for bystander in self.bystanders:
            await bystander.settle_in(self.room)
        await self.house.settled(FEED_IDLE_SECONDS + 2)
        self.at_rest = self.weight()

    def weight(self):
        """Everything that is held for somebody."""
        people, topics = self.house.registry.statistics(), self.house.hub.statistics()
        return {
            "connections": people.connections_count,
            "actors": people.actors_count,
            "mail": people.mailbox_messages_count,
            "outboxes": people.outboxes_count,
            "owners": len(self.house.registry._owners),
            "feeds": topics.feeds_count,
            "subscriptions": topics.subscriptions_count,
            "opening": len(self.house.hub._moving),
            "channels": len(self.house.streams.receivers),
            "tasks": trio.lowlevel.current_statistics().tasks_living,
        }

    def expect(self, wire_format="json", *, user=None):
        guest = Guest(self, wire_format, user=user)
        self.lines.append(guest.line)
        return guest

    async def somebody(self, wire_format="json"):
        guest = self.expect(wire_format)
        await guest.come()
        return guest

    async def others_are_served(self, what):
        """An event reaches both others, and their questions are answered."""
        self.rounds += 1
        self.house.streams.publish(self.room)
        for bystander in self.bystanders:
            assert await bystander.is_served(self.rounds + 1), what

    async def nothing_is_left(self):
        self.house.presence.failing.clear()
        self.house.typing.failing.clear()
        with trio.move_on_after(FEED_IDLE_SECONDS + 20):
            while self.weight() != self.at_rest:
                await self.house.settled(1)
        assert self.weight() == self.at_rest
        assert all(line.is_closed for line in self.lines)
        for bystander in self.bystanders:
            assert bystander.offsets() == list(range(1, self.rounds + 1))


async def live(guest, stage):
    """Do everything a client can do, in one breath; then say good-bye and listen."""
    room, product = stage.other_room, stage.product
    guest.hello({room: Position(stage.house.streams.head(room).epoch, 0)})
    guest.say(Subscribe(id=2, topic=product))
    guest.say(SetTyping(topic=room, on=True))
    guest.say(SetStatus(visible=False))
    message = SendMessage(room=RoomId(mint("rom")), text="hello")
    guest.say(GiveCommand(id=3, key="key-00000001", body=message))
    guest.say(Refresh(id=4, ticket=guest.ticket()))
    guest.say(Resume(id=5, positions={room: stage.house.streams.head(room)}))
    guest.say(Ping(id=6))
    await guest.listen(0.2)
    guest.say(Unsubscribe(id=7, topic=product))
    await guest.listen(0.1)
    guest.write(CLOSE, struct.pack("!H", 1000))
    guest.say(Ping(id=8))
    guest.write(PING, b"still there?")
    await guest.listen(0.1)
    guest.line.hang_up()
    await guest.listen(0.1)


@pytest.fixture
async def stage(nursery):
    with capture_logs():  # every crash is logged, with its traceback
        async with trio.open_nursery() as sockets:
            stage = Stage(nursery, sockets)
            await stage.settle_in()
            yield stage
            sockets.cancel_scope.cancel()


class TestSomebodyElse:
    async def test_notices_nothing_of_a_client_that_behaves(self, stage):
        guest = await stage.somebody()
        await live(guest, stage)

        await stage.others_are_served("a good client")
        assert {getattr(frame, "id", None) for frame in guest.heard} >= set(range(1, 8))
        await stage.nothing_is_left()

    @pytest.mark.parametrize("hook", HOOKS)
    async def test_notices_nothing_of_a_crash_in_a_hook(self, stage, hook):
        for rooms in (stage.house.presence, stage.house.typing):
            rooms.failing.add(hook)
        for wire_format in SUBPROTOCOLS:
            await live(await stage.somebody(wire_format), stage)
            await stage.others_are_served(hook)
        await stage.house.settled(
            FEED_IDLE_SECONDS + 2
        )  # the topic is closed: hooks crash there too

        await stage.nothing_is_left()

    async def test_notices_nothing_of_a_crash_at_any_call(self, stage):
        travel = stage.house.streams._travel
        for bad_step in range(1, STEPS_MAX):
            taken = 0

            async def step(bad_step=bad_step):
                nonlocal taken
                taken += 1
                if taken == bad_step:
                    raise RuntimeError(f"the call number {bad_step} crashes")
                await travel()

            stage.house.streams._travel = step
            await live(await stage.somebody(), stage)
            stage.house.streams._travel = travel
            await stage.others_are_served(f"call {bad_step}")
            if taken < bad_step:
                break

        assert bad_step > 10
        await stage.nothing_is_left()

    async def test_notices_nothing_of_a_client_that_ends_at_any_await(self, stage):
        for bad_step in range(1, STEPS_MAX):
            guest = stage.expect()
            cancelling = CancelAtStep(guest, bad_step, guest.scope)
            trio.lowlevel.add_instrument(cancelling)
            await guest.come()
            await live(guest, stage)
            trio.lowlevel.remove_instrument(cancelling)
            await stage.others_are_served(f"step {bad_step}")
            if cancelling.taken < bad_step:
                break

        assert bad_step > 30
        await stage.nothing_is_left()

    @pytest.mark.parametrize("wire_format", SUBPROTOCOLS)
    async def test_notices_nothing_of_frames_that_are_none(self, stage, wire_format):
        for name, send in malformed(wire_format).items():
            for is_admitted in (True, False):
                guest = await stage.somebody(wire_format)
                if is_admitted:
                    guest.hello()
                    await guest.listen(0.05)
                send(guest)
                guest.say(Ping(id=9))
                guest.write(PING, b"?")
                await guest.listen(0.1)
                await stage.others_are_served(name)
                guest.line.hang_up()
                await guest.listen(0.05)

        await stage.nothing_is_left()

    async def test_notices_nothing_of_clients_that_talk_while_they_are_closed(self, stage):
        for end in ("hang_up", "die", None):
            for wire_format in SUBPROTOCOLS:
                guest = await stage.somebody(wire_format)
                guest.hello()
                await guest.listen(0.1)
                (mine,) = stage.house.registry.connections_of(guest.user)
                stage.house.registry.revoke(guest.user, None)
                for number in range(20):
                    guest.write(PING, str(number).encode())
                    guest.say(Ping(id=number + 10))
                    guest.say(Subscribe(id=number + 50, topic=stage.product))
                await guest.listen(0.05)
                if end is not None:
                    getattr(guest.line, end)()
                await stage.others_are_served(end)
                assert not mine.is_open

        await stage.nothing_is_left()

    async def test_notices_nothing_of_a_user_whose_actor_always_crashes(self, stage):
        stage.house.presence.failing.add("set_visible")
        user = a_user_id()
        for _ in range(12):
            guest = stage.expect(user=user)
            await guest.come()
            guest.hello()
            guest.say(SetStatus(visible=False))
            await guest.listen(0.1)
            await stage.others_are_served("a crash loop")
            guest.line.hang_up()
        assert stage.house.registry.statistics().crash_loops_count == 1

        for _ in range(int(ACTOR_CRASH_WINDOW_SECONDS) // 10 + 1):
            await stage.house.settled(10)
            await stage.others_are_served("waiting")
        assert stage.house.registry.statistics().crash_loops_count == 0
        await stage.nothing_is_left()


class TestTheWholeWorker:
    async def test_can_be_canceled_at_any_await_of_an_actor_or_a_socket(self):
        for bad_step in range(1, STEPS_MAX):
            with capture_logs() as lines:
                async with trio.open_nursery() as everything:
                    stage = Stage(everything, everything)
                    await stage.settle_in()
                    guest = stage.expect()
                    cancelling = CancelAtStep(guest, bad_step, everything.cancel_scope)
                    trio.lowlevel.add_instrument(cancelling)
                    await guest.come()
                    await live(guest, stage)
                    everything.cancel_scope.cancel()
                trio.lowlevel.remove_instrument(cancelling)
            assert [line for line in lines if "crash" in line["event"]] == []
            assert stage.house.registry.statistics().connections_count == 0
            assert stage.house.hub.statistics().subscriptions_count == 0
            if cancelling.taken < bad_step:
                break

        assert bad_step > 30


class CancelAtStep(trio.abc.Instrument):
    """Counts the steps of a guest's socket and of actors, and cancels a scope at one of them."""

    def __init__(self, guest, bad_step, scope):
        self.guest = guest
        self.bad_step = bad_step
        self.scope = scope
        self.taken = 0

    def after_task_step(self, task):
        if self._concerns(task):
            self.taken += 1
            if self.taken == self.bad_step:
                self.scope.cancel()

    def _concerns(self, task):
        if "_empty_mailbox" in task.name:
            return True
        while task is not self.guest.task and task.parent_nursery is not None:
            task = task.parent_nursery.parent_task
        return task is self.guest.task


def malformed(wire_format):
    """Every way in which something sent is not a frame, by name."""
    own, other = (TEXT, BINARY) if wire_format == "json" else (BINARY, TEXT)
    encode = msgspec.json.encode if wire_format == "json" else msgspec.msgpack.encode
    good = encode({"type": "ping", "id": 5})
    deep = b"[" * 5000 if wire_format == "json" else b"\x91" * 5000

    def message(payload, opcode=own):
        return lambda guest: guest.write(opcode, payload)

    def fields(**values):
        return message(encode(values))

    def twice(guest):
        for topic in (a_product(), a_product()):
            guest.write(own, encode({"type": "subscribe", "id": 5, "topic": topic}))

    def in_pieces(guest):
        guest.write(own, good[:3], is_last=False)
        guest.write(PING, b"between")
        guest.write(0, good[3:] + b"rest")

    found = {
        "nothing": message(b""),
        "not a map": message(encode([1, 2])),
        "no type": fields(id=5),
        "a type that is a number": fields(type=7, id=5),
        "an unknown type": fields(type="dance", id=5),
        "an unknown command": fields(type="command", id=5, key="k" * 8, body={"type": "fly"}),
        "a command without a body": fields(type="command", id=5, key="k" * 8),
        "a field of another type": fields(type="ping", id="five"),
        "no id": fields(type="ping"),
        "id 0": fields(type="ping", id=0),
        "an id below 0": fields(type="ping", id=-1),
        "an id too large": fields(type="ping", id=2**32),
        "a huge number": fields(type="ping", id=2**63),
        "a fraction": fields(type="ping", id=1.5),
        "an offset out of range": fields(
            type="resume", id=5, positions={a_product(): ["e", 2**60]}
        ),
        "a bad topic": fields(type="subscribe", id=5, topic="kitchen"),
        "too many topics": fields(
            type="resume", id=5, positions={a_product(): ["e", 0] for _ in range(129)}
        ),
        "a second hello": fields(type="hello", id=5, ticket="x", device="device-1"),
        "the same id twice": twice,
        "too deep": message(deep),
        "too deep in a field": fields(
            type="ping", id=5, more=functools.reduce(lambda x, _: [x], range(900), 1)
        ),
        "too long": message(b" " * (INBOUND_FRAME_BYTES_MAX + 1)),
        "cut short": message(good[:-1]),
        "two in one": message(good + good),
        "the wrong encoding": message(good, other),
        "not UTF-8": message(b"\xff\xfe\xfa", TEXT),
        "in pieces": in_pieces,
        "a reserved opcode": message(b"", 0x3),
        "a piece of nothing": message(b"x", 0x0),
        "a close with a bad code": message(b"\0\1", CLOSE),
        "a close cut short": message(b"\3", CLOSE),
        "a ping too large": lambda guest: guest.line.write(b"\x89\xfe\0\xc8\0\0\0\0" + b"x" * 200),
        "without a mask": lambda guest: guest.line.write(b"\x81\x02{}"),
        "half a frame": lambda guest: guest.line.write(b"\x81\xfe\x40"),
        "noise": lambda guest: guest.line.write(bytes(range(256))),
    }
    if wire_format == "msgpack":
        found["a length that lies"] = message(b"\xdf\xff\xff\xff\xff\xa1a")
        found["an extension"] = message(b"\xc7\x03\x05abc")
    return found
