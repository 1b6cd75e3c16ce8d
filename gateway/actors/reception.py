"""How a client begins to hear topics: at `hello`, one by one, or many at once."""

from collections.abc import Set as AbstractSet

import msgspec
import trio

from gateway.actors.services import Services
from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane
from gateway.limits import (
    COMMAND_RATE_OTHERS,
    COMMAND_RATES,
    CONNECTIONS_PER_USER_MAX,
    HEARTBEAT_JITTER_MS,
    HEARTBEAT_MS,
    INBOUND_FRAME_BYTES_MAX,
    INBOUND_FRAMES_BURST,
    INBOUND_FRAMES_PER_SECOND,
    REDIS_SECONDS_MAX,
    REPLAY_BYTES_MAX,
    REPLAY_EVENTS_MAX,
)
from gateway.streams.access import AccessUnknownError, right_of
from gateway.streams.link import LinkDownError, LinkReplyError
from gateway.topics.catch_up import Missed
from gateway.topics.kinds import is_room
from gateway.topics.subscription import Subscription
from protocol.client_frames import TOPICS_MAX, Hello, Resume, Subscribe
from protocol.close_codes import INTERNAL
from protocol.commands import MESSAGE_TEXT_BYTES_MAX
from protocol.error_codes import (
    ALREADY_SUBSCRIBED,
    LIMIT_REACHED,
    UNAVAILABLE,
    UNKNOWN_TOPIC,
    ErrorCode,
)
from protocol.server_frames import Limits, Rate, Resumed, SignalFrame, Subscribed, Welcome
from protocol.topics import Position, Topic, user_topic
from shared.clock import unix_ms


def _rate(per_second: float, burst: int) -> Rate:
    return Rate(per_minute=round(per_second * 60), burst=burst)


LIMITS = Limits(
    frame_bytes_max=INBOUND_FRAME_BYTES_MAX,
    message_text_bytes_max=MESSAGE_TEXT_BYTES_MAX,
    topics_max=TOPICS_MAX,
    replay_events_max=REPLAY_EVENTS_MAX,
    replay_bytes_max=REPLAY_BYTES_MAX,
    connections_max=CONNECTIONS_PER_USER_MAX,
    frames=_rate(INBOUND_FRAMES_PER_SECOND, INBOUND_FRAMES_BURST),
    commands={
        str(kind.__struct_config__.tag): _rate(per_second, burst)
        for kind, (per_second, burst) in COMMAND_RATES.items()
    },
    other_commands=_rate(*COMMAND_RATE_OTHERS),
)
_RETRY_SECONDS = 1.0


class _Joined(msgspec.Struct, kw_only=True):
    """How an attempt to hear several topics went."""

    subscriptions: dict[Topic, Subscription]
    refused: dict[Topic, ErrorCode]


