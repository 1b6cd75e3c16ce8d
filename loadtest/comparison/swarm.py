"""The load generator: thousands of sockets in one loop over epoll.

It has to be cheaper than any server, so there is no task and no decoding for each delivery: the
first member that hears a frame has it read and checked, and everybody else's bytes are compared
with it. So every delivery to every socket is checked, in order, for about the price of a `recv`.
"""

import select
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Final

from loadtest.comparison.bounds import (
    EVENTS_AT_ONCE,
    HANDSHAKES_AT_ONCE,
    JOIN_SECONDS_MAX,
    RECEIVE_BYTES,
    SAMPLED_EVERY,
    VIOLATIONS_TOLD_MAX,
)
from loadtest.comparison.dialects import Dialect, Guest
from loadtest.comparison.messages import number_of
from loadtest.comparison.servers import LOCALHOST
from loadtest.histogram import Histogram
from loadtest.wire import CLOSE, PING, PONG, TEXT, Upgrade, build_frame, frame_bounds

_ABORT: Final = struct.pack("ii", 1, 0)


class SwarmError(Exception):
    """A server let a socket down: refused it, closed it, or was too slow to take it in."""


class Track:
    """What one room was told: all its members must hear the same frames, in the same order."""

    __slots__ = ("delays", "delivered", "frames", "sent_at", "violations")

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.sent_at: list[float] = []
        self.delivered = 0
        self.delays = Histogram()
        self.violations: list[str] = []

    def violate(self, told: str) -> None:
        """Note something that must not happen."""
        if len(self.violations) < VIOLATIONS_TOLD_MAX:
            self.violations.append(told)


class Member:
    """One socket."""

    __slots__ = (
        "answers",
        "guest",
        "heard",
        "is_sampled",
        "joined_at",
        "rest",
        "socket",
        "stage",
        "started_at",
        "track",
        "upgrade",
    )

    def __init__(self, guest: Guest, track: Track, connected: socket.socket) -> None:
        self.guest = guest
        self.track = track
        self.socket = connected
        self.upgrade: Upgrade | None = Upgrade()
        self.rest = b""
        self.heard = 0
        self.answers = 0
        self.is_sampled = guest.number % SAMPLED_EVERY == 0
        self.started_at = time.monotonic()
        self.joined_at = 0.0
        self.stage: Callable[[Member, bytes], None]


