"""Who is connected to this worker: by connection, by user.

Users are one for one: if the actor of one crashes, that user's sockets are closed, resumably, and
nobody else notices.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec
import trio
from prometheus_client import Counter

from gateway.actors.services import Services
from gateway.actors.supervisor import CrashRecord
from gateway.actors.user import UserActor
from gateway.connections.connection import Connection
from gateway.limits import (
    ACTOR_CRASH_WINDOW_SECONDS,
    ACTOR_CRASHES_MAX,
    CONNECTIONS_PER_USER_MAX,
    CRASHED_USERS_MAX,
)
from gateway.topics.subscription import Subscription
from protocol.close_codes import CONNECTION_LIMIT, INTERNAL, REPLACED
from protocol.error_codes import INTERNAL as INTERNAL_ERROR
from protocol.ids import ID_PATTERN, ConnectionId, SessionId, UserId
from protocol.topics import Topic
from shared.logging import get_logger

_log = get_logger("gateway.registry")
_crashes: Final = Counter("rialto_gateway_actor_crashes_total", "Actors ended by a bug.")
_loops: Final = Counter(
    "rialto_gateway_actor_crash_loops_total", "Users shut out for a while: their actor keeps dying."
)


class RegistryStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Who is here now."""

    connections_count: int
    actors_count: int
    mailbox_messages_count: int
    crash_loops_count: int
    outboxes_count: int
    outbox_bytes: int
    outbox_seconds_max: float
    silence_seconds_max: float


