"""The bounded queue of frames to one socket: what waits, in what order, what gives way.

An outbox exists only while the kernel takes no more. It never waits and knows no sockets.
"""

from collections import deque
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from gateway.limits import OUTBOX_BYTES_HARD, OUTBOX_BYTES_SOFT


class OutboxFullError(Exception):
    """The client takes its frames too slowly: the hard bound would be exceeded."""


class Lane(IntEnum):
    """What a frame is worth, dearest first. Frames of one lane keep their order.

    An answer that says where a topic continues is DURABLE, so that it keeps its place among the
    events; other answers overtake them.
    """

    CONTROL = 0
    REPLY = 1
    DURABLE = 2
    STATE = 3
    SIGNAL = 4


class Part(NamedTuple):
    """One of several frames that are sent together; see `Waiting`."""

    frame: bytes
    lane: Lane
    key: str = ""


class Waiting(NamedTuple):
    """A frame in the outbox. `key` names the topic it tells of, or begins with it, or is ""."""

    left_at: float
    frame: bytes
    lane: Lane
    key: str


class Outbox:
    """Whole frames wait here until they can be written."""

    __slots__ = ("_keyed", "_lanes", "_shedding", "bytes_count")

    def __init__(self) -> None:
        self._lanes: tuple[deque[Waiting], ...] = (deque(), deque(), deque())
        self._keyed: tuple[dict[str, Waiting], ...] = ({}, {})
        self._shedding = False
        self.bytes_count = 0

    def put(self, frame: bytes, lane: Lane, key: str, *, now: float) -> bool:
        """Leave a frame; say whether it was kept.

        In the lanes STATE and SIGNAL a frame takes the place of the one with the same key. From
        the soft bound down to half of it signals are not kept.

        Raises:
            OutboxFullError: if the hard bound would be exceeded.
        """
        waiting = Waiting(now, frame, lane, key)
        if lane >= Lane.STATE:
            return self._put_keyed(waiting)
        self._make_sure_of_room(frame)
        self._lanes[lane].append(waiting)
        return True

    def _make_sure_of_room(self, frame: bytes) -> None:
        if self.bytes_count + len(frame) > OUTBOX_BYTES_HARD:
            raise OutboxFullError
        self.bytes_count += len(frame)

    def _put_keyed(self, waiting: Waiting) -> bool:
        others = self._keyed[waiting.lane - Lane.STATE]
        replaced = others.pop(waiting.key, None)
        if replaced is not None:
            self.bytes_count -= len(replaced.frame)
        if waiting.lane is Lane.SIGNAL and self._sheds():
            return False
        self._make_sure_of_room(waiting.frame)
        others[waiting.key] = waiting
        return True

    def _sheds(self) -> bool:
        bound = OUTBOX_BYTES_SOFT // 2 if self._shedding else OUTBOX_BYTES_SOFT
        over = self.bytes_count > bound
        if over and not self._shedding:
            self._drop_signals()
        self._shedding = over
        return over

    def _drop_signals(self) -> None:
        signals = self._keyed[Lane.SIGNAL - Lane.STATE]
        self.bytes_count -= sum(len(signal.frame) for signal in signals.values())
        signals.clear()

    def take(self, *, bytes_max: int) -> list[Waiting]:
        """Take the dearest frames: at least one, else as many as fit."""
        taken: list[Waiting] = []
        room = bytes_max
        for lane in self._lanes:
            while lane and (not taken or len(lane[0].frame) <= room):
                taken.append(lane.popleft())
                room -= len(taken[-1].frame)
            if lane:
                break
        else:
            self._take_keyed(taken, room)
        self.bytes_count -= sum(len(waiting.frame) for waiting in taken)
        return taken

    def _take_keyed(self, taken: list[Waiting], room: int) -> None:
        for waiting in self._keyed:
            for key in list(waiting):
                if taken and len(waiting[key].frame) > room:
                    return
                taken.append(waiting.pop(key))
                room -= len(taken[-1].frame)

    def put_back(self, taken: Iterable[Waiting]) -> None:
        """Leave again, before all others, what was taken just now and could not be written."""
        for waiting in reversed(list(taken)):
            self.bytes_count += len(waiting.frame)
            if waiting.lane >= Lane.STATE:
                self._keyed[waiting.lane - Lane.STATE][waiting.key] = waiting
            else:
                self._lanes[waiting.lane].appendleft(waiting)

    def forget(self, topic: str) -> None:
        """Drop every frame that tells of a topic: who waits for it may not hear it any more."""
        for lane in self._lanes:
            kept = [waiting for waiting in lane if waiting.key != topic]
            if len(kept) < len(lane):
                lane.clear()
                lane.extend(kept)
        for others in self._keyed:
            for key in [key for key in others if key.startswith(topic)]:
                del others[key]
        self.bytes_count = sum(
            len(waiting.frame)
            for waitings in (*self._lanes, *(others.values() for others in self._keyed))
            for waiting in waitings
        )

    def oldest_at(self) -> float | None:
        """Return when the oldest frame that may not be dropped was left, or None."""
        return min((lane[0].left_at for lane in self._lanes if lane), default=None)

    def clear(self) -> None:
        """Forget every frame."""
        for lane in self._lanes:
            lane.clear()
        for waiting in self._keyed:
            waiting.clear()
        self.bytes_count = 0

    def __bool__(self) -> bool:
        return self.bytes_count > 0