class Reception:
    """Lets the clients of one user into topics."""

    __slots__ = ("_services",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def welcome(self, connection: Connection, hello: Hello) -> None:
        """Answer `hello`: the user's own topic always, the named ones where there is a right."""
        own = user_topic(connection.user)
        positions = {Topic(name): at for name, at in hello.positions.items()}
        joined = await self._join_all(
            connection, [own, *(name for name in positions if name != own)]
        )
        if own not in joined.subscriptions:
            connection.send_error(
                UNAVAILABLE, question=hello.id, retry_after_seconds=_RETRY_SECONDS
            )
            connection.close(INTERNAL)
            return
        if not await self._services.sockets.admit(connection):
            return
        now = self._services.clock.now()
        answer = Welcome(
            id=hello.id,
            session=connection.session,
            user=connection.user,
            name=connection.claims.name,
            positions=_continuing(joined, positions),
            heartbeat_ms=HEARTBEAT_MS - hash(connection.id) % HEARTBEAT_JITTER_MS,
            ticket_expires_in_ms=int((connection.claims.exp - now.timestamp()) * 1000),
            server_time_ms=unix_ms(now),
            limits=LIMITS,
        )
        self._begin(connection, answer, joined, positions)

    async def resume(self, connection: Connection, frame: Resume) -> None:
        """Answer `resume`. A topic that is heard already begins anew from the position given."""
        hub = self._services.hub
        positions = {Topic(name): at for name, at in frame.positions.items()}
        if self._exceeds(connection, positions.keys()):
            connection.send_error(LIMIT_REACHED, question=frame.id)
            return
        heard = positions.keys() & hub.heard_by(connection).keys()
        for topic in heard:
            hub.leave(connection, topic)
        joined = await self._join_all(connection, list(positions))
        for topic in filter(is_room, heard & joined.refused.keys()):
            self._services.presence.leave(
                topic, connection.user, connection=connection.id, closing=False
            )
        answer = Resumed(id=frame.id, positions=_continuing(joined, positions))
        self._begin(connection, answer, joined, positions)

    async def subscribe(self, connection: Connection, frame: Subscribe) -> None:
        """Answer `subscribe`."""
        topic = Topic(frame.topic)
        if topic in self._services.hub.heard_by(connection):
            connection.send_error(ALREADY_SUBSCRIBED, question=frame.id, topic=topic)
            return
        if self._exceeds(connection, {topic}):
            connection.send_error(LIMIT_REACHED, question=frame.id, topic=topic)
            return
        joined = await self._join_all(connection, [topic])
        if topic in joined.refused:
            code = joined.refused[topic]
            pause = _RETRY_SECONDS if code.temporary else None
            connection.send_error(code, question=frame.id, topic=topic, retry_after_seconds=pause)
            return
        positions = {} if frame.position is None else {topic: frame.position}
        at = _continuing(joined, positions)[topic]
        answer = Subscribed(id=frame.id, topic=topic, position=at)
        self._begin(connection, answer, joined, positions)

    def _exceeds(self, connection: Connection, wanted: AbstractSet[Topic]) -> bool:
        """The user's own topic does not count: it is always heard."""
        heard = self._services.hub.heard_by(connection).keys() | wanted
        return len(heard - {user_topic(connection.user)}) > TOPICS_MAX

    async def _join_all(self, connection: Connection, topics: list[Topic]) -> _Joined:
        joined = _Joined(subscriptions={}, refused={})
        if len(topics) == 1:
            await self._join(connection, topics[0], joined)
            return joined
        async with trio.open_nursery() as nursery:
            for topic in topics:
                nursery.start_soon(self._join, connection, topic, joined)
        return joined

    async def _join(self, connection: Connection, topic: Topic, joined: _Joined) -> None:
        """Ask for the right, and listen; note how it went."""
        services = self._services
        subscription: Subscription | ErrorCode | None = None
        try:
            with trio.move_on_after(REDIS_SECONDS_MAX):
                subscription = await self._let_in(connection, topic)
        except (LinkDownError, LinkReplyError, AccessUnknownError):
            subscription = None
        if subscription is None:
            services.hub.leave(connection, topic)
            joined.refused[topic] = UNAVAILABLE
            return
        if isinstance(subscription, ErrorCode):
            joined.refused[topic] = subscription
            return
        joined.subscriptions[topic] = subscription
        if is_room(topic) or topic == user_topic(connection.user):
            services.presence.enter(
                topic, connection.person, connection=connection.id, visible=connection.visible
            )

    async def _let_in(self, connection: Connection, topic: Topic) -> Subscription | ErrorCode:
        """Listen if there is a right to, and still is when the loss of it would be heard."""
        hub, link = self._services.hub, self._services.link
        departures = hub.departures(topic)
        right = await right_of(link, topic, connection.user)
        if right is None:
            return UNKNOWN_TOPIC
        subscription = await hub.join(connection, topic)
        if subscription is None:
            return UNAVAILABLE
        was_watched = departures is not None and departures == hub.departures(topic)
        if not was_watched:
            right = await right_of(link, topic, connection.user)
        if right is None:
            hub.leave(connection, topic)
            return UNKNOWN_TOPIC
        subscription.muted_until_ms = right.muted_until_ms
        return subscription

    def _begin(
        self,
        connection: Connection,
        answer: Welcome | Resumed | Subscribed,
        joined: _Joined,
        positions: dict[Topic, Position],
    ) -> None:
        """Answer, and say in the same write what is to be said at once."""
        connection.transport.gather()
        try:
            connection.send(answer, Lane.DURABLE)
            self._go_live(connection, joined, positions)
        finally:
            connection.transport.send_gathered()

    def _go_live(
        self, connection: Connection, joined: _Joined, positions: dict[Topic, Position]
    ) -> None:
        """Tell refusals, the past where a position was given, and let go live where not."""
        for topic, code in joined.refused.items():
            pause = _RETRY_SECONDS if code.temporary else None
            connection.send_error(code, topic=topic, retry_after_seconds=pause)
        missed: list[Missed] = []
        for topic, subscription in joined.subscriptions.items():
            if topic in positions or subscription.is_doubted:
                position = positions.get(topic, subscription.start)
                missed.append(Missed(subscription=subscription, position=position))
            else:
                self._services.hub.release(subscription)
        self._services.catch_up.begin(missed)
        for topic in filter(is_room, joined.subscriptions):
            self._tell_signals(connection, topic)

    def _tell_signals(self, connection: Connection, topic: Topic) -> None:
        here = self._services.presence.current(topic)
        connection.send(SignalFrame(topic=topic, body=here), Lane.STATE, key=topic)
        writing = self._services.typing.current(topic)
        if writing.count:
            connection.send(SignalFrame(topic=topic, body=writing), Lane.SIGNAL, key=topic)


def _continuing(joined: _Joined, positions: dict[Topic, Position]) -> dict[Topic, Position]:
    """Return from where each topic goes on: where the client stands, or else from now."""
    return {
        topic: positions.get(topic, subscription.start)
        for topic, subscription in joined.subscriptions.items()
    }
