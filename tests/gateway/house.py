"""A worker without sockets, in virtual time: from dispatch to the hub everything is real."""

import functools
import itertools

import trio

from gateway.actors.rates import CommandRates
from gateway.actors.services import Services
from gateway.actors.sockets import SocketBook
from gateway.connections.connection import Connection
from gateway.connections.heartbeat import keep_heartbeat
from gateway.connections.transport import Transport
from gateway.dispatch import Dispatch
from gateway.registry import Registry
from gateway.topics.catch_up import CatchUp
from gateway.topics.hub import Hub
from gateway.topics.people import PeopleBoard
from gateway.topics.watching import WatchBoard
from protocol.client_frames import Hello, Resume, Subscribe, Unsubscribe, Watch, WatchPeople
from protocol.signals import Presence, Typing
from shared.tickets import DEV_VERIFYING_KEY, TicketVerifier
from tests.fakes.clock import SettableClock
from tests.gateway.builders import a_ticket, a_user_id, mint
from tests.gateway.connections.frames import close_codes, told
from tests.gateway.connections.memory_line import MemoryLine
from tests.gateway.fake_streams import FakeStreams


class Rooms:
    """Presence and typing that only remember what they were told; raises where a test wants."""

    def __init__(self):
        self.calls = []
        self.failing = set()

    def _note(self, name, *details):
        self.calls.append((name, *details))
        if name in self.failing:
            raise RuntimeError(f"{name} failed")

    def enter(self, topic, person, *, connection, visible):
        self._note("enter", topic, person.id, visible)

    def leave(self, topic, user, *, connection, closing):
        self._note("leave", topic, user, closing)

    def set_visible(self, user, *, connection, visible):
        self._note("set_visible", user, visible)

    async def open(self, topic):
        await trio.lowlevel.checkpoint()
        self._note("open", topic)

    async def close(self, topic):
        await trio.lowlevel.checkpoint()
        self._note("close", topic)

    def set(self, topic, person, *, on):
        self._note("set", topic, person.id, on)

    def stop(self, user, topic):
        self._note("stop", user, topic)

    def finish(self, user, topic):
        self._note("stop", user, topic)


class PresenceOf(Rooms):
    def current(self, topic):
        self._note("current", topic)
        return Presence(count=0, users=[])


class TypingOf(Rooms):
    def current(self, topic):
        self._note("current", topic)
        return Typing(count=0, users=[])


class Visitor:
    """A client of the house: its connection, and what it was told."""

    def __init__(self, house, user, wire_format, window_bytes, claims, nursery):
        self.line = MemoryLine(window_bytes=window_bytes)
        self.transport = Transport(self.line, nursery)
        self.nursery = nursery
        self.wire_format = wire_format
        self.house = house
        self.user_id = user
        self.numbers = itertools.count(2)
        self.connection = Connection(
            connection_id=mint("con"),
            transport=self.transport,
            wire_format=wire_format,
            claims=claims,
            lifetime_seconds=300,
            nursery=nursery,
        )
        self.stream = b""

    def read(self):
        """Return the frames told since the last look; a whole number of them."""
        return told(self.line.read(), self.wire_format)

    def say(self, frame):
        self.house.dispatch.receive(self.connection, frame)

    def subscribe(self, topic, position=None):
        self.say(Subscribe(id=next(self.numbers), topic=topic, position=position))

    def unsubscribe(self, topic):
        self.say(Unsubscribe(id=next(self.numbers), topic=topic))

    def watch(self, products, *, age_ms=0):
        self.say(Watch(id=next(self.numbers), products=products, age_ms=age_ms))

    def follow(self, *users):
        self.say(WatchPeople(id=next(self.numbers), users=list(users)))

    def resume(self, positions):
        self.say(Resume(id=next(self.numbers), positions=positions))

    def leave(self):
        """The socket goes away, as a conversation sees it."""
        if not self.connection.has_left:
            self.connection.has_left = True
            self.house.dispatch.leave(self.connection)
            self.nursery.cancel_scope.cancel()
            self.transport.end()

    def close_codes(self):
        return close_codes(self.line.read())


class House:
    """The worker."""

    def __init__(self, nursery, *, seed=0, supervised=None):
        """`supervised` runs the hub, if it is to survive a crash."""
        self.nursery = nursery
        self.streams = FakeStreams(seed=seed)
        self.presence, self.typing = PresenceOf(), TypingOf()
        self.clock = SettableClock()
        self.hub = Hub(
            link=self.streams, channels=self.streams, rooms=self.presence, clock=self.clock
        )
        self.verifier = TicketVerifier((DEV_VERIFYING_KEY,))
        self.services = Services(
            link=self.streams,
            hub=self.hub,
            catch_up=CatchUp(link=self.streams, hub=self.hub),
            presence=self.presence,
            typing=self.typing,
            sockets=SocketBook(worker=mint("wrk"), link=self.streams),
            rates=CommandRates(),
            watching=WatchBoard(link=self.streams, hub=self.hub),
            people=PeopleBoard(presence=self.presence),
            clock=self.clock,
            verifier=self.verifier,
        )
        self.registry = Registry(services=self.services, nursery=nursery)
        self.dispatch = Dispatch(registry=self.registry, clock=self.clock)
        notices = self.hub.notices
        notices.on_member_left, notices.on_revoked = self.registry.doubt, self.registry.revoke
        notices.on_held, notices.on_muted = self.registry.hear_of_holder, self.registry.mute
        self.streams.on_reconnected = self._make_sure
        nursery.start_soon(self.services.sockets.run)
        self.streams.on_drained = self.hub.write_together()
        self.services.catch_up.on_ended = self.registry.note_ended
        if supervised is None:
            nursery.start_soon(self.hub.run)
        else:
            nursery.start_soon(functools.partial(supervised, self.hub.run, name="hub"))
        nursery.start_soon(self.services.watching.run)
        nursery.start_soon(self.services.people.run)
        nursery.start_soon(functools.partial(keep_heartbeat, self.registry.connections))

    def _make_sure(self):
        self.hub.audit_all()
        self.registry.check_sockets()

    async def enter(
        self, user=None, *, positions=None, session=None, wire_format="json", window_bytes=1 << 30
    ):
        """Let a client say hello; returns at once, before it is answered."""
        user = user or a_user_id()
        ticket = a_ticket(user, now=self.clock.now())
        claims = self.verifier.verify(ticket, self.clock.now())
        inner = await self.nursery.start(self._hold)
        visitor = Visitor(self, user, wire_format, window_bytes, claims, inner)
        hello = Hello(
            id=1, ticket=ticket, device="device-1", session=session, positions=positions or {}
        )
        self.dispatch.admit(visitor.connection, hello)
        return visitor

    async def _hold(self, *, task_status):
        async with trio.open_nursery() as nursery:
            task_status.started(nursery)
            await trio.sleep_forever()

    async def settled(self, seconds=1):
        """Let everything happen that is about to."""
        await trio.sleep(seconds)
