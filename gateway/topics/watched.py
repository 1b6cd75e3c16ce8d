"""One watched product: its newest state, and which version each watcher has. Nothing here waits."""

from collections.abc import Callable

import msgspec
import trio
from typing_extensions import override

from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane
from gateway.connections.wire import data_frame
from gateway.topics.feed import Watcher
from gateway.topics.prepared import MalformedEventError, PreparedEvent
from protocol.codec import decode_event, encode_frame
from protocol.events import ProductChanged
from protocol.ids import ProductId
from protocol.server_frames import ProductState, Stale
from protocol.topics import Topic, parse_topic
from protocol.version import WireFormat
from protocol.views import Product


class WatchedProduct(Watcher):
    """What a worker knows of a product that somebody here watches.

    The version decides, not the order of arrival: a state older than the one known is dropped, so
    whatever is said twice or late never goes back.
    """

    __slots__ = (
        "_frames",
        "_on_doubt",
        "_on_news",
        "is_loaded",
        "is_silent",
        "loading",
        "quiet_until",
        "state",
        "topic",
        "watchers",
    )

    def __init__(
        self,
        topic: Topic,
        *,
        on_news: Callable[["WatchedProduct"], None],
        on_doubt: Callable[["WatchedProduct"], None],
    ) -> None:
        self.topic = topic
        self.state: Product | None = None
        self.watchers: dict[Connection, int] = {}
        self.is_loaded = False
        """Whether its feed is open and its log was read."""
        self.is_silent = False
        """Whether the log had nothing to say."""
        self.loading: trio.Event | None = None
        self.quiet_until = float("-inf")
        self._frames: dict[WireFormat, bytes] = {}
        self._on_news = on_news
        self._on_doubt = on_doubt

    @override
    def hear(self, event: PreparedEvent) -> None:
        """Take the topic's next event."""
        if event.kind() == "product_changed" and self.take(event):
            self._on_news(self)

    @override
    def doubt(self) -> None:
        """Note that events may have been lost."""
        self._on_doubt(self)

    def read(self, offset: int, entry: bytes) -> bool:
        """Take an entry of the log; say whether it tells the product's state."""
        try:
            event = PreparedEvent(self.topic, offset, entry)
        except MalformedEventError:
            return False
        self.take(event)
        return self.state is not None

    def take(self, event: PreparedEvent) -> bool:
        """Keep the state an event tells, if it is newer; say whether it was."""
        try:
            told = decode_event(event.body)
        except msgspec.DecodeError:
            return False
        if not isinstance(told, ProductChanged):
            return False
        if self.state is not None and told.product.version <= self.state.version:
            return False
        self.state = told.product
        self._frames.clear()
        return True

    def is_beyond(self, version: int, *, is_recent: bool) -> bool:
        """Say whether we cannot tell if `version` is the newest.

        A log that is silent proves that nothing changed lately, and no more than that.
        """
        if self.state is not None:
            return False
        return version == 0 or not is_recent or not self.is_silent

    def tell(self, connection: Connection) -> bool:
        """Tell a watcher the newest state, unless it has it; say whether it was told."""
        state = self.state
        if state is None or self.watchers.get(connection, state.version) >= state.version:
            return False
        self.watchers[connection] = state.version
        connection.transport.push(self._frame(connection.wire_format), Lane.STATE, self.topic)
        return True

    def tell_all(self) -> int:
        """Tell every watcher; return how many had an older state."""
        return sum(self.tell(connection) for connection in list(self.watchers))

    def tell_stale(self) -> None:
        """Tell every watcher that its version may be old."""
        frame = Stale(products=[product_of(self.topic)])
        for connection in list(self.watchers):
            connection.send(frame, Lane.STATE, key=f"stale:{self.topic}")

    def _frame(self, wire_format: WireFormat) -> bytes:
        assert self.state is not None
        made = self._frames.get(wire_format)
        if made is None:
            payload = encode_frame(ProductState(product=self.state), wire_format)
            made = self._frames[wire_format] = data_frame(payload, wire_format)
        return made


def product_of(topic: Topic) -> ProductId:
    """Return the product that a topic tells of."""
    return ProductId(parse_topic(topic)[1])
