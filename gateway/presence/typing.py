"""Who is writing in which room, over all workers; the server owns when it ends.

Nothing is retried: a worker repeats what it says while somebody writes, and what is not repeated
runs out by itself.
"""

from collections.abc import Callable
from typing import Final

import trio

from gateway.presence.directory import for_each_topic
from gateway.presence.messages import WritingUsers, encode_message
from gateway.presence.tracker import PresenceTracker
from gateway.presence.writers import RoomWriters, WriterTopics
from gateway.streams.link import Calls, LinkDownError, LinkReplyError
from protocol.ids import UserId, WorkerId
from protocol.signals import Signal, Typing
from protocol.stream_names import topic_signal_channel
from protocol.topics import Topic
from protocol.views import Person
from shared.logging import get_logger

PRESENT_MAX: Final = 100
"""In a room with more people than this nobody is shown writing: it would flicker all the time."""

TICK_SECONDS: Final = 0.25
PAUSE_SECONDS: Final = 1.0
"""Between two changes of one room that are told."""

REPEAT_SECONDS: Final = 4.0
"""While somebody writes the other workers are told so again: two may be lost within 10 s."""

MESSAGE_SECONDS_MAX: Final = 1.0
"""How long that somebody has stopped waits for the message they have given."""

_NOBODY: Final = Typing(users=[], count=0)
_logger: Final = get_logger("presence")


class _Room:
    """Those who write in one topic, and what was told of it to whom."""

    __slots__ = ("next_flush_at", "own_changed", "told", "told_workers_at", "writers")

    def __init__(self) -> None:
        self.writers = RoomWriters()
        self.own_changed = False
        self.told = _NOBODY
        self.told_workers_at = float("-inf")
        self.next_flush_at = float("-inf")


class TypingBoard:
    """Keeps this worker's writers and hears the others' over the channel presence has open."""

    on_change: Callable[[Topic, Signal], None]
    """Called from `run`, with the whole new state, for topics that are open."""

    def __init__(self, *, worker: WorkerId, link: Calls, presence: PresenceTracker) -> None:
        self.on_change = _ignore
        self._worker = worker
        self._link = link
        self._presence = presence
        self._rooms: dict[Topic, _Room] = {}
        self._topics = WriterTopics()
        self._untold: set[Topic] = set()
        presence.on_writing = self._hear

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the time and tell the other workers, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_time)
            nursery.start_soon(self._keep_telling)
            task_status.started()

    def set(self, topic: Topic, person: Person, *, on: bool) -> None:
        """Note that a user is writing (for 10 s, unless repeated) or has stopped."""
        if not on:
            self.stop(person.id, topic)
        elif not self._is_crowded(topic):
            room = self._rooms.setdefault(topic, _Room())
            if room.writers.start(person, trio.current_time()):
                self._topics.add(person.id, topic)
                room.own_changed = True

    def stop(self, user: UserId, topic: Topic | None) -> None:
        """Note that a user has stopped: in one topic, or (None) in every one."""
        for place in self._topics.of(user) if topic is None else [topic]:
            room = self._rooms.get(place)
            if room is not None and room.writers.stop(user):
                self._topics.discard(user, place)
                room.own_changed = True

    def finish(self, user: UserId, topic: Topic) -> None:
        """Note that a user gave what they wrote: it is told with their message, if that comes soon.

        Telling both at once is one write to each socket instead of two.
        """
        room = self._rooms.get(topic)
        if room is not None and room.writers.stop(user):
            self._topics.discard(user, topic)
            room.own_changed = True
            told_by = trio.current_time() + MESSAGE_SECONDS_MAX
            room.next_flush_at = max(room.next_flush_at, told_by)

    def is_anybody_writing(self, topic: Topic) -> bool:
        """Say whether somebody may be shown as writing."""
        return topic in self._rooms

    def end_by_message(self, topic: Topic, user: UserId) -> Typing | None:
        """Note that a user's message is there: they write no more, on whichever worker.

        Return what those who hear the topic are to be told with it; None if they know it.
        """
        room = self._rooms.get(topic)
        if room is None:
            return None
        if room.writers.stop(user):
            self._topics.discard(user, topic)
            room.own_changed = True
        room.writers.forget(user)
        view = self.current(topic)
        if view == room.told or not self._presence.is_open(topic):
            return None
        room.told = view
        room.next_flush_at = trio.current_time() + PAUSE_SECONDS
        return view

    def current(self, topic: Topic) -> Typing:
        """Return who is writing now, as a new subscriber is to be told."""
        room = self._rooms.get(topic)
        if room is None or self._is_crowded(topic):
            return _NOBODY
        return room.writers.everybody()

    def _is_crowded(self, topic: Topic) -> bool:
        return self._presence.current(topic).count > PRESENT_MAX

    def _hear(self, topic: Topic, message: WritingUsers) -> None:
        room = self._rooms.setdefault(topic, _Room())
        room.writers.hear(message, trio.current_time())

    # Time: never waits for Redis.

    async def _keep_time(self) -> None:
        while True:
            await trio.sleep(TICK_SECONDS)
            now = trio.current_time()
            for topic, room in list(self._rooms.items()):
                self._expire(topic, room, now)
                if room.next_flush_at <= now:
                    self._flush(topic, room, now)

    def _expire(self, topic: Topic, room: _Room, now: float) -> None:
        gone = room.writers.expire(now, everybody=self._is_crowded(topic))
        for user in gone:
            self._topics.discard(user, topic)
            room.own_changed = True

    def _flush(self, topic: Topic, room: _Room, now: float) -> None:
        view = self.current(topic)
        if view != room.told:
            room.told = view
            room.next_flush_at = now + PAUSE_SECONDS
            if self._presence.is_open(topic):
                self._tell_hub(topic, view)
        is_old = now - room.told_workers_at >= REPEAT_SECONDS
        if room.own_changed or (room.writers.has_own and is_old):
            room.own_changed = False
            room.told_workers_at = now
            room.next_flush_at = now + PAUSE_SECONDS
            self._untold.add(topic)
        elif room.writers.is_empty:
            del self._rooms[topic]

    def _tell_hub(self, topic: Topic, view: Typing) -> None:
        try:
            self.on_change(topic, view)
        except Exception:  # the listener's mistake must not end typing for everyone
            _logger.exception("typing.listener_failed", topic=topic)

    # The other workers.

    async def _keep_telling(self) -> None:
        while True:
            await trio.sleep(TICK_SECONDS)
            untold, self._untold = self._untold, set()
            if self._link.is_up:
                await for_each_topic(self._tell_workers, untold)

    async def _tell_workers(self, topic: Topic) -> None:
        room = self._rooms.get(topic)
        writers = RoomWriters() if room is None else room.writers
        own = writers.own(self._worker, trio.current_time())
        try:
            word, channel = self._link.publish_word, topic_signal_channel(topic)
            await self._link.call(word, channel, encode_message(own))
        except (LinkDownError, LinkReplyError):
            return


def _ignore(_topic: Topic, _news: object) -> None:
    """Stand in until somebody listens."""
