"""What topics tell that the gateway itself must act on: rights, sessions, ends of typing."""

from collections.abc import Callable
from typing import Final, Protocol

from prometheus_client import Histogram

from gateway.connections.outbox import Lane
from gateway.topics.feed import Feed
from gateway.topics.kinds import is_room
from gateway.topics.prepared import PreparedEvent
from protocol.codec import decode_event
from protocol.events import MemberBanned, MemberChanged, MemberLeft, MessageSent, SessionRevoked
from protocol.ids import SessionId, UserId
from protocol.server_frames import SignalFrame
from protocol.signals import Typing
from protocol.stream_names import NOTICE_MARK
from protocol.topics import Topic, parse_topic
from shared.clock import Clock
from shared.logging import get_logger

_log = get_logger("gateway.topics")
_lag_seconds = Histogram(
    "rialto_gateway_delivery_lag_seconds",
    "Time from an event's commit until its listeners' sockets were given it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_RIGHTS: Final = frozenset({"member_left", "member_banned", "member_changed", "session_revoked"})


class Writers(Protocol):
    """Who is writing where."""

    def is_anybody_writing(self, topic: Topic) -> bool:
        """Say whether somebody may be shown as writing."""
        ...

    def end_by_message(self, topic: Topic, user: UserId) -> Typing | None:
        """Note that a user's message is there; return what is to be told with it, if anything."""
        ...


class Notices:
    """Acts on the few messages that change who may hear what, or who is shown as what."""

    def __init__(self, *, clock: Clock) -> None:
        self.on_member_left: Callable[[Topic, UserId], None] = lambda _topic, _user: None
        self.on_muted: Callable[[Topic, UserId, int], None] = lambda _topic, _user, _until_ms: None
        self.on_revoked: Callable[[UserId, SessionId | None], None] = lambda _user, _session: None
        self.on_held: Callable[[UserId, str, int], None] = lambda _user, _session, _fence: None
        self.writers: Writers | None = None
        self._clock = clock

    def note(self, feed: Feed, event: PreparedEvent) -> None:
        """Act on an event that was just handed on, if it concerns us; measure how late it came."""
        _lag_seconds.observe(max(0.0, self._clock.now().timestamp() - event.at_ms / 1000))
        kind = event.kind()
        try:
            if kind == "message_sent":
                self._end_typing(feed, event)
            elif kind in _RIGHTS:
                self._change_rights(feed, event)
        except ValueError:
            _log.error("event.unreadable", topic=feed.topic, offset=event.offset, kind=kind)

    def _end_typing(self, feed: Feed, event: PreparedEvent) -> None:
        """Whoever has sent what they wrote is told to write no more by the same write."""
        if self.writers is None or not self.writers.is_anybody_writing(feed.topic):
            return
        told = decode_event(event.body)
        if isinstance(told, MessageSent):
            typing = self.writers.end_by_message(feed.topic, told.message.author.id)
            if typing is not None:
                feed.fan_out_with_events(SignalFrame(topic=feed.topic, body=typing), Lane.SIGNAL)

    def _change_rights(self, feed: Feed, event: PreparedEvent) -> None:
        told = decode_event(event.body)
        feed.write()
        if isinstance(told, MemberLeft | MemberBanned) and is_room(feed.topic):
            feed.departures_count += 1
            self.on_member_left(feed.topic, told.user)
        elif isinstance(told, MemberChanged) and is_room(feed.topic):
            feed.departures_count += 1
            self.on_muted(feed.topic, told.user, told.muted_until_ms or 0)
        elif isinstance(told, SessionRevoked) and not is_room(feed.topic):
            self.on_revoked(UserId(parse_topic(feed.topic)[1]), told.session)

    def take(self, feed: Feed, payload: bytes) -> bool:
        """Act on a message that is no event; say whether it was a notice."""
        kind, identity = parse_topic(feed.topic)
        match payload.decode(errors="replace").split():
            case [mark, "revoked", user] if mark == NOTICE_MARK:
                feed.departures_count += 1
                self.on_member_left(feed.topic, UserId(user))
            case [mark, "replaced", session, fence] if mark == NOTICE_MARK and kind == "user":
                self.on_held(UserId(identity), session, int(fence) if fence.isdecimal() else 0)
            case [mark, *_]:
                return mark == NOTICE_MARK
            case _:
                return False
        return True
