"""Redis from the side of the core: rooms anybody may hear, and events published into them."""

import socket
from collections.abc import Callable
from typing import Final, cast

import hiredis
import msgspec

from loadtest.comparison.servers import LOCALHOST
from protocol.codec import encode_event, encode_topic_entry
from protocol.envelopes import TopicEntry
from protocol.events import MessageSent
from protocol.ids import EventId
from protocol.stream_names import (
    ACCESS_ANYONE,
    ACCESS_READY_KEY,
    TOPIC_ENTRY_FIELD,
    TOPIC_LOG_ENTRIES_MAX,
    topic_access,
    topic_live_channel,
    topic_log,
    topic_meta,
)
from protocol.topics import Position, Topic
from protocol.views import ChatMessage

_EPOCH: Final = "bench"
_KEPT: Final = ("MAXLEN", "~", TOPIC_LOG_ENTRIES_MAX)
_Word = str | bytes | int

_pack: Final = cast("Callable[[tuple[_Word, ...]], bytes]", hiredis.pack_command)


class Publisher:
    """Writes into topics as the event relay does. It alone writes, so it counts by itself."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((LOCALHOST, port))
        self._offsets: dict[Topic, int] = {}
        self._send(("SET", ACCESS_READY_KEY, "1"))
        assert self._socket.recv(64) == b"+OK\r\n"
        self._send(("CLIENT", "REPLY", "OFF"))

    def open_to_anyone(self, *topics: Topic) -> None:
        """Let every signed-in user hear these topics."""
        for topic in topics:
            self._send(
                ("HSET", topic_access(topic), ACCESS_ANYONE, "member"),
                ("HSET", topic_meta(topic), "epoch", _EPOCH),
            )

    def publish(self, topic: Topic, message: ChatMessage) -> None:
        """Append a message to the topic's log, and tell it live."""
        offset = self._offsets[topic] = self._offsets.get(topic, 0) + 1
        entry = encode_topic_entry(
            TopicEntry(
                id=EventId(f"evt_{offset:026d}"),
                at_ms=message.sent_at_ms,
                body=msgspec.Raw(encode_event(MessageSent(message=message))),
            )
        )
        live = f"{_EPOCH} {offset} ".encode() + entry
        self._send(
            ("HSET", topic_meta(topic), "offset", offset),
            ("XADD", topic_log(topic), *_KEPT, f"{offset}-0", TOPIC_ENTRY_FIELD, entry),
            ("PUBLISH", topic_live_channel(topic), live),
        )

    def position(self, topic: Topic) -> Position:
        """Return where the topic ends."""
        return Position(_EPOCH, self._offsets.get(topic, 0))

    def close(self) -> None:
        """Let go of the connection."""
        self._socket.close()

    def _send(self, *commands: tuple[_Word, ...]) -> None:
        self._socket.sendall(b"".join(map(_pack, commands)))
