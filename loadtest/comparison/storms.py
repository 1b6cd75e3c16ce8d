"""Everybody comes at once: after a morning's first news, or because a worker was killed."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec

from loadtest.comparison.bounds import HANDSHAKES_AT_ONCE, JOIN_SECONDS_MAX
from loadtest.comparison.contenders import Arena, Contender, gateway_variables
from loadtest.comparison.cores import choose_cores
from loadtest.comparison.dialects import Guest, ResumingDialect
from loadtest.comparison.engines import valkey
from loadtest.comparison.messages import a_message
from loadtest.comparison.results import Metric, Promise, Run
from loadtest.comparison.scenery import (
    Size,
    Speaker,
    guests,
    measured,
    swarming,
    three_topics,
    violations,
)
from loadtest.comparison.servers import Server, free_port
from loadtest.comparison.streams import Publisher
from loadtest.comparison.swarm import Member, Swarm, SwarmError, Track
from loadtest.comparison.tickets import TicketOffice, room_id, user_id
from protocol.topics import Position, Topic, room_topic, user_topic

STORM_SOCKETS: Final = 10_000
_CONTROL_SOCKETS: Final = 100
_CONTROL_PER_SECOND: Final = 20
_CONTROL_ROOM: Final = 999_999
_DIALS_A_LOOK: Final = 20
"""The generator looks at the control group after so many dials, or the wait would be its own."""

_NOTICE_SECONDS: Final = 0.3
_SETTLE_SECONDS: Final = 2.0

CONNECT_METRICS: Final = (
    Metric(
        name="all in", unit="s", meaning="until everybody is subscribed", better="less", digits=1
    ),
    Metric(name="control p99", unit="ms", meaning="of those already there", better="less"),
    Metric(name="handshakes", unit="/s", meaning="with ticket and subscriptions"),
    Metric(name="server CPU", unit="%", meaning="of its core", better="less"),
    Metric(name="generator CPU", unit="%", meaning="of the other core", better="less"),
)
CONNECT_PROMISES: Final = (
    Promise(metric="all in", at_most=15),
    Promise(metric="control p99", at_most=300),
)
RESUME_METRICS: Final = (
    Metric(name="all resumed", unit="s", meaning="after the kill", better="less", digits=1),
    Metric(name="came back", unit="sockets", meaning="of the killed worker"),
    Metric(name="missed", unit="", meaning="messages lost, doubled or out of order", better="less"),
)
RESUME_PROMISES: Final = (
    Promise(metric="all resumed", at_most=20),
    Promise(metric="missed", at_most=0),
)


class _Control:
    """A group that was there before, and goes on talking at an even pace."""

    def __init__(self, arena: Arena, swarm: Swarm, first_number: int) -> None:
        self.track = Track()
        self._topic = room_topic(room_id(_CONTROL_ROOM))
        self._said = 0
        numbers = range(first_number, first_number + _CONTROL_SOCKETS)
        group = [
            Guest(number=number, ticket=arena.office.ticket(number), topics=(self._topic,))
            for number in numbers
        ]
        if arena.publisher is not None:
            arena.publisher.open_to_anyone(self._topic)
        swarm.gather(group, lambda _guest: self.track)
        self._speaker = Speaker(arena, swarm)
        self._speaker.connect(first_number + _CONTROL_SOCKETS)
        self._began_at = time.monotonic()

    def talk(self) -> None:
        """Say what is due by now."""
        due = int((time.monotonic() - self._began_at) * _CONTROL_PER_SECOND)
        while self._said < due:
            self._said += 1
            self._speaker.say(self._topic, self.track, a_message(self._said))


def measure_connect_storm(arena: Arena, size: Size) -> Run:
    """Measure how fast a crowd is let in, and what those already there feel of it."""
    sockets = size.sockets or STORM_SOCKETS
    crowd = guests(arena, sockets, three_topics(arena))
    with swarming(arena) as swarm:
        control, track = _Control(arena, swarm, sockets + 1), Track()
        with measured(arena) as stretch:
            _storm(swarm, crowd, lambda _guest: track, meanwhile=control.talk)
        flags = [*stretch.flags(), *violations(control.track, track)]
    return Run(
        values={
            "all in": stretch.seconds,
            "control p99": control.track.delays.quantile(0.99) * 1e3,
            "handshakes": sockets / stretch.seconds,
            "server CPU": stretch.server_share * 100,
            "generator CPU": stretch.generator_share * 100,
        },
        flags=flags,
    )


def _storm(
    swarm: Swarm,
    crowd: list[Guest],
    track_of: Callable[[Guest], Track],
    *,
    meanwhile: Callable[[], None],
    heard_of: Callable[[Guest], int] = lambda _guest: 0,
) -> list[Member]:
    """Let everybody in as fast as the server takes them; nobody else waits for our dialling."""
    members: list[Member] = []
    deadline = time.monotonic() + JOIN_SECONDS_MAX
    waiting = list(reversed(crowd))
    while waiting or swarm.joined_count < len(swarm.members):
        room = HANDSHAKES_AT_ONCE - (len(swarm.members) - swarm.joined_count)
        for _ in range(min(room, _DIALS_A_LOOK, len(waiting))):
            guest = waiting.pop()
            member = swarm.dial(guest, track_of(guest))
            member.heard = heard_of(guest)
            members.append(member)
        swarm.step(0 if waiting and room > 0 else 0.005)
        meanwhile()
        if time.monotonic() > deadline:
            raise SwarmError(f"only {swarm.joined_count} of {len(swarm.members)} were let in")
    return members


@contextmanager
def _two_workers(contender: Contender) -> Iterator[tuple[Arena, Server]]:
    """Run two gateways that share a port; yield the first one's arena, and the second."""
    cores, office, port = choose_cores(), TicketOffice(), free_port()
    with ExitStack() as stack:
        redis = stack.enter_context(valkey(cores.generator))
        publisher = Publisher(redis.port)
        stack.callback(publisher.close)
        variables = gateway_variables(redis.url, port, office)
        first, second = (_worker(contender, variables, cores.server) for _ in range(2))
        stack.enter_context(first)
        stack.enter_context(second)
        first.port = port
        arena = Arena(
            contender=contender,
            server=first,
            dialect=contender.dialect(),
            office=office,
            cores=cores,
            publisher=publisher,
        )
        yield arena, second


