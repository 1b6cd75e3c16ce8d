"""The actor of one user on this worker: owns the user's connections, answers their questions.

A crash in here is a crash of this user only; see `gateway.registry`.
"""

from collections.abc import Callable

import msgspec
import trio

from gateway.actors.actor import Actor
from gateway.actors.commands import CommandDoor
from gateway.actors.mailbox import Mailbox, MailboxFullError
from gateway.actors.reception import Reception
from gateway.actors.services import Services
from gateway.actors.watches import WatchDoor
from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane
from gateway.limits import MAILBOX_MESSAGES_MAX, MAILBOX_MESSAGES_URGENT_MAX
from gateway.topics.catch_up import end_subscription, may_hear
from gateway.topics.kinds import is_room
from protocol.client_frames import (
    AnyClientFrame,
    GiveCommand,
    Hello,
    Ping,
    Refresh,
    Resume,
    SetStatus,
    SetTyping,
    Subscribe,
    Unsubscribe,
    Watch,
    WatchPeople,
)
from protocol.close_codes import INTERNAL, REVOKED
from protocol.commands import SendMessage
from protocol.error_codes import (
    NOT_SUBSCRIBED,
    TICKET_EXPIRED,
    UNAUTHENTICATED,
)
from protocol.ids import ConnectionId, SessionId, UserId
from protocol.server_frames import Ok, Refreshed
from protocol.topics import Topic, room_topic, user_topic
from shared.clock import unix_ms
from shared.tickets import ExpiredTicketError, InvalidTicketError


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A frame of one of the user's clients."""

    connection: Connection
    frame: AnyClientFrame


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """The user may have lost the right to hear a topic."""

    topic: Topic


UserMessage = Said | Doubt