class Swarm:
    """Every socket of one measurement. `step` does whatever can be done."""

    def __init__(self, port: int, dialect: Dialect) -> None:
        self.members: dict[int, Member] = {}
        self.joined_count = 0
        self.lost_count = 0
        self.pongs_count = 0
        self.on_lost: Callable[[Member], None] = _complain
        self.now = time.monotonic()
        self._port = port
        self.dialect = dialect
        self._epoll = select.epoll()

    # Coming and going

    def dial(self, guest: Guest, track: Track) -> Member:
        """Open a socket and ask for the upgrade; what follows happens in `step`."""
        connected = socket.create_connection((LOCALHOST, self._port), timeout=JOIN_SECONDS_MAX)
        connected.settimeout(0)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        member = Member(guest, track, connected)
        member.stage = self._upgrading
        self.members[connected.fileno()] = member
        self._epoll.register(connected, select.EPOLLIN)
        assert member.upgrade is not None
        request = member.upgrade.request(
            host=f"{LOCALHOST}:{self._port}",
            path=self.dialect.path,
            subprotocol=self.dialect.subprotocol,
            origin=None,
        )
        connected.send(request)
        return member

    def gather(
        self,
        guests: Iterable[Guest],
        track_of: Callable[[Guest], Track],
        *,
        at_once: int = HANDSHAKES_AT_ONCE,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Connect everybody and wait until all are in their rooms.

        Raises:
            SwarmError: if that takes too long, or somebody is not let in.
        """
        deadline = time.monotonic() + JOIN_SECONDS_MAX
        for guest in guests:
            while len(self.members) - self.joined_count >= at_once:
                self._wait_or_give_up(deadline, meanwhile)
            self.dial(guest, track_of(guest))
        while self.joined_count < len(self.members):
            self._wait_or_give_up(deadline, meanwhile)

    def _wait_or_give_up(self, deadline: float, meanwhile: Callable[[], None] | None) -> None:
        self.step(0.01)
        if meanwhile is not None:
            meanwhile()
        if time.monotonic() > deadline:
            raise SwarmError(f"only {self.joined_count} of {len(self.members)} sockets were let in")

    def close(self) -> None:
        """Cut every socket."""
        for member in self.members.values():
            member.socket.close()
        self.members.clear()
        self._epoll.close()

    def say(self, member: Member, payload: bytes) -> None:
        """Send one text message."""
        self.send(member, build_frame(TEXT, payload))

    def send(self, member: Member, frame: bytes) -> None:
        """Send a whole frame; waits only for a server that has stopped reading."""
        try:
            sent = member.socket.send(frame)
        except BlockingIOError:
            sent = 0
        if sent < len(frame):
            member.socket.settimeout(JOIN_SECONDS_MAX)
            member.socket.sendall(frame[sent:])
            member.socket.settimeout(0)

    # Hearing

    def step(self, seconds_max: float) -> None:
        """Take what has come, waiting for it at most so long."""
        events = self._epoll.poll(seconds_max, EVENTS_AT_ONCE)
        self.now = time.monotonic()
        members = self.members
        for descriptor, _mask in events:
            member = members[descriptor]
            try:
                chunk = member.socket.recv(RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                chunk = b""
            if chunk:
                member.stage(member, chunk)
            else:
                self._lose(descriptor, member)

    def _lose(self, descriptor: int, member: Member) -> None:
        self.members.pop(descriptor, None)
        self.joined_count -= member.joined_at > 0
        self.lost_count += 1
        self._epoll.unregister(descriptor)
        member.socket.close()
        self.on_lost(member)

    def _upgrading(self, member: Member, chunk: bytes) -> None:
        assert member.upgrade is not None
        member.rest += chunk
        answer = member.upgrade.response(member.rest)
        if answer is None:
            return
        member.upgrade = None
        member.rest = b""
        member.stage = self._live
        for payload in self.dialect.opening(member.guest):
            self.say(member, payload)
        if answer[1]:
            self._live(member, answer[1])

    def _live(self, member: Member, chunk: bytes) -> None:
        data = member.rest + chunk if member.rest else chunk
        track = member.track
        frames = track.frames
        known = len(frames)
        at, first = 0, member.heard
        while at < len(data):
            heard = member.heard
            if heard < known and data.startswith(frames[heard], at):
                at += len(frames[heard])
                member.heard = heard + 1
                continue
            bounds = frame_bounds(data, at)
            if bounds is None:
                break
            self._take(member, data[at] & 0x0F, data[bounds[0] : bounds[1]], data[at : bounds[1]])
            known = len(frames)
            at = bounds[1]
        member.rest = data[at:]
        self._note(member, first)

    def _note(self, member: Member, first: int) -> None:
        track = member.track
        track.delivered += member.heard - first
        if member.is_sampled and track.sent_at:
            for sent_at in track.sent_at[first : member.heard]:
                track.delays.record(self.now - sent_at)

    def _take(self, member: Member, opcode: int, payload: bytes, frame: bytes) -> None:
        """Take a frame that is not the one the track expects next for this member."""
        if opcode == PING:
            self.send(member, build_frame(PONG, payload))
            return
        if opcode == CLOSE:
            raise SwarmError(f"the server closed a socket: {payload!r}")
        number = number_of(payload)
        if number:
            self._take_message(member, number, frame)
        elif member.joined_at:
            self._take_other(member, payload)
        else:
            self._join(member, payload)

    def _join(self, member: Member, payload: bytes) -> None:
        answer = self.dialect.join(member.guest, payload, member.answers)
        member.answers += answer.counts
        for said in answer.say:
            self.say(member, said)
        if answer.joined:
            member.joined_at = time.monotonic()
            self.joined_count += 1

    def _take_message(self, member: Member, number: int, frame: bytes) -> None:
        track = member.track
        if number != member.heard + 1:
            track.violate(f"socket {member.guest.number} heard {number} after {member.heard}")
        if number == len(track.frames) + 1:
            track.frames.append(frame)
        elif number <= len(track.frames) and frame != track.frames[number - 1]:
            track.violate(f"socket {member.guest.number} heard another message {number}")
        member.heard = number

    def _take_other(self, member: Member, payload: bytes) -> None:
        if payload.startswith(b'{"type":"pong"'):
            self.pongs_count += 1
        elif payload.startswith((b'{"type":"error"', b'{"type":"gap"')):
            member.track.violate(f"socket {member.guest.number} was told {payload[:200]!r}")
        else:
            reply = self.dialect.reply(payload)
            if reply is not None:
                self.say(member, reply)


def _complain(member: Member) -> None:
    raise SwarmError(f"the server dropped socket {member.guest.number}")
