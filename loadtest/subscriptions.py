"""Where a client stands in each topic it hears."""

from loadtest.listening import Listener
from protocol.server_frames import EventFrame, Gap, Subscribed, Welcome
from protocol.topics import Position, Topic, user_topic


class Subscriptions:
    """Positions by topic, moved on by what arrives; they outlive a connection."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._positions: dict[Topic, Position] = {}
        self._asked: dict[Topic, Position | None] = {}
        self._lost: set[Topic] = set()

    def positions(self) -> dict[str, Position]:
        """Return what a `hello` has to name in order to go on."""
        return {str(topic): position for topic, position in self._positions.items()}

    def position(self, topic: Topic) -> Position | None:
        """Return where this client stands in a topic; None if it does not hear it."""
        return self._positions.get(topic)

    def hears(self, topic: Topic) -> bool:
        """Whether a topic is subscribed to."""
        return topic in self._positions

    def asks(self, topic: Topic, position: Position | None) -> None:
        """Take note of what a `subscribe` on its way asks for."""
        self._asked[topic] = position

    def forgets(self, topic: Topic) -> None:
        """Take note that a topic is no longer wanted."""
        self._lost.discard(topic)
        if self._positions.pop(topic, None) is not None:
            self._listener.stops(topic)

    def welcomed(self, welcome: Welcome) -> None:
        """Take over positions of topics heard for the first time; find those that are missing."""
        for topic, position in welcome.positions.items():
            if topic not in self._positions:
                self._start(topic, position)
        self._lost = self._positions.keys() - welcome.positions.keys()
        assert user_topic(welcome.user) not in self._lost

    def subscribed(self, frame: Subscribed) -> None:
        """Take note of the answer to a `subscribe`; what it asked for follows."""
        self._lost.discard(frame.topic)
        if frame.topic not in self._positions:
            self._start(frame.topic, self._asked.pop(frame.topic, None) or frame.position)

    def moves(self, frame: EventFrame) -> None:
        """Move on by one event."""
        position = self._positions.get(frame.topic)
        if position is not None and frame.offset > position.offset:
            self._positions[frame.topic] = Position(position.epoch, frame.offset)

    def jumps(self, frame: Gap) -> None:
        """Move over events that cannot be given."""
        self._positions[frame.topic] = frame.position

    def lost(self) -> list[tuple[Topic, Position]]:
        """Return topics that the last welcome left out, which must be asked for one by one."""
        return [(topic, self._positions[topic]) for topic in self._lost]

    def _start(self, topic: Topic, position: Position) -> None:
        self._positions[topic] = position
        self._listener.starts(topic, position)
