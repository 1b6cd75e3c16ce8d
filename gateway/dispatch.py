"""Where a client's frame goes: answered at once, left with the user's actor, or refused."""

from typing import Final

from typing_extensions import override

from gateway.actors.mailbox import MailboxFullError
from gateway.connections.connection import Connection
from gateway.connections.conversation import Host
from gateway.registry import Registry
from protocol.client_frames import AnyClientFrame, Hello, Ping, SetStatus, SetTyping
from protocol.close_codes import DRAINING, INTERNAL
from protocol.error_codes import BAD_FRAME, RATE_LIMITED
from protocol.server_frames import Pong
from shared.clock import Clock, unix_ms

_RETRY_SECONDS: Final = 1.0


class Dispatch(Host):
    """Takes what every client of this worker says. Nothing in here waits."""

    def __init__(self, *, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self.is_draining = False

    @override
    def admit(self, connection: Connection, hello: Hello) -> None:
        """Take in a client whose ticket is good; its actor will answer."""
        if self.is_draining:
            connection.close(DRAINING)
        elif self._registry.enter(connection, replacing=hello.session, question=hello.id):
            self._leave_with_actor(connection, hello)

    @override
    def receive(self, connection: Connection, frame: AnyClientFrame) -> None:
        """Take a frame of an admitted client."""
        match frame:
            case Ping():
                now = unix_ms(self._clock.now())
                connection.send(Pong(id=frame.id, server_time_ms=now))
            case Hello():
                connection.send_error(BAD_FRAME, "hello was said already", question=frame.id)
                connection.strike()
            case _:
                self._leave_with_actor(connection, frame)

    @override
    def leave(self, connection: Connection) -> None:
        """Forget a client whose socket is gone."""
        self._registry.leave(connection)

    def _leave_with_actor(self, connection: Connection, frame: AnyClientFrame) -> None:
        actor = self._registry.owner_of(connection)
        if actor is None:
            connection.close(INTERNAL)
            return
        try:
            actor.say(connection, frame)
        except MailboxFullError:
            question = None if isinstance(frame, SetTyping | SetStatus) else frame.id
            connection.send_error(
                RATE_LIMITED, question=question, retry_after_seconds=_RETRY_SECONDS
            )
            connection.note_flood()
            if isinstance(frame, Hello):
                connection.close(INTERNAL)
