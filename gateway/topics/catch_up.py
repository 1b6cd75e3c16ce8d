"""Tell a listener what it missed: read the log, merge by offset, replay, then let it go live."""

import math
from collections.abc import Callable
from typing import Literal

import msgspec
import trio
from prometheus_client import Counter

from gateway.connections.outbox import Lane
from gateway.limits import (
    AUDIT_RETRY_SECONDS,
    CATCH_UP_OUTAGE_SECONDS_MAX,
    REDIS_SECONDS_MAX,
    REPLAY_BYTES_MAX,
    REPLAY_EVENTS_MAX,
    RIGHT_SECONDS_MAX,
)
from gateway.streams.access import AccessUnknownError, right_of
from gateway.streams.link import Calls, LinkDownError, LinkReplyError
from gateway.streams.topic_log import Replay, read_after
from gateway.topics.hub import Hub
from gateway.topics.prepared import MalformedEventError, PreparedEvent
from gateway.topics.subscription import Subscription
from protocol.codec import decode_event
from protocol.events import SessionRevoked
from protocol.server_frames import GapReason, Unsubscribed
from protocol.topics import Position

_outcomes = Counter(
    "rialto_gateway_resumes_total",
    "Subscriptions from a position, by what followed: replayed, or the reason of the gap.",
    ["outcome"],
)


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """A held listener, and where its client stands."""

    subscription: Subscription
    position: Position


class _Patience:
    """How much longer one connection waits for a Redis that is away: once, not for each topic."""

    __slots__ = ("_deadline",)

    def __init__(self) -> None:
        self._deadline = math.inf

    @property
    def deadline(self) -> float:
        """When waiting ends; the clock begins with the first failure."""
        if self._deadline == math.inf:
            self._deadline = trio.current_time() + CATCH_UP_OUTAGE_SECONDS_MAX
        return self._deadline

    def restore(self) -> None:
        """Redis has answered."""
        self._deadline = math.inf


