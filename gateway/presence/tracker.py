"""The process behind presence: keeps this worker's list, hears the others', tells the hub.

Three tasks: one keeps the time and tells the hub, and never waits for Redis; one brings to Redis
what it should know and fetches what we should; one keeps the heartbeat. What cannot be done now
stays in a set and is done when Redis is back.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import trio

from gateway.presence import directory
from gateway.presence.directory import (
    CALL_SECONDS_MAX,
    WORKER_SILENCE_SECONDS_MAX,
    Heartbeat,
    for_each_topic,
)
from gateway.presence.messages import PresentUsers, WritingUsers, decode_message
from gateway.presence.room import Room
from gateway.presence.state import LocalUsers, is_person, timing_of
from gateway.streams.channels import Subscriptions
from gateway.streams.link import Calls, LinkDownError, LinkReplyError
from protocol.ids import ConnectionId, UserId, WorkerId
from protocol.signals import PRESENCE_USERS_MAX, Presence, Signal
from protocol.stream_names import topic_signal_channel
from protocol.topics import Topic
from protocol.views import Person
from shared.logging import get_logger

TICK_SECONDS: Final = 0.25
HEARTBEAT_SECONDS: Final = 3.0
OPEN_SECONDS_MAX: Final = 1.0
_logger: Final = get_logger("presence")


class PresenceStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Whom this worker has, and what it keeps of them."""

    people_count: int
    rooms_count: int
    kept_count: int


