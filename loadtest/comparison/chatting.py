"""Durable chat, end to end: how soon a command is answered, and how many messages a second."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from typing_extensions import override

from loadtest.comparison.bounds import JOIN_SECONDS_MAX
from loadtest.comparison.contenders import CONTENDERS, Contender
from loadtest.comparison.cores import Cores, OwnCpu, choose_cores, on_cores
from loadtest.comparison.dialects import Dialect, Guest, RialtoDialect
from loadtest.comparison.messages import a_message
from loadtest.comparison.results import Metric, Promise, Run
from loadtest.comparison.scenery import Size
from loadtest.comparison.servers import Server, free_port
from loadtest.comparison.shop import RunningShop, running_shop
from loadtest.comparison.swarm import Member, Swarm, SwarmError, Track
from loadtest.comparison.tickets import TicketOffice, room_id
from loadtest.histogram import Histogram
from protocol.client_frames import GiveCommand
from protocol.codec import encode_frame
from protocol.commands import SendMessage
from protocol.ids import RoomId
from protocol.topics import parse_topic, room_topic
from protocol.views import Person

ECHO_SOCKETS: Final = 100
PEAK_SOCKETS: Final = 200
_ECHO_MEMBERS: Final = 10
_PEAK_MEMBERS: Final = 20
_ECHO_PER_SECOND: Final = 500
_ECHO_SECONDS: Final = 10.0
_PEAK_SECONDS: Final = 8.0
_WARM_UP_SECONDS: Final = 2.0
_KEY: Final = b'"key":"'
_KEY_FORM: Final = "bench{:012d}"

ECHO_METRICS: Final = (
    Metric(name="accepted p50", unit="ms", meaning="in the stream", better="less", digits=1),
    Metric(name="committed p50", unit="ms", meaning="in Postgres, told", better="less", digits=1),
    Metric(name="committed p99", unit="ms", meaning="the same", better="less", digits=1),
    Metric(name="committed", unit="/s", meaning="commands"),
    Metric(name="server CPU", unit="%", meaning="of one core, the whole shop", better="less"),
    Metric(name="generator CPU", unit="%", meaning="of its core", better="less"),
)
ECHO_PROMISES: Final = (
    Promise(metric="accepted p50", at_most=3),
    Promise(metric="committed p50", at_most=12),
    Promise(metric="committed p99", at_most=60),
)
PEAK_METRICS: Final = (
    Metric(name="messages", unit="/s", meaning="stored, and seen by all 20 members"),
    Metric(name="seen p50", unit="ms", meaning="by the last member", better="less"),
    Metric(name="server CPU", unit="%", meaning="of its core, engines included", better="less"),
    Metric(name="generator CPU", unit="%", meaning="of the other core", better="less"),
)
PEAK_PEER: Final = "socket.io+streams"
PEAK_PROMISES: Final = (Promise(metric="messages", at_least=1.5, peer=PEAK_PEER),)


class _Said(msgspec.Struct):
    """One message on its way."""

    member: Member
    at: float
    unseen: int


class Talkers(Swarm):
    """Members who write, and note by the key of each message what became of it."""

    def __init__(self, port: int, dialect: Dialect, *, members_of_room: int) -> None:
        """Know how many are to see each message."""
        super().__init__(port, dialect)
        self.accepted, self.committed, self.seen = Histogram(), Histogram(), Histogram()
        self.said: dict[bytes, _Said] = {}
        self.seen_count = 0
        self.on_seen: Callable[[Member], None] = _nothing
        self._members_of_room = members_of_room
        self._number = 0

    def write(self, member: Member) -> None:
        """Say the next message."""
        self._number += 1
        key = _KEY_FORM.format(self._number)
        self.said[key.encode()] = _Said(member, time.monotonic(), self._members_of_room)
        topic = member.guest.topics[0]
        message = a_message(self._number, RoomId(parse_topic(topic)[1]))
        if isinstance(self.dialect, RialtoDialect):
            body = SendMessage(room=message.room, text=message.text)
            command = GiveCommand(id=self._number, key=key, body=body)
            self.say(member, encode_frame(command, "json"))
        else:
            author = Person(id=message.author.id, name=message.author.name)
            told = msgspec.structs.replace(message, key=key, author=author)
            self.say(member, self.dialect.say(told, topic))

    def forget_measures(self) -> None:
        """Begin to count anew."""
        self.accepted, self.committed, self.seen = Histogram(), Histogram(), Histogram()
        self.seen_count = 0

    @override
    def _take_message(self, member: Member, number: int, frame: bytes) -> None:
        said = self.said.get(_key_in(frame))
        if said is None:
            return
        said.unseen -= 1
        if not said.unseen:
            self.seen_count += 1
            self.seen.record(self.now - said.at)
            self.on_seen(said.member)

    @override
    def _take_other(self, member: Member, payload: bytes) -> None:
        if payload.startswith(b'{"type":"accepted"'):
            self.accepted.record(self.now - self.said[_key_in(payload)].at)
        elif b'"type":"command_committed"' in payload:
            self.committed.record(self.now - self.said[_key_in(payload)].at)
        elif b'"type":"command_rejected"' in payload or payload.startswith(b'{"type":"error"'):
            raise SwarmError(f"a message was refused: {payload[:300]!r}")
        else:
            super()._take_other(member, payload)


def _key_in(frame: bytes) -> bytes:
    start = frame.rfind(_KEY) + len(_KEY)
    return frame[start : frame.find(b'"', start)]


def measure_echo(_contender: Contender, size: Size) -> Run:
    """Measure how soon commands are accepted and committed, so many a second."""
    cores = choose_cores()
    with (
        running_shop(cores.server, cores.generator) as shop,
        _in_the_shop(shop, cores, size.sockets or ECHO_SOCKETS, _ECHO_MEMBERS) as swarm,
    ):
        members = list(swarm.members.values())
        _write_evenly(swarm, members, _WARM_UP_SECONDS)
        _settle(swarm)
        swarm.forget_measures()
        own, cpu_at, at = OwnCpu(), shop.cpu_seconds(), time.monotonic()
        _write_evenly(swarm, members, size.seconds or _ECHO_SECONDS)
        seconds, cpu = time.monotonic() - at, shop.cpu_seconds() - cpu_at
        busy = own.share
        _settle(swarm)
    return Run(
        values={
            "accepted p50": swarm.accepted.quantile(0.5) * 1e3,
            "committed p50": swarm.committed.quantile(0.5) * 1e3,
            "committed p99": swarm.committed.quantile(0.99) * 1e3,
            "committed": swarm.committed.count / seconds,
            "server CPU": cpu / seconds * 100,
            "generator CPU": busy * 100,
        }
    )


def measure_peak(contender: Contender, size: Size) -> Run:
    """Measure how many messages a second are stored and seen by everybody, each with one to say."""
    cores = choose_cores()
    sockets = size.sockets or PEAK_SOCKETS
    with running_shop(cores.server) as shop:
        if contender.is_rialto:
            with _in_the_shop(shop, cores, sockets, _PEAK_MEMBERS) as swarm:
                return _peak(swarm, shop.cpu_seconds, size)
        with _in_the_peer(shop, cores, sockets) as (swarm, server):
            return _peak(swarm, lambda: shop.cpu_seconds() + server.cpu_seconds(), size)


def _peak(swarm: Talkers, cpu_seconds: Callable[[], float], size: Size) -> Run:
    swarm.on_seen = swarm.write
    for member in list(swarm.members.values()):
        swarm.write(member)
    _pass_time(swarm, _WARM_UP_SECONDS)
    swarm.forget_measures()
    own, cpu_at, at = OwnCpu(), cpu_seconds(), time.monotonic()
    _pass_time(swarm, size.seconds or _PEAK_SECONDS)
    seconds = time.monotonic() - at
    return Run(
        values={
            "messages": swarm.seen_count / seconds,
            "seen p50": swarm.seen.quantile(0.5) * 1e3,
            "server CPU": (cpu_seconds() - cpu_at) / seconds * 100,
            "generator CPU": own.share * 100,
        }
    )


@contextmanager
def _in_the_shop(
    shop: RunningShop, cores: Cores, sockets: int, members_of_room: int
) -> Iterator[Talkers]:
    rooms = shop.rooms(max(1, sockets // members_of_room))
    guests = [
        Guest(number=number, ticket=ticket, topics=(room_topic(rooms[number % len(rooms)]),))
        for number, ticket in enumerate(shop.tickets(sockets))
    ]
    with _talking(shop.socket_port, RialtoDialect(), guests, cores) as swarm:
        yield swarm


@contextmanager
def _in_the_peer(shop: RunningShop, cores: Cores, sockets: int) -> Iterator[tuple[Talkers, Server]]:
    """Run Socket.IO beside the shop, with the shop's engines; the shop has nothing to do."""
    contender, office, port = CONTENDERS[PEAK_PEER], TicketOffice(), free_port()
    variables = {
        "BENCH_PORT": str(port),
        "BENCH_VERIFYING_KEY": office.verifying_key,
        "BENCH_REDIS_URL": shop.variable("RIALTO_REDIS_URL"),
        "BENCH_DATABASE_URL": shop.variable("RIALTO_DATABASE_URL"),
    }
    rooms = max(1, sockets // _PEAK_MEMBERS)
    guests = [
        Guest(
            number=number,
            ticket=office.ticket(number),
            topics=(room_topic(room_id(number % rooms)),),
        )
        for number in range(sockets)
    ]
    with (
        Server(contender.argv(), variables=variables, port=port, core=cores.server) as server,
        _talking(port, contender.dialect(), guests, cores) as swarm,
    ):
        yield swarm, server


@contextmanager
def _talking(port: int, dialect: Dialect, guests: list[Guest], cores: Cores) -> Iterator[Talkers]:
    members_of_room = len(guests) // len({guest.topics[0] for guest in guests})
    track = Track()
    with on_cores(cores.generator):
        swarm = Talkers(port, dialect, members_of_room=members_of_room)
        try:
            swarm.gather(guests, lambda _guest: track)
            yield swarm
        finally:
            swarm.close()


def _write_evenly(swarm: Talkers, members: list[Member], seconds: float) -> None:
    began_at, written = time.monotonic(), 0
    while (passed := time.monotonic() - began_at) < seconds:
        while written < passed * _ECHO_PER_SECOND:
            swarm.write(members[written % len(members)])
            written += 1
        swarm.step(max(0.0, written / _ECHO_PER_SECOND - passed))


def _settle(swarm: Talkers) -> None:
    """Wait until everything that was said is committed."""
    until = time.monotonic() + JOIN_SECONDS_MAX
    while swarm.accepted.count > swarm.committed.count:
        swarm.step(0.02)
        if time.monotonic() > until:
            raise SwarmError("commands were accepted and never committed")


def _pass_time(swarm: Talkers, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        swarm.step(0.02)


def _nothing(_member: Member) -> None:
    """Have nothing to do when a message was seen."""