class CatchUp:
    """Brings held listeners to where they are live."""

    def __init__(self, *, link: Calls, hub: Hub) -> None:
        self.on_ended: Callable[[Subscription], None] = lambda _subscription: None
        self._link = link
        self._hub = hub

    def begin(self, missed: list[Missed]) -> None:
        """Bring one connection's listeners up to date, those that missed nothing at once.

        The others are told by a task of the connection, one topic after the other, each when the
        client has taken most of what was sent before.
        """
        waiting = [one for one in missed if not self._settled_at_once(one)]
        if waiting:
            connection = waiting[0].subscription.connection
            connection.start_soon(self._tell_all, waiting)

    def _settled_at_once(self, one: Missed) -> bool:
        subscription = one.subscription
        if one.position != subscription.start or subscription.gap is not None:
            return False
        if subscription.is_doubted:
            return False
        self._finish(subscription, "replayed", count=0)
        return True

    async def _tell_all(self, waiting: list[Missed]) -> None:
        patience = _Patience()
        for one in waiting:
            await one.subscription.connection.transport.wait_quiet()
            if self._hub.is_current(one.subscription):
                await self._tell(one, patience)

    async def _tell(self, one: Missed, patience: _Patience) -> None:
        replay = await self._read(one, patience)
        if not await self._has_right_still(one.subscription):
            self.on_ended(one.subscription)
            end_subscription(self._hub, one.subscription)
        elif self._hub.is_current(one.subscription):
            self._merge(one, replay)

    async def _read(self, one: Missed, patience: _Patience) -> Replay | None:
        """Read the log, again when Redis is back if it is away; None if that takes too long.

        Canceled, nothing is lost: the listener stays held, and goes with its connection.
        """
        replay = await self._try_read(one)
        if replay is None:
            with trio.CancelScope(deadline=patience.deadline):
                replay = await self._read_later(one)
        if replay is not None:
            patience.restore()
        return replay

    async def _read_later(self, one: Missed) -> Replay | None:
        subscription, replay = one.subscription, None
        while replay is None and subscription.gap is None and self._hub.is_current(subscription):
            await trio.sleep(AUDIT_RETRY_SECONDS)
            await self._link.wait_up()
            replay = await self._try_read(one)
        return replay

    async def _try_read(self, one: Missed) -> Replay | None:
        try:
            with trio.fail_after(REDIS_SECONDS_MAX):
                return await read_after(
                    self._link,
                    one.subscription.topic,
                    one.position.offset,
                    entries_max=REPLAY_EVENTS_MAX,
                    bytes_max=REPLAY_BYTES_MAX,
                )
        except (LinkDownError, LinkReplyError, trio.TooSlowError):
            return None

    async def _has_right_still(self, subscription: Subscription) -> bool:
        """Ask again if an event said meanwhile that the right may be lost."""
        while subscription.is_doubted:
            subscription.is_doubted = False
            if not await may_hear(self._link, subscription):
                return False
        return True

    def _merge(self, one: Missed, replay: Replay | None) -> None:
        subscription = one.subscription
        reason = subscription.gap or _why_not(one, replay)
        try:
            events = [] if reason or replay is None else _prepare(subscription, replay)
        except MalformedEventError:
            reason, events = "lost", []
        if reason is not None:
            subscription.gap = reason
            self._finish(subscription, reason, count=0)
            return
        subscription.after = one.position.offset
        for event in events:
            subscription.tell(event)
        self._finish(subscription, "replayed", count=len(events))
        self._note_revocations(subscription, events)

    def _finish(
        self, subscription: Subscription, outcome: GapReason | Literal["replayed"], *, count: int
    ) -> None:
        _outcomes.labels(outcome=outcome).inc()
        if outcome == "replayed":
            subscription.tell_replayed(count=count)
        self._hub.release(subscription)

    def _note_revocations(self, subscription: Subscription, events: list[PreparedEvent]) -> None:
        """Close a client that shows a ticket from before its sign-in was ended."""
        for event in events:
            if event.kind() != "session_revoked":
                continue
            told = decode_event(event.body)
            claims = subscription.connection.claims
            is_older = (claims.iat + 1) * 1000 <= event.at_ms
            if isinstance(told, SessionRevoked) and told.session in {None, claims.sid} and is_older:
                self._hub.notices.on_revoked(claims.sub, claims.sid)


def _why_not(one: Missed, replay: Replay | None) -> GapReason | None:
    """Return why the log cannot give what was missed, or None if it can."""
    if replay is None:
        return "lost"
    if replay.head.epoch != one.position.epoch or one.subscription.start.epoch != replay.head.epoch:
        return "epoch"
    if replay.head.offset < max(one.position.offset, one.subscription.start.offset):
        return "lost"
    return None if replay.complete else replay.reason or "lost"


def _prepare(subscription: Subscription, replay: Replay) -> list[PreparedEvent]:
    """Make every frame before the first is sent, so that one that cannot be made stops all."""
    events = [
        PreparedEvent(subscription.topic, found.offset, found.entry) for found in replay.entries
    ]
    for event in events:
        event.frame(subscription.connection.wire_format)
    return events


async def may_hear(link: Calls, subscription: Subscription) -> bool:
    """Ask whether a listener still has the right; not knowing is no."""
    try:
        with trio.fail_after(RIGHT_SECONDS_MAX):
            right = await right_of(link, subscription.topic, subscription.connection.user)
    except (LinkDownError, LinkReplyError, AccessUnknownError, trio.TooSlowError):
        return False
    subscription.muted_until_ms = 0 if right is None else right.muted_until_ms
    return right is not None


def end_subscription(hub: Hub, subscription: Subscription) -> None:
    """Stop delivery because the right was lost, what waits to be written too, and say so."""
    if hub.is_current(subscription):
        hub.leave(subscription.connection, subscription.topic)
        subscription.connection.transport.forget(subscription.topic)
        subscription.connection.send(Unsubscribed(topic=subscription.topic), Lane.DURABLE)
