"""What every measurement needs: guests with tickets, and the counters around a stretch of time."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from loadtest.comparison.bounds import GENERATOR_BUSY_SHARE, SERVER_BUSY_SHARE
from loadtest.comparison.contenders import Arena
from loadtest.comparison.cores import OwnCpu, on_cores
from loadtest.comparison.dialects import Guest
from loadtest.comparison.swarm import Member, Swarm, Track
from loadtest.comparison.tickets import room_id, user_id
from protocol.topics import Topic, room_topic, user_topic
from protocol.views import ChatMessage

_MEMBERS: Final = 20
_ROOMS_FROM: Final = 500
"""So that 10 000 users make 500 rooms of 20, twice."""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large a measurement is; None is what its target asks for."""

    sockets: int | None = None
    seconds: float | None = None


class Stretch(msgspec.Struct, kw_only=True):
    """A stretch of time, and who was how busy in it."""

    seconds: float = 0.0
    server_cpu_seconds: float = 0.0
    generator_share: float = 0.0

    @property
    def server_share(self) -> float:
        """Processor seconds of the server for each second."""
        return self.server_cpu_seconds / self.seconds

    def flags(self) -> list[str]:
        """Say if the generator held the server up."""
        is_bound = (
            self.generator_share > GENERATOR_BUSY_SHARE and self.server_share < SERVER_BUSY_SHARE
        )
        return ["the generator was the bottleneck"] if is_bound else []


@contextmanager
def measured(arena: Arena) -> Iterator[Stretch]:
    """Measure what the block costs."""
    stretch = Stretch()
    own, cpu_at, at = OwnCpu(), arena.server.cpu_seconds(), time.monotonic()
    yield stretch
    stretch.seconds = time.monotonic() - at
    stretch.server_cpu_seconds = arena.server.cpu_seconds() - cpu_at
    stretch.generator_share = own.share


@contextmanager
def swarming(arena: Arena) -> Iterator[Swarm]:
    """Have a swarm, on the generator's core, for the length of the block."""
    with on_cores(arena.cores.generator):
        swarm = Swarm(arena.server.port, arena.dialect)
        try:
            yield swarm
        finally:
            swarm.close()


def guests(arena: Arena, count: int, topics_of: Callable[[int], Sequence[Topic]]) -> list[Guest]:
    """Return so many users, each with a good ticket; `topics_of` says what each wants to hear."""
    made = [
        Guest(number=number, ticket=arena.office.ticket(number), topics=topics_of(number))
        for number in range(1, count + 1)
    ]
    if arena.publisher is not None:
        arena.publisher.open_to_anyone(
            *{topic for guest in made for topic in guest.topics},
            *(user_topic(user_id(guest.number)) for guest in made),
        )
    return made


def three_topics(arena: Arena) -> Callable[[int], Sequence[Topic]]:
    """Return what says which topics a user hears: two rooms of 20, and the user's own.

    The gateway lets everybody hear their own topic unasked; elsewhere it is a room like others.
    """

    def topics_of(number: int) -> Sequence[Topic]:
        first, second = _ROOMS_FROM + number // _MEMBERS, 3 * _ROOMS_FROM + number % _ROOMS_FROM
        asked = (room_topic(room_id(first)), room_topic(room_id(second)))
        return asked if arena.publisher is not None else (*asked, user_topic(user_id(number)))

    return topics_of


def rooms(count: int) -> list[Topic]:
    """Return so many rooms."""
    return [room_topic(room_id(number)) for number in range(1, count + 1)]


class Speaker:
    """Puts messages into a room: by Redis if the contender is ours, else by a socket."""

    def __init__(self, arena: Arena, swarm: Swarm) -> None:
        self._arena = arena
        self._swarm = swarm
        self._member: Member | None = None

    def connect(self, guest_number: int) -> None:
        """Open the socket of one who only speaks, unless none is needed."""
        if self._arena.publisher is None:
            guest = Guest(
                number=guest_number, ticket=self._arena.office.ticket(guest_number), topics=()
            )
            self._member = self._swarm.dial(guest, Track())
            self._swarm.gather((), lambda _guest: Track())

    def say(self, topic: Topic, track: Track, message: ChatMessage) -> None:
        """Tell a room something, and note when."""
        track.sent_at.append(time.monotonic())
        if self._arena.publisher is not None:
            self._arena.publisher.publish(topic, message)
        else:
            assert self._member is not None
            self._swarm.say(self._member, self._arena.dialect.say(message, topic))


def violations(*tracks: Track) -> list[str]:
    """Return what went wrong in any of the rooms, as flags."""
    return [told for track in tracks for told in track.violations]
