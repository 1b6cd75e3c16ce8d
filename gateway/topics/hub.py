"""The topics of this worker: opened with the first listener, audited, closed after the last."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec
import trio

from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane
from gateway.limits import (
    AUDIT_RETRY_SECONDS,
    AUDITS_AT_ONCE,
    FEED_IDLE_SECONDS,
    OUTBOX_BYTES_HARD,
    REDIS_SECONDS_MAX,
)
from gateway.streams.channels import Subscriptions
from gateway.streams.link import Calls, LinkDownError, LinkReplyError
from gateway.streams.topic_log import head, read_after
from gateway.topics.feed import Feed, Watcher
from gateway.topics.kinds import is_granted, is_room
from gateway.topics.notices import Notices
from gateway.topics.review import RightsReview
from gateway.topics.subscription import Subscription
from gateway.topics.turn import AuditTurn
from protocol.ids import UserId
from protocol.server_frames import SignalFrame
from protocol.signals import AnySignal, Presence, Signal
from protocol.stream_names import TOPIC_LOG_ENTRIES_MAX, topic_live_channel
from protocol.topics import Topic
from shared.clock import Clock

_AUDIT_BYTES_MAX: Final = OUTBOX_BYTES_HARD // 2
_SWEEP_SECONDS: Final = 1.0


class Rooms(Protocol):
    """What must be heard of a room besides its events: who is here, who is writing."""

    async def open(self, topic: Topic) -> None:
        """Begin to hear it; see `PresenceTracker.open`."""
        ...

    async def close(self, topic: Topic) -> None:
        """Stop hearing it; see `PresenceTracker.close`."""
        ...


class HubStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub holds now."""

    feeds_count: int
    rooms_count: int
    subscriptions_count: int
    audits_waiting_count: int


class TopicStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One topic, as this worker hears it; `offset` is that of the newest event told."""

    topic: Topic
    listeners_count: int
    offset: int


class Hub:
    """Knows every topic somebody here listens to."""

    def __init__(self, *, link: Calls, channels: Subscriptions, rooms: Rooms, clock: Clock) -> None:
        self.notices = Notices(clock=clock)
        self._link = link
        self._channels = channels
        self._rooms = rooms
        self._feeds: dict[Topic, Feed] = {}
        self._heard: dict[Connection, dict[Topic, Subscription]] = {}
        self._moving: dict[Topic, trio.Event] = {}
        self._doubtful: dict[Topic, None] = {}
        self._unwritten: list[Feed] = []
        self._writes_together = False
        self._turn = AuditTurn()
        self._woken = trio.Event()
        self._review = RightsReview(
            link=link,
            listeners=self.listeners,
            on_lost=self._note_lost,
            on_muted=self._note_muted,
        )

    def statistics(self) -> HubStatistics:
        """Count what there is."""
        return HubStatistics(
            feeds_count=len(self._feeds),
            rooms_count=sum(map(is_room, self._feeds)),
            subscriptions_count=sum(map(len, self._heard.values())),
            audits_waiting_count=len(self._doubtful),
        )

    def topics(self) -> list[TopicStatistics]:
        """List the topics heard here."""
        return [
            TopicStatistics(
                topic=topic, listeners_count=feed.subscribers_count, offset=feed.position.offset
            )
            for topic, feed in self._feeds.items()
        ]

    def listeners(self, topic: Topic) -> list[Connection]:
        """List who hears a topic."""
        feed = self._feeds.get(topic)
        return [] if feed is None else list(feed.listeners())

    # Listening

    def heard_by(self, connection: Connection) -> dict[Topic, Subscription]:
        """Return what a connection listens to. Not to be changed."""
        return self._heard.get(connection, {})

    async def join(self, connection: Connection, topic: Topic) -> Subscription | None:
        """Let a connection listen, held until `release`. The right to is the caller's to check.

        Canceled or failed, it does not listen; nor if it has gone meanwhile, which is None.

        Raises:
            LinkDownError: if the topic is not open here yet, and Redis cannot be reached.
            LinkReplyError: if Redis refused.
        """
        feed = await self._open(topic)
        if connection.has_left:
            return None
        subscription = feed.join(connection)
        self._heard.setdefault(connection, {})[topic] = subscription
        return subscription

    def release(self, subscription: Subscription) -> None:
        """Tell a held listener what was kept for it, and let it hear what is new."""
        feed = self._feed_of(subscription)
        if feed is not None:
            feed.release(subscription)

    def leave(self, connection: Connection, topic: Topic) -> None:
        """End one subscription, at once."""
        heard = self._heard.get(connection)
        if heard is None or heard.pop(topic, None) is None:
            return
        if not heard:
            del self._heard[connection]
        self._feeds[topic].leave(connection)

    def leave_all(self, connection: Connection) -> None:
        """End every subscription of a connection, at once."""
        for topic in self._heard.pop(connection, {}):
            self._feeds[topic].leave(connection)

    async def hold(self, topic: Topic, watcher: Watcher) -> None:
        """Hear a topic for `watcher`, until `let_go`; raises what `join` does."""
        (await self._open(topic)).watcher = watcher

    def let_go(self, topic: Topic, watcher: Watcher) -> None:
        """Stop hearing a topic for `watcher`."""
        feed = self._feeds.get(topic)
        if feed is not None and feed.watcher is watcher:
            feed.watcher = None
            feed.idle_since = trio.current_time()

    def suspend(self, connection: Connection, topic: Topic) -> Subscription | None:
        """Hold a listener whose right is in doubt; return the subscription if there is one.

        One that is being told the past is held already: whoever tells it asks again.
        """
        subscription = self.heard_by(connection).get(topic)
        if subscription is not None:
            subscription.is_doubted = True
            self._feeds[topic].suspend(subscription)
        return subscription

    def is_suspended(self, subscription: Subscription) -> bool:
        """Say whether a listener is held only because its right is in doubt."""
        feed = self._feed_of(subscription)
        return feed is not None and feed.is_suspended(subscription)

    def is_current(self, subscription: Subscription) -> bool:
        """Say whether the subscription has not ended."""
        return self.heard_by(subscription.connection).get(subscription.topic) is subscription

    def _feed_of(self, subscription: Subscription) -> Feed | None:
        return self._feeds.get(subscription.topic) if self.is_current(subscription) else None

    def tell_signal(self, topic: Topic, signal: Signal) -> None:
        """Give a topic's listeners its newest ephemeral state."""
        feed = self._feeds.get(topic)
        if feed is not None and isinstance(signal, AnySignal):
            lane = Lane.STATE if isinstance(signal, Presence) else Lane.SIGNAL
            feed.fan_out(SignalFrame(topic=topic, body=signal), lane, key=topic)

    # Opening and closing

    async def _open(self, topic: Topic) -> Feed:
        while True:
            moving = self._moving.get(topic)
            if moving is not None:
                await moving.wait()
            elif topic in self._feeds:
                return self._feeds[topic]
            else:
                return await self._attach_alone(topic)

    async def _attach_alone(self, topic: Topic) -> Feed:
        """One task at a time opens or closes a topic."""
        moving = self._moving[topic] = trio.Event()
        try:
            return await self._attach(topic)
        finally:
            del self._moving[topic]
            moving.set()

    async def _attach(self, topic: Topic) -> Feed:
        """Attach first, then ask where the log ends: nothing falls between the two."""
        feed = Feed(
            topic,
            on_audit=self._doubt,
            on_event=self.notices.note,
            on_gap=self._note_gap,
            on_notice=self.notices.take,
            on_unwritten=self._unwritten.append if self._writes_together else None,
        )
        channel = topic_live_channel(topic)
        await self._channels.attach(channel, feed.receive)
        try:
            at = await head(self._link, topic)
            self._feeds[topic] = feed
            feed.begin(at)
            if is_room(topic):
                await self._rooms.open(topic)
        except BaseException:
            self._feeds.pop(topic, None)
            with trio.CancelScope(shield=True):  # detaching never waits
                await self._channels.detach(channel)
            raise
        return feed

    async def _sweep_forever(self) -> None:
        while True:
            await trio.sleep(_SWEEP_SECONDS)
            now = trio.current_time()
            for topic in self._turn.take(self._feeds, now=now, passed_seconds=_SWEEP_SECONDS):
                self._doubtful[topic] = None
                self._woken.set()
            bound = trio.current_time() - FEED_IDLE_SECONDS
            for feed in list(self._feeds.values()):
                if feed.rewound_to is not None:
                    self._doubt(feed)
                if not feed.is_needed and feed.idle_since < bound:
                    await self._close(feed)

    async def _close(self, feed: Feed) -> None:
        topic = feed.topic
        if topic in self._moving or feed.is_needed:
            return
        del self._feeds[topic]
        moving = self._moving[topic] = trio.Event()
        try:
            await self._channels.detach(topic_live_channel(topic))
            if is_room(topic):
                await self._rooms.close(topic)
        finally:
            del self._moving[topic]
            moving.set()

    # Auditing

    def audit_all(self) -> None:
        """Check every topic against its log, and every right: messages may have been missed."""
        for topic, feed in self._feeds.items():
            if is_granted(topic):
                feed.departures_count += 1
                self._review.want(topic)
        self._doubtful.update(dict.fromkeys(self._feeds))
        self._woken.set()

    def _doubt(self, feed: Feed) -> None:
        self._doubtful[feed.topic] = None
        self._woken.set()

    async def _audit_forever(self) -> None:
        while True:
            await self._woken.wait()
            self._woken = trio.Event()
            batch = [self._doubtful.popitem()[0] for _ in range(self._batch_size())]
            async with trio.open_nursery() as nursery:
                for topic in batch:
                    nursery.start_soon(self._audit, topic)
            if self._doubtful:
                self._woken.set()

    def _batch_size(self) -> int:
        return min(AUDITS_AT_ONCE, len(self._doubtful))

    async def _audit(self, topic: Topic) -> None:
        feed = self._feeds.get(topic)
        if feed is None:
            return
        asked_at = feed.position.offset
        after = asked_at if feed.rewound_to is None else feed.rewound_to
        try:
            with trio.fail_after(REDIS_SECONDS_MAX):
                replay = await read_after(
                    self._link,
                    topic,
                    after,
                    entries_max=TOPIC_LOG_ENTRIES_MAX,
                    bytes_max=_AUDIT_BYTES_MAX,
                )
        except (LinkDownError, LinkReplyError, trio.TooSlowError):
            self._doubt(feed)
            await trio.sleep(AUDIT_RETRY_SECONDS)
            return
        if self._feeds.get(topic) is feed:
            feed.reconcile(replay, asked_at=asked_at)

    # Events the gateway itself must hear

    def write_together(self) -> Callable[[], None]:
        """Have feeds opened from now on write only when the function returned is called.

        It must be, as soon as everything that has arrived was received.
        """
        self._writes_together = True
        return self._write

    def _write(self) -> None:
        """Write every feed; who hears a small one may hear others too, and gets all at once."""
        several = len(self._unwritten) > 1
        small = [feed for feed in self._unwritten if several and feed.is_small]
        gathering = [one.transport for feed in small for one in feed.listeners()]
        for transport in gathering:
            transport.gather()
        try:
            for feed in self._unwritten:
                feed.write()
        finally:
            for transport in gathering:
                transport.send_gathered()
            self._unwritten.clear()

    def _note_gap(self, feed: Feed) -> None:
        if is_granted(feed.topic):
            self._review.want(feed.topic)

    def _note_lost(self, topic: Topic, user: UserId) -> None:
        self.notices.on_member_left(topic, user)

    def _note_muted(self, topic: Topic, user: UserId, until_ms: int) -> None:
        self.notices.on_muted(topic, user, until_ms)

    def departures(self, topic: Topic) -> int | None:
        """Count the times the right to a topic may have been lost; None if it is not heard here.

        The same number before and after means that nothing was missed in between.
        """
        feed = self._feeds.get(topic)
        return None if feed is None else feed.departures_count

    async def run(self) -> None:
        """Audit, review and close topics, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._review.run)
            nursery.start_soon(self._audit_forever)
            nursery.start_soon(self._sweep_forever)