def _worker(contender: Contender, variables: dict[str, str], core: int) -> Server:
    """Return a worker that is waited for at its operator's port: the other one is shared."""
    operator = free_port()
    own = {"RIALTO_GATEWAY_OPERATOR_PORT": str(operator)}
    return Server(contender.argv(), variables=variables | own, port=operator, core=core)


class _Rooms(msgspec.Struct):
    """Where everybody listens, what was said there, and how far each had heard when it was cut."""

    tracks: dict[Topic, Track]
    heard: dict[int, int]
    lost: list[Guest]

    def track_of(self, guest: Guest) -> Track:
        """Return what the guest's first room was told."""
        return self.tracks.setdefault(guest.topics[0], Track())

    def lose(self, member: Member) -> None:
        """Note that a socket was cut."""
        self.heard[member.guest.number] = member.heard
        self.lost.append(member.guest)

    def positions_of(self, guest: Guest) -> dict[str, Position]:
        """Return where a guest stood."""
        first, second = guest.topics
        return {
            user_topic(user_id(guest.number)): Position("bench", 0),
            first: Position("bench", self.heard[guest.number]),
            second: Position("bench", 0),
        }


def measure_resume_storm(contender: Contender, size: Size) -> Run:
    """Kill one of two workers; measure how long it takes until all its clients have resumed."""
    with _two_workers(contender) as (arena, second), swarming(arena) as swarm:
        crowd = guests(arena, size.sockets or STORM_SOCKETS, three_topics(arena))
        places = _Rooms(tracks={}, heard={}, lost=[])
        swarm.on_lost = places.lose
        _storm(swarm, crowd, places.track_of, meanwhile=_nothing)
        _say_everywhere(arena, places, 1)
        _settle(swarm, _SETTLE_SECONDS)
        began_at = time.monotonic()
        second.kill()
        _settle(swarm, _NOTICE_SECONDS)
        _say_everywhere(arena, places, 2)
        came_back = _come_back(arena, swarm, places)
        resumed_at = max((member.joined_at for member in came_back), default=began_at)
        _say_everywhere(arena, places, 4)
        _settle(swarm, _SETTLE_SECONDS)
        missed = sum(
            abs(len(member.track.sent_at) - member.heard) for member in swarm.members.values()
        )
        flags = violations(*places.tracks.values())
    return Run(
        values={
            "all resumed": resumed_at - began_at,
            "came back": float(len(came_back)),
            "missed": float(missed + len(flags)),
        },
        flags=flags,
    )


def _come_back(arena: Arena, swarm: Swarm, places: _Rooms) -> list[Member]:
    """Let the lost ones dial again; one more thing is said in every room while they come."""
    lost, places.lost = places.lost, []
    half = len(swarm.members) + len(lost) // 2
    is_said = False

    def say_in_the_middle() -> None:
        nonlocal is_said
        if not is_said and swarm.joined_count >= half:
            is_said = True
            _say_everywhere(arena, places, 3)

    swarm.dialect = ResumingDialect(places.positions_of)
    came_back = _storm(
        swarm,
        lost,
        places.track_of,
        meanwhile=say_in_the_middle,
        heard_of=lambda guest: places.heard[guest.number],
    )
    say_in_the_middle()
    return came_back


def _say_everywhere(arena: Arena, places: _Rooms, number: int) -> None:
    """Say message `number` in every room."""
    assert arena.publisher is not None
    for topic, track in places.tracks.items():
        track.sent_at.append(time.monotonic())
        arena.publisher.publish(topic, a_message(number))


def _settle(swarm: Swarm, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        swarm.step(0.02)


def _nothing() -> None:
    """Have nothing to do meanwhile."""