class Registry:
    """Every admitted connection of this worker, and the actor of its user."""

    def __init__(self, *, services: Services, nursery: trio.Nursery) -> None:
        self._services = services
        self._nursery = nursery
        self._connections: dict[ConnectionId, Connection] = {}
        self._actors: dict[UserId, UserActor] = {}
        self._owners: dict[ConnectionId, UserActor] = {}
        self._crashed: dict[UserId, CrashRecord] = {}
        self._emptied = trio.Event()

    def connections(self) -> Iterable[Connection]:
        """Return every admitted connection."""
        return list(self._connections.values())

    def statistics(self) -> RegistryStatistics:
        """Count who is here and what waits for them."""
        now = trio.current_time()
        transports = [one.transport for one in self._connections.values()]
        waiting = [one.queued_bytes for one in transports]
        return RegistryStatistics(
            connections_count=len(transports),
            actors_count=len(self._actors),
            mailbox_messages_count=sum(one.waiting_count for one in self._actors.values()),
            crash_loops_count=sum(self._is_crash_loop(user) for user in list(self._crashed)),
            outboxes_count=sum(map(bool, waiting)),
            outbox_bytes=sum(waiting),
            outbox_seconds_max=max((one.waiting_seconds(now) for one in transports), default=0.0),
            silence_seconds_max=max((now - one.heard_at for one in transports), default=0.0),
        )

    def connection(self, connection_id: ConnectionId) -> Connection | None:
        """Return one connection, if it is here."""
        return self._connections.get(connection_id)

    def connections_of(self, user: UserId) -> list[Connection]:
        """Return a user's connections to this worker."""
        actor = self._actors.get(user)
        return [] if actor is None else list(actor.connections.values())

    async def wait_empty(self) -> None:
        """Wait until nobody is here."""
        self._emptied = trio.Event()
        if self._connections:
            await self._emptied.wait()

    def enter(self, connection: Connection, *, replacing: str | None, question: int) -> bool:
        """Add a connection; say whether it may stay.

        `replacing` is the session its client had before, and goes on with: a socket that still
        holds it is closed.
        """
        if self._is_crash_loop(connection.user):
            connection.send_error(
                INTERNAL_ERROR, question=question, retry_after_seconds=ACTOR_CRASH_WINDOW_SECONDS
            )
            connection.close(INTERNAL)
            return False
        actor = self._actor_of(connection.user)
        if replacing is not None and re.fullmatch(ID_PATTERN, replacing):
            connection.session = replacing
            for replaced in actor.connections.values():
                if replaced.session == replacing:
                    replaced.close(REPLACED)
        if sum(one.is_open for one in actor.connections.values()) >= CONNECTIONS_PER_USER_MAX:
            connection.close(CONNECTION_LIMIT)
            return False
        actor.connections[connection.id] = connection
        self._owners[connection.id] = actor
        self._connections[connection.id] = connection
        return True

    def owner_of(self, connection: Connection) -> UserActor | None:
        """Return the actor a connection belongs to, unless it has crashed."""
        actor = self._owners.get(connection.id)
        return actor if actor is self._actors.get(connection.user) else None

    def leave(self, connection: Connection) -> None:
        """Forget a connection; with a user's last one goes the actor."""
        self._connections.pop(connection.id, None)
        if not self._connections:
            self._emptied.set()
        actor = self._owners.pop(connection.id, None)
        if actor is None:
            return
        try:
            actor.leave(connection)
        finally:
            if not actor.connections and self._actors.get(actor.user) is actor:
                del self._actors[actor.user]

    def note_ended(self, subscription: Subscription) -> None:
        """Note that a client lost the right to a topic while it was being told the past of it."""
        actor = self.owner_of(subscription.connection)
        if actor is not None:
            actor.note_left(subscription.connection, subscription.topic)

    def doubt(self, topic: Topic, user: UserId) -> None:
        """Have a user's right to hear a topic checked again."""
        actor = self._actors.get(user)
        if actor is not None:
            actor.doubt(topic)

    def revoke(self, user: UserId, sign_in: SessionId | None) -> None:
        """Close a user's clients of one sign-in, or of all."""
        actor = self._actors.get(user)
        if actor is not None:
            actor.revoke(sign_in)

    def hear_of_holder(self, user: UserId, session: str, fence: int) -> None:
        """Close a user's client whose session has a newer holder."""
        actor = self._actors.get(user)
        if actor is not None:
            actor.hear_of_holder(session, fence)

    def mute(self, topic: Topic, user: UserId, until_ms: int) -> None:
        """Note until when a user may not write in a room."""
        actor = self._actors.get(user)
        if actor is not None:
            actor.mute(topic, until_ms)

    def check_sockets(self) -> None:
        """Have every connection's place in Redis made sure of: something may have been missed."""
        self._services.sockets.check(self._connections.values())

    def _actor_of(self, user: UserId) -> UserActor:
        actor = self._actors.get(user)
        if actor is None:
            actor = self._actors[user] = UserActor(
                user, services=self._services, nursery=self._nursery, on_crash=self._end
            )
        return actor

    def _end(self, actor: UserActor, crash: Exception) -> None:
        _crashes.inc()
        _log.error("actor.crashed", user=actor.user, exc_info=crash)
        crashes = self._record_of(actor.user).note(window_seconds=ACTOR_CRASH_WINDOW_SECONDS)
        if crashes == ACTOR_CRASHES_MAX + 1:
            _loops.inc()
            _log.error("actor.crash_loop", user=actor.user, seconds=ACTOR_CRASH_WINDOW_SECONDS)
        if self._actors.get(actor.user) is actor:
            del self._actors[actor.user]
        for connection in actor.connections.values():
            connection.close(INTERNAL)

    def _record_of(self, user: UserId) -> CrashRecord:
        record = self._crashed.pop(user, None) or CrashRecord()
        self._crashed[user] = record
        while len(self._crashed) > CRASHED_USERS_MAX:
            del self._crashed[next(iter(self._crashed))]
        return record

    def _is_crash_loop(self, user: UserId) -> bool:
        record = self._crashed.get(user)
        if record is None:
            return False
        crashes = record.count(window_seconds=ACTOR_CRASH_WINDOW_SECONDS)
        if not crashes:
            del self._crashed[user]
        return crashes > ACTOR_CRASHES_MAX
