"""Take a server's byte stream apart, frame by frame."""

import struct

from protocol.codec import decode_server_frame


def split(stream):
    """Return (opcode, payload) of every whole frame, and what is left over."""
    frames, at = [], 0
    while len(stream) - at >= 2:
        size, body = stream[at + 1], at + 2
        assert size < 128, "a server does not mask"
        if size == 126:
            if len(stream) - at < 4:
                break
            (size,), body = struct.unpack("!H", stream[at + 2 : at + 4]), at + 4
        elif size == 127:
            if len(stream) - at < 10:
                break
            (size,), body = struct.unpack("!Q", stream[at + 2 : at + 10]), at + 10
        if len(stream) - body < size:
            break
        assert stream[at] in {0x81, 0x82, 0x88, 0x89, 0x8A}, (
            f"not a frame: {stream[at : at + 20]!r}"
        )
        frames.append((stream[at] & 15, bytes(stream[body : body + size])))
        at = body + size
    return frames, bytes(stream[at:])


def told(stream, wire_format="json"):
    """Return the protocol frames in a stream, which must end with a whole one."""
    frames, rest = split(stream)
    assert rest == b""
    return [decode_server_frame(payload, wire_format) for opcode, payload in frames if opcode < 3]


def close_codes(stream):
    """Return the codes of the close frames in a stream."""
    return [
        int.from_bytes(payload[:2], "big") for opcode, payload in split(stream)[0] if opcode == 8
    ]
