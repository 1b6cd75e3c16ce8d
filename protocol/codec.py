"""Encoders and decoders, made once: bytes in, Structs out.

Decoding never raises anything but `msgspec.DecodeError` (of which `msgspec.ValidationError` is
one). Encoding a Struct of ours never fails.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from protocol.client_frames import AnyClientFrame, ClientFrame
from protocol.envelopes import CommandEnvelope, TopicEntry
from protocol.events import AnyEvent, Event
from protocol.server_frames import AnyServerFrame, ServerFrame
from protocol.version import WireFormat

_json_encoder: Final = msgspec.json.Encoder()
_msgpack_encoder: Final = msgspec.msgpack.Encoder()

_json_client: Final[msgspec.json.Decoder[AnyClientFrame]] = msgspec.json.Decoder(AnyClientFrame)
_msgpack_client: Final[msgspec.msgpack.Decoder[AnyClientFrame]] = msgspec.msgpack.Decoder(
    AnyClientFrame
)
_json_server: Final[msgspec.json.Decoder[AnyServerFrame]] = msgspec.json.Decoder(AnyServerFrame)
_msgpack_server: Final[msgspec.msgpack.Decoder[AnyServerFrame]] = msgspec.msgpack.Decoder(
    AnyServerFrame
)
_event: Final[msgspec.msgpack.Decoder[AnyEvent]] = msgspec.msgpack.Decoder(AnyEvent)
_command_envelope: Final = msgspec.msgpack.Decoder(CommandEnvelope)
_topic_entry: Final = msgspec.msgpack.Decoder(TopicEntry)


Decoded = TypeVar("Decoded")
Payload = TypeVar("Payload", bytes, str, bytes | str)


def _as_bytes(payload: bytes | str) -> bytes:
    return payload.encode(errors="replace") if isinstance(payload, str) else payload


def _decode(decode: Callable[[Payload], Decoded], payload: Payload) -> Decoded:
    """Make one error of the three that msgspec raises.

    It follows nested values into fields it will ignore, and may run out of stack there; and text
    that is not UTF-8 gets the error of Python's own codec.
    """
    try:
        return decode(payload)
    except RecursionError as error:
        raise msgspec.DecodeError("the values are nested too deeply") from error
    except UnicodeError as error:
        raise msgspec.DecodeError("a text is not UTF-8") from error


def safely(decode: Callable[[bytes], Decoded]) -> Callable[[bytes], Decoded]:
    """Return a decoder of bytes that keeps the promise made above."""
    return lambda payload: _decode(decode, payload)


def encode_frame(frame: ClientFrame | ServerFrame, wire_format: WireFormat) -> bytes:
    """Encode a frame for a socket."""
    return (_json_encoder if wire_format == "json" else _msgpack_encoder).encode(frame)


def decode_client_frame(payload: bytes | str, wire_format: WireFormat) -> AnyClientFrame:
    """Decode what a client sent.

    Raises:
        msgspec.DecodeError: if it is not a frame a client may send.
    """
    if wire_format == "json":
        return _decode(_json_client.decode, payload)
    return _decode(_msgpack_client.decode, _as_bytes(payload))


def decode_server_frame(payload: bytes | str, wire_format: WireFormat) -> AnyServerFrame:
    """Decode what the gateway sent.

    Raises:
        msgspec.DecodeError: if it is not a frame the gateway may send.
    """
    if wire_format == "json":
        return _decode(_json_server.decode, payload)
    return _decode(_msgpack_server.decode, _as_bytes(payload))


def encode_event(event: Event) -> bytes:
    """Encode an event for `TopicEntry.body`."""
    return _msgpack_encoder.encode(event)


def decode_event(body: bytes | msgspec.Raw) -> AnyEvent:
    """Decode the body of a topic entry.

    Raises:
        msgspec.DecodeError: if it is an event this version does not know.
    """
    return _decode(_event.decode, bytes(body))


def encode_command(envelope: CommandEnvelope) -> bytes:
    """Encode a command for the command stream."""
    return _msgpack_encoder.encode(envelope)


def decode_command(payload: bytes) -> CommandEnvelope:
    """Decode an entry of the command stream.

    Raises:
        msgspec.DecodeError: if it is not one.
    """
    return _decode(_command_envelope.decode, payload)


def encode_topic_entry(entry: TopicEntry) -> bytes:
    """Encode an event for a topic's log and live channel."""
    return _msgpack_encoder.encode(entry)


def decode_topic_entry(payload: bytes) -> TopicEntry:
    """Decode an entry of a topic's log or live channel.

    Raises:
        msgspec.DecodeError: if it is not one.
    """
    return _decode(_topic_entry.decode, payload)
