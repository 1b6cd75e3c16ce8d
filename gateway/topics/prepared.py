"""An event made ready to be sent: encoded and framed once for each wire format."""

from typing import Final

import msgspec

from gateway.connections.wire import data_frame
from protocol.codec import decode_topic_entry
from protocol.envelopes import TopicEntry
from protocol.ids import EventId
from protocol.server_frames import ServerFrame
from protocol.topics import Topic
from protocol.version import WireFormat

_json: Final = msgspec.json.Encoder()
_msgpack: Final = msgspec.msgpack.Encoder()


class MalformedEventError(ValueError):
    """The entry of a topic's log is not one."""


class _Kind(msgspec.Struct, frozen=True):
    type: str


class _RelayedEvent(ServerFrame, frozen=True, kw_only=True, tag="event"):
    """An `EventFrame` whose body is passed on as it came, known to us or not."""

    topic: Topic
    offset: int
    id: EventId
    at_ms: int
    body: msgspec.Raw


_kind: Final = msgspec.msgpack.Decoder(_Kind)


class PreparedEvent:
    """One event of one topic, and the frames that tell it, each made when first asked for."""

    __slots__ = ("_frames", "_told", "offset", "topic")

    def __init__(self, topic: Topic, offset: int, entry: bytes) -> None:
        """Read an entry.

        Raises:
            MalformedEventError: if it is not one, or its body has no type.
        """
        self.topic = topic
        self.offset = offset
        self._frames: dict[WireFormat, bytes] = {}
        try:
            self._told: TopicEntry = decode_topic_entry(entry)
        except (ValueError, RecursionError) as error:
            raise MalformedEventError(str(error)) from error

    @property
    def id(self) -> EventId:
        """The id it has on every topic that tells it."""
        return self._told.id

    @property
    def at_ms(self) -> int:
        """When it was committed, in Unix milliseconds."""
        return self._told.at_ms

    @property
    def body(self) -> msgspec.Raw:
        """What it says, in MessagePack."""
        return self._told.body

    def kind(self) -> str:
        """Return the body's type, or "" if it has none."""
        try:
            return _kind.decode(self._told.body).type
        except (ValueError, RecursionError):
            return ""

    def frame(self, wire_format: WireFormat) -> bytes:
        """Return the WebSocket frame that tells it; the same object every time.

        Raises:
            MalformedEventError: if the body cannot be said in this format.
        """
        made = self._frames.get(wire_format)
        if made is None:
            made = self._frames[wire_format] = self._make(wire_format)
        return made

    def _make(self, wire_format: WireFormat) -> bytes:
        told = self._told
        try:
            body = told.body
            if wire_format == "json":
                body = msgspec.Raw(_json.encode(msgspec.msgpack.decode(body)))
            relayed = _RelayedEvent(
                topic=self.topic, offset=self.offset, id=told.id, at_ms=told.at_ms, body=body
            )
            encoder = _json if wire_format == "json" else _msgpack
            return data_frame(encoder.encode(relayed), wire_format)
        except (ValueError, TypeError, RecursionError) as error:
            raise MalformedEventError(str(error)) from error
