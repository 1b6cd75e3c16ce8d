"""What a client tells the one who listens to it."""

from loadtest.outstanding import GivenCommand
from protocol.server_frames import Error, EventFrame, Gap, SignalFrame, Welcome
from protocol.topics import Position, Topic


class Listener:
    """Told of everything at once, in the order it happened; override what matters.

    No method may wait or raise: they are called between two reads of the socket.
    """

    def connected(self, welcome: Welcome, seconds: float) -> None:
        """Hear that a connection is open, `seconds` after TCP connect began."""

    def connect_failed(self, reason: str) -> None:
        """Hear that there is no connection yet; the client tries again."""

    def disconnected(self, code: int) -> None:
        """Hear that a connection is over; the client reconnects if the code allows it."""

    def starts(self, topic: Topic, position: Position) -> None:
        """Hear that events after `position` follow."""

    def stops(self, topic: Topic) -> None:
        """Hear that no more events of a topic follow."""

    def event(self, frame: EventFrame) -> None:
        """Hear one event."""

    def signal(self, frame: SignalFrame) -> None:
        """Hear of ephemeral state."""

    def gap(self, frame: Gap) -> None:
        """Hear that events are missing and state must be read again."""

    def replayed(self, topic: Topic) -> None:
        """Hear that everything missed of a topic was told; what follows is live."""

    def accepted(self, command: GivenCommand) -> None:
        """Hear that a command is durable."""

    def put_off(self, command: GivenCommand, refusal: Error) -> None:
        """Hear that a command was refused for now; the client sends it again."""

    def finished(self, command: GivenCommand) -> None:
        """Hear the outcome of a command, once."""