class PresenceTracker:
    """Knows who is in which room, over all workers. Told at once; publishes by itself."""

    on_change: Callable[[Topic, Signal], None]
    """Called from `run`, with the whole new state, for topics that are open."""

    on_writing: Callable[[Topic, WritingUsers], None]
    """Called when another worker tells who is writing; the typing board sets it."""

    def __init__(self, *, worker: WorkerId, link: Calls, channels: Subscriptions) -> None:
        self.on_change = _ignore
        self.on_writing = _ignore
        self._worker = worker
        self._link = link
        self._channels = channels
        self._users = LocalUsers()
        self._rooms: dict[Topic, Room] = {}
        self._dirty: set[Topic] = set()  # to be looked at when their pause is over
        self._untold: set[Topic] = set()  # whose own list Redis does not have yet
        self._unheard: set[Topic] = set()  # open, but not attached
        self._unread: set[Topic] = set()  # open and attached, but others' lists may be old
        self._unswept: dict[Topic, set[WorkerId]] = {}  # whose dead workers' lists are stored
        self._version = 0
        self._is_announced = False
        self._steady_since = float("inf")
        self._channel_connects_count = 0

    def statistics(self) -> PresenceStatistics:
        """Count what there is: all of it returns to zero when everybody has gone."""
        return PresenceStatistics(
            people_count=self._users.people_count,
            rooms_count=sum(not is_person(topic) for topic in self._users.topics()),
            kept_count=len(self._rooms),
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the time, the heartbeat and the lists, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_time)
            nursery.start_soon(self._keep_in_touch)
            nursery.start_soon(self._keep_heartbeat)
            task_status.started()

    def enter(
        self, topic: Topic, person: Person, *, connection: ConnectionId, visible: bool
    ) -> None:
        """Note that a connection of `person` hears the topic now. Twice is once."""
        self._users.enter(topic, person, connection=connection, visible=visible)
        self._note_own_changes()

    def leave(self, topic: Topic, user: UserId, *, connection: ConnectionId, closing: bool) -> None:
        """Note that a connection hears the topic no more.

        With `closing` its socket went away, and the user stays for a grace of 15 s; without, the
        user unsubscribed and is gone at once unless another connection is left.
        """
        now = trio.current_time()
        self._users.leave(topic, user, connection=connection, closing=closing, now=now)
        self._note_own_changes()

    def set_visible(self, user: UserId, *, connection: ConnectionId, visible: bool) -> None:
        """Note whether a connection's page can be seen, in every topic it has entered."""
        self._users.set_visible(user, connection=connection, visible=visible)
        self._note_own_changes()

    async def open(self, topic: Topic) -> None:
        """Hear what other workers say of the topic; returns within a second, come what may.

        If Redis cannot be reached now, this is made up for as soon as it can.
        """
        self._room(topic).is_open = True
        self._unheard.add(topic)
        with trio.move_on_after(OPEN_SECONDS_MAX):
            await self._hear(topic)

    async def close(self, topic: Topic) -> None:
        """Stop hearing what other workers say of the topic. Never fails."""
        room = self._rooms.get(topic)
        if room is not None:
            room.close()
            self._dirty.add(topic)
        self._unheard.discard(topic)
        self._unread.discard(topic)
        self._unswept.pop(topic, None)
        await self._channels.detach(topic_signal_channel(topic))

    def current(self, topic: Topic) -> Presence:
        """Return who is here now, as a new subscriber is to be told.

        A crowd is not counted anew for each: then this may be as old as `room.CROWD_PAUSE_SECONDS`.
        """
        room = self._rooms.get(topic)
        if room is None:
            return Presence(count=0, users=[])
        if room.is_stale and room.view.count <= PRESENCE_USERS_MAX:
            room.refresh(self._own_list(topic))
        return room.view

    def is_open(self, topic: Topic) -> bool:
        """Say whether the topic has subscribers here."""
        room = self._rooms.get(topic)
        return room is not None and room.is_open

    # Time: never waits for Redis.

    async def _keep_time(self) -> None:
        while True:
            await trio.sleep(TICK_SECONDS)
            now = trio.current_time()
            self._users.end_graces(now)
            self._note_own_changes()
            for topic in [topic for topic in self._dirty if self._is_due(topic, now)]:
                self._dirty.discard(topic)
                self._flush(topic, self._room(topic), now)

    def _is_due(self, topic: Topic, now: float) -> bool:
        return self._room(topic).is_due(now, own_count=self._users.count(topic))

    def _flush(self, topic: Topic, room: Room, now: float) -> None:
        """Tell the hub and, soon, the other workers what has become of a room."""
        own = self._own_list(topic)
        if room.has_own_news(own):
            self._untold.add(topic)
        room.refresh(own)
        room.pause(now)
        if room.has_news():
            self._tell_hub(topic, room.view)
        if not (room.is_open or own.count or topic in self._untold):
            del self._rooms[topic]

    def _tell_hub(self, topic: Topic, view: Presence) -> None:
        try:
            self.on_change(topic, view)
        except Exception:  # the listener's mistake must not end presence for everyone
            _logger.exception("presence.listener_failed", topic=topic)

    def _note_own_changes(self) -> None:
        while self._users.changed:
            self._note_change(self._users.changed.pop())

    def _note_change(self, topic: Topic) -> None:
        self._room(topic).is_stale = True
        self._dirty.add(topic)

    def _room(self, topic: Topic) -> Room:
        room = self._rooms.get(topic)
        if room is None:
            room = Room(list_seconds_max=timing_of(topic).list_seconds_max)
            self._rooms[topic] = room
        return room

    def _own_list(self, topic: Topic) -> PresentUsers:
        return PresentUsers(
            worker=self._worker,
            version=self._version,
            users=self._users.users(topic, trio.current_time()),
            count=self._users.count(topic),
        )

    # What other workers say.

    def _receive(self, topic: Topic, payload: bytes) -> None:
        try:
            message = decode_message(payload)
        except msgspec.DecodeError:
            _logger.warning("presence.message_not_understood", topic=topic)
            return
        room = self._rooms.get(topic)
        if message.worker == self._worker or room is None or not room.is_open:
            return
        match message:
            case PresentUsers():
                if room.others.hear(message, trio.current_time()):
                    self._note_change(topic)
            case WritingUsers():
                self.on_writing(topic, message)

    async def _hear(self, topic: Topic) -> None:
        """Attach to what the others say, then read what they said before."""
        receiver = partial(self._receive, topic)
        try:
            await self._channels.attach(topic_signal_channel(topic), receiver)
        except (LinkDownError, LinkReplyError):
            return
        if not self.is_open(topic):
            await self._channels.detach(topic_signal_channel(topic))
            return
        self._unheard.discard(topic)
        self._unread.add(topic)
        await self._read(topic)

    async def _read(self, topic: Topic) -> None:
        asked_at = trio.current_time()
        try:
            lists = await directory.read_present(self._link, topic)
        except (LinkDownError, LinkReplyError):
            return
        self._unread.discard(topic)
        lists.pop(self._worker, None)
        room = self._rooms.get(topic)
        if room is None or not room.is_open:
            return
        if room.others.load(lists, asked_at=asked_at, now=trio.current_time()):
            self._note_change(topic)

    # What Redis should know, and what we should fetch.

    async def _keep_in_touch(self) -> None:
        while True:
            await trio.sleep(TICK_SECONDS)
            self._note_reconnect()
            if not self._link.is_up:
                continue
            if self._channels.is_up:
                await for_each_topic(self._hear, self._unheard)
            await for_each_topic(self._read, self._unread)
            await for_each_topic(self._sweep_stored, self._unswept)
            if self._is_announced:
                await for_each_topic(self._tell_workers, self._untold)

    def _note_reconnect(self) -> None:
        """Read again what others may have said meanwhile, and tell again what Redis may lack."""
        connects_count = self._channels.connects_count
        if self._channels.is_up and connects_count != self._channel_connects_count:
            self._channel_connects_count = connects_count
            self._unread.update(self._open_topics() - self._unheard)
            self._untold.update(self._users.topics())

    def _open_topics(self) -> set[Topic]:
        return {topic for topic, room in self._rooms.items() if room.is_open}

    async def _tell_workers(self, topic: Topic) -> None:
        """Store and publish this worker's list; it stays in `_untold` until that worked."""
        self._version += 1
        self._untold.discard(topic)
        own = self._own_list(topic)
        told = False
        try:
            stored_seconds = timing_of(topic).stored_seconds
            await directory.tell_present(self._link, topic, own, stored_seconds=stored_seconds)
            told = True
        except (LinkDownError, LinkReplyError):
            return
        finally:
            if not told:
                self._untold.add(topic)
        if topic in self._rooms:
            self._rooms[topic].told_workers_at = trio.current_time()
        if own.count == 0:
            self._dirty.add(topic)  # to be forgotten, if nobody came meanwhile

    async def _sweep_stored(self, topic: Topic) -> None:
        try:
            await directory.sweep(self._link, topic, self._unswept[topic])
        except (LinkDownError, LinkReplyError):
            return
        self._unswept.pop(topic, None)

    # Heartbeat.

    async def _keep_heartbeat(self) -> None:
        while True:
            asked_at = trio.current_time()
            heartbeat: Heartbeat | None = None
            with trio.move_on_after(CALL_SECONDS_MAX):
                heartbeat = await self._beat()
            if heartbeat is None:
                self._steady_since = float("inf")
            else:
                self._note_heartbeat(heartbeat, asked_at)
                if asked_at - self._steady_since >= WORKER_SILENCE_SECONDS_MAX:
                    self._sweep(heartbeat.living, asked_at)
            await trio.sleep_until(asked_at + HEARTBEAT_SECONDS)

    async def _beat(self) -> Heartbeat | None:
        try:
            return await directory.beat(self._link, self._worker)
        except (LinkDownError, LinkReplyError):
            return None

    def _note_heartbeat(self, heartbeat: Heartbeat, asked_at: float) -> None:
        """Judge others only after a stretch of steady heartbeats.

        After an outage, or if Redis forgot us, the others' heartbeats are as old as ours were.
        """
        self._is_announced = True
        if heartbeat.was_missing:
            self._steady_since = asked_at
            self._untold.update(self._users.topics())
            self._unread.update(self._open_topics() - self._unheard)
        self._steady_since = min(self._steady_since, asked_at)
        for topic in self._users.topics():
            told_at = self._room(topic).told_workers_at
            if asked_at - told_at >= timing_of(topic).refresh_seconds:
                self._untold.add(topic)

    def _sweep(self, living: frozenset[WorkerId], asked_at: float) -> None:
        """Forget workers that are dead, and lists that nobody refreshes any more.

        Who spoke after we asked who lives is spared: it may have come to life since.
        """
        swept: set[WorkerId] = set()
        for topic in self._open_topics():
            others = self._room(topic).others
            dead = others.silent_since(asked_at) - living
            old_at = asked_at - timing_of(topic).list_seconds_max
            if others.forget(dead | others.silent_since(old_at)):
                self._note_change(topic)
            if dead:
                self._unswept[topic] = dead
                swept |= dead
        if swept:
            _logger.info("presence.workers_swept", workers=sorted(swept))


def _ignore(_topic: Topic, _news: object) -> None:
    """Stand in until somebody listens."""