class UserActor:
    """One user: their connections, and what they ask."""

    __slots__ = (
        "_actor",
        "_commands",
        "_reception",
        "_services",
        "_watches",
        "connections",
        "user",
    )

    def __init__(
        self,
        user: UserId,
        *,
        services: Services,
        nursery: trio.Nursery,
        on_crash: Callable[["UserActor", Exception], None],
    ) -> None:
        self.user = user
        self.connections: dict[ConnectionId, Connection] = {}
        self._services = services
        self._commands = CommandDoor(services, user)
        self._reception = Reception(services)
        self._watches = WatchDoor(services)
        self._actor: Actor[UserMessage] = Actor(
            nursery=nursery,
            mailbox=Mailbox(
                capacity_messages=MAILBOX_MESSAGES_MAX,
                urgent_capacity_messages=MAILBOX_MESSAGES_URGENT_MAX,
            ),
            handle=self._handle,
            on_crash=lambda crash: on_crash(self, crash),
            handle_at_once=self._handle_at_once,
        )

    @property
    def waiting_count(self) -> int:
        """Count the messages not taken yet."""
        return self._actor.waiting_count

    def say(self, connection: Connection, frame: AnyClientFrame) -> None:
        """Take a frame of one of the user's clients.

        Raises:
            MailboxFullError: if too many are waiting.
        """
        self._actor.tell(Said(connection=connection, frame=frame))

    def leave(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        if self.connections.pop(connection.id, None) is None:
            return
        hub = self._services.hub
        rooms = list(filter(is_room, hub.heard_by(connection)))
        # First: what may crash below must leave no dead listener behind.
        hub.leave_all(connection)
        self._services.sockets.let_go(connection)
        self._services.watching.leave(connection)
        self._services.people.leave(connection)
        for topic in rooms:
            self._services.presence.leave(topic, self.user, connection=connection.id, closing=True)
        self._services.presence.leave(
            user_topic(self.user), self.user, connection=connection.id, closing=True
        )
        if not self.connections:
            self._services.typing.stop(self.user, None)

    def doubt(self, topic: Topic) -> None:
        """Stop telling the user's clients of a topic until it is known whether they may hear it."""
        hub = self._services.hub
        held = [hub.suspend(connection, topic) for connection in self.connections.values()]
        if not any(held):
            return
        try:
            self._actor.tell_urgently(Doubt(topic=topic))
        except MailboxFullError:
            for connection in self.connections.values():
                connection.close(INTERNAL)

    def revoke(self, sign_in: SessionId | None) -> None:
        """Close the user's clients of one sign-in, or of all."""
        for connection in self.connections.values():
            if sign_in in {None, connection.sign_in}:
                connection.close(REVOKED)

    def hear_of_holder(self, session: str, fence: int) -> None:
        """Close the user's client that had a session before whoever has this greater fence."""
        for connection in self.connections.values():
            if connection.session == session:
                connection.hear_of_holder(fence)

    def mute(self, topic: Topic, until_ms: int) -> None:
        """Note until when the user may not write in a room, and so is not seen to."""
        for connection in self.connections.values():
            subscription = self._services.hub.heard_by(connection).get(topic)
            if subscription is not None:
                subscription.muted_until_ms = until_ms
        if until_ms > unix_ms(self._services.clock.now()):
            self._services.typing.stop(self.user, topic)

    def _handle_at_once(self, message: UserMessage) -> bool:
        if isinstance(message, Said) and isinstance(message.frame, SetTyping | SetStatus):
            if not message.connection.has_left:
                self._answer_at_once(message.connection, message.frame)
            return True
        return False

    async def _handle(self, message: UserMessage) -> None:
        match message:
            case Doubt():
                await self._settle_doubt(message.topic)
            case Said() if message.connection.has_left and not isinstance(
                message.frame, GiveCommand
            ):
                return
            case Said():
                await self._answer(message.connection, message.frame)

    async def _answer(self, connection: Connection, frame: AnyClientFrame) -> None:
        match frame:
            case GiveCommand():
                self._stop_typing_in(frame)
                await self._commands.give(connection, frame)
            case Hello():
                await self._reception.welcome(connection, frame)
            case Subscribe():
                await self._reception.subscribe(connection, frame)
            case Resume():
                await self._reception.resume(connection, frame)
            case Refresh():
                await self._refresh(connection, frame)
            case Watch() | WatchPeople():
                await self._watches.watch(connection, frame)
            case _:
                self._answer_at_once(connection, frame)

    def _answer_at_once(
        self, connection: Connection, frame: Unsubscribe | SetTyping | SetStatus | Ping
    ) -> None:
        match frame:
            case Unsubscribe():
                self._unsubscribe(connection, frame)
            case SetTyping():
                self._set_typing(connection, frame)
            case SetStatus():
                self._set_status(connection, frame)
            case Ping():
                raise AssertionError("a ping is answered before it gets to the actor")

    def _stop_typing_in(self, frame: GiveCommand) -> None:
        if isinstance(frame.body, SendMessage):
            self._services.typing.finish(self.user, room_topic(frame.body.room))

    async def _settle_doubt(self, topic: Topic) -> None:
        hub = self._services.hub
        for connection in list(self.connections.values()):
            subscription = hub.heard_by(connection).get(topic)
            if subscription is None or not subscription.is_doubted:
                continue
            if not hub.is_suspended(subscription):
                continue  # it is being told the past; whoever does asks again before it ends
            subscription.is_doubted = False
            if await may_hear(self._services.link, subscription):
                hub.release(subscription)
            else:
                self.note_left(connection, topic)
                end_subscription(hub, subscription)

    def _unsubscribe(self, connection: Connection, frame: Unsubscribe) -> None:
        topic = Topic(frame.topic)
        if topic not in self._services.hub.heard_by(connection):
            connection.send_error(NOT_SUBSCRIBED, question=frame.id, topic=topic)
            return
        self.note_left(connection, topic)
        self._services.hub.leave(connection, topic)
        connection.send(Ok(id=frame.id), Lane.DURABLE)

    def note_left(self, connection: Connection, topic: Topic) -> None:
        """Note that a client hears a room no more: there its user neither is nor writes."""
        if is_room(topic):
            self._services.typing.stop(self.user, topic)
            self._services.presence.leave(topic, self.user, connection=connection.id, closing=False)

    def _set_typing(self, connection: Connection, frame: SetTyping) -> None:
        topic = Topic(frame.topic)
        subscription = self._services.hub.heard_by(connection).get(topic)
        if subscription is None or not is_room(topic):
            connection.send_error(NOT_SUBSCRIBED, topic=topic)
            return
        is_muted = subscription.muted_until_ms > unix_ms(self._services.clock.now())
        self._services.typing.set(topic, connection.person, on=frame.on and not is_muted)

    def _set_status(self, connection: Connection, frame: SetStatus) -> None:
        connection.visible = frame.visible and not frame.idle
        self._services.presence.set_visible(
            self.user, connection=connection.id, visible=connection.visible
        )

    async def _refresh(self, connection: Connection, frame: Refresh) -> None:
        now = self._services.clock.now()
        try:
            claims = self._services.verifier.verify(frame.ticket, now)
        except ExpiredTicketError:
            connection.send_error(TICKET_EXPIRED, question=frame.id)
            return
        except InvalidTicketError:
            connection.send_error(UNAUTHENTICATED, question=frame.id)
            connection.strike()
            return
        if claims.sub != self.user:
            connection.send_error(
                UNAUTHENTICATED, "the ticket is another user's", question=frame.id
            )
            return
        if not await self._services.sockets.renew(connection, claims):
            return
        lifetime_seconds = claims.exp - now.timestamp()
        connection.renew(claims, lifetime_seconds=lifetime_seconds)
        connection.send(Refreshed(id=frame.id, ticket_expires_in_ms=int(lifetime_seconds * 1000)))
