"""Everybody connected to this worker, seen and reached from above.

Looking at many connections, or telling them something, is done in batches, so that those who are
served meanwhile do not notice.
"""

import heapq
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable

import trio

from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane
from gateway.connections.wire import data_frame
from gateway.limits import OPERATOR_BATCH_CONNECTIONS, OPERATOR_TOP_MAX
from gateway.operators.requests import (
    Broadcast,
    ConnectionPage,
    ConnectionView,
    Filters,
    Top,
    TopicView,
)
from gateway.registry import Registry
from gateway.topics.hub import Hub
from protocol.close_codes import KICKED, REMOVED
from protocol.codec import encode_frame
from protocol.ids import ConnectionId, UserId
from protocol.server_frames import Notice
from protocol.topics import Topic
from protocol.version import SUBPROTOCOLS
from shared.clock import Clock, unix_ms


class Crowd:
    """The connections of this worker."""

    def __init__(self, *, registry: Registry, hub: Hub, clock: Clock) -> None:
        self._registry = registry
        self._hub = hub
        self._clock = clock

    async def page(self, filters: Filters) -> ConnectionPage:
        """Return a page of the connections that fit."""
        fits = _fitting(filters, now=trio.current_time())
        fitting = [
            one
            async for one in _in_batches(self._candidates(filters))
            if fits(one) and (filters.topic is None or self._hears(one, filters.topic))
        ]
        found = heapq.nsmallest(filters.limit + 1, fitting, key=lambda one: one.id)
        shown = found[: filters.limit]
        return ConnectionPage(
            connections=[self._view(one) for one in shown],
            next=shown[-1].id if len(found) > len(shown) else None,
        )

    async def top(self) -> Top:
        """Return the sockets and topics worth a look."""
        now = trio.current_time()
        slow = [
            one
            async for one in _in_batches(self._registry.connections())
            if one.transport.queued_bytes
        ]
        slowest = heapq.nlargest(
            OPERATOR_TOP_MAX,
            slow,
            key=lambda one: (one.transport.waiting_seconds(now), one.transport.queued_bytes),
        )
        return Top(slowest=[self._view(one) for one in slowest], topics=self._busiest(slow))

    def _busiest(self, slow: Iterable[Connection]) -> list[TopicView]:
        waiting: Counter[Topic] = Counter()
        for one in slow:
            for topic in self._hub.heard_by(one):
                waiting[topic] += one.transport.queued_bytes
        views = (
            TopicView(
                topic=one.topic,
                listeners=one.listeners_count,
                offset=one.offset,
                waiting_bytes=waiting[one.topic],
            )
            for one in self._hub.topics()
        )
        return heapq.nlargest(
            OPERATOR_TOP_MAX, views, key=lambda one: (one.waiting_bytes, one.listeners)
        )

    def kick(self, connection_id: ConnectionId, *, reconnect: bool) -> int:
        """Close one connection; return how many that were."""
        found = self._registry.connection(connection_id)
        return _close([] if found is None else [found], reconnect=reconnect)

    def kick_user(self, user: UserId, *, reconnect: bool) -> int:
        """Close every connection of a user; return how many they were."""
        return _close(self._registry.connections_of(user), reconnect=reconnect)

    async def tell(self, message: Broadcast) -> int:
        """Tell a notice to those it is for; return how many connections that were."""
        topic = None if message.topic is None else Topic(message.topic)
        notice = Notice(
            text=message.text, level=message.level, at_ms=unix_ms(self._clock.now()), topic=topic
        )
        frames = {
            name: data_frame(encode_frame(notice, name), name) for name in SUBPROTOCOLS.values()
        }
        told = 0
        async for one in _in_batches(self._audience(message)):
            if one.is_open:
                one.transport.push(frames[one.wire_format], Lane.REPLY)
                told += 1
        return told

    def _audience(self, message: Broadcast) -> Iterable[Connection]:
        if message.user is not None:
            return self._registry.connections_of(UserId(message.user))
        if message.topic is not None:
            return self._hub.listeners(Topic(message.topic))
        return self._registry.connections()

    def _candidates(self, filters: Filters) -> Iterable[Connection]:
        if filters.user is not None:
            return self._registry.connections_of(UserId(filters.user))
        return self._registry.connections()

    def _hears(self, connection: Connection, topic: str) -> bool:
        return Topic(topic) in self._hub.heard_by(connection)

    def _view(self, one: Connection) -> ConnectionView:
        now, transport = trio.current_time(), one.transport
        return ConnectionView(
            id=one.id,
            user=one.user,
            name=one.person.name,
            device=one.device,
            address=transport.peer,
            format=one.wire_format,
            visible=one.visible,
            topics=len(self._hub.heard_by(one)),
            open_seconds=round(now - one.opened_at, 3),
            silent_seconds=round(now - transport.heard_at, 3),
            waiting_bytes=transport.queued_bytes,
            waiting_seconds=round(transport.waiting_seconds(now), 3),
        )


def _fitting(filters: Filters, *, now: float) -> Callable[[Connection], bool]:
    """Return what says whether a connection fits; the cheap questions come first."""

    def fits(one: Connection) -> bool:
        return (
            (filters.after is None or one.id > filters.after)
            and (filters.device is None or one.device == filters.device)
            and (filters.older_than is None or now - one.opened_at > filters.older_than)
            and (
                filters.slower_than is None
                or one.transport.waiting_seconds(now) > filters.slower_than
            )
            and (filters.address is None or one.transport.peer == filters.address)
        )

    return fits


def _close(connections: Iterable[Connection], *, reconnect: bool) -> int:
    open_ones = [one for one in connections if one.closed_with is None]
    for one in open_ones:
        one.close(KICKED if reconnect else REMOVED)
    return len(open_ones)


async def _in_batches(connections: Iterable[Connection]) -> AsyncGenerator[Connection, None]:
    """Yield each, and let others have a turn now and then; some may leave meanwhile."""
    await trio.lowlevel.checkpoint()
    for number, one in enumerate(connections, start=1):
        yield one
        if number % OPERATOR_BATCH_CONNECTIONS == 0:
            await trio.lowlevel.checkpoint()
