"""The bounded queue of frames to one socket: what waits, in what order, what gives way.

An outbox exists only while the kernel takes no more. It never waits and knows no sockets.
"""

from collections import deque
from enum import IntEnum

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


class Outbox:
    """Whole frames wait here until they can be written."""

    __slots__ = ("_keyed", "_lanes", "_shedding", "bytes_count")

    def __init__(self) -> None:
        self._lanes: tuple[deque[tuple[float, bytes]], ...] = (deque(), deque(), deque())
        self._keyed: tuple[dict[str, bytes], ...] = ({}, {})
        self._shedding = False
        self.bytes_count = 0

    def put(self, frame: bytes, lane: Lane, key: str, *, now: float) -> bool:
        """Leave a frame; say whether it was kept.

        In the lanes STATE and SIGNAL a frame takes the place of the one with the same key. From
        the soft bound down to half of it signals are not kept.

        Raises:
            OutboxFullError: if the hard bound would be exceeded.
        """
        if lane >= Lane.STATE:
            return self._put_keyed(frame, lane, key)
        if self.bytes_count + len(frame) > OUTBOX_BYTES_HARD:
            raise OutboxFullError
        self.bytes_count += len(frame)
        self._lanes[lane].append((now, frame))
        return True

    def _put_keyed(self, frame: bytes, lane: Lane, key: str) -> bool:
        waiting = self._keyed[lane - Lane.STATE]
        replaced = waiting.pop(key, b"")
        self.bytes_count -= len(replaced)
        if lane is Lane.SIGNAL and self._sheds():
            return False
        if self.bytes_count + len(frame) > OUTBOX_BYTES_HARD:
            raise OutboxFullError
        waiting[key] = frame
        self.bytes_count += len(frame)
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
        self.bytes_count -= sum(map(len, signals.values()))
        signals.clear()

    def take(self, *, bytes_max: int) -> bytes:
        """Take the dearest frames, joined: at least one, else as many as fit."""
        frames: list[bytes] = []
        room = bytes_max
        for lane in self._lanes:
            while lane and (not frames or len(lane[0][1]) <= room):
                frames.append(lane.popleft()[1])
                room -= len(frames[-1])
            if lane:
                break
        else:
            self._take_keyed(frames, room)
        self.bytes_count -= sum(map(len, frames))
        return b"".join(frames)

    def _take_keyed(self, frames: list[bytes], room: int) -> None:
        for waiting in self._keyed:
            for key in list(waiting):
                if frames and len(waiting[key]) > room:
                    return
                frames.append(waiting.pop(key))
                room -= len(frames[-1])

    def oldest_at(self) -> float | None:
        """Return when the oldest frame that may not be dropped was left, or None."""
        return min((lane[0][0] for lane in self._lanes if lane), default=None)

    def clear(self) -> None:
        """Forget every frame."""
        for lane in self._lanes:
            lane.clear()
        for waiting in self._keyed:
            waiting.clear()
        self.bytes_count = 0

    def __bool__(self) -> bool:
        return self.bytes_count > 0
