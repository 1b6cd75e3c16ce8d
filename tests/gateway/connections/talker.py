"""A client that speaks WebSocket byte by byte over a line in memory, rightly or wrongly."""

import struct

import trio

from protocol.codec import encode_frame
from tests.gateway.connections.frames import split

REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


class Talker:
    """The far end of a line."""

    def __init__(self, line):
        self.line = line
        self.stream = b""
        self.response = b""

    def ask_for_upgrade(self, *, path="/ws", origin=None, subprotocols=None, forwarded_for=None):
        more = "" if origin is None else f"Origin: {origin}\r\n"
        more += "" if subprotocols is None else f"Sec-WebSocket-Protocol: {subprotocols}\r\n"
        more += "" if forwarded_for is None else f"X-Forwarded-For: {forwarded_for}\r\n"
        self.line.write(REQUEST.format(path=path, more=more).encode())

    def write(self, opcode, payload, *, is_last=True):
        size = len(payload)
        first = (0x80 if is_last else 0) | opcode
        if size < 126:
            header = bytes((first, 0x80 | size))
        else:
            header = struct.pack("!BBH", first, 0x80 | 126, size)
        self.line.write(header + b"\0\0\0\0" + payload)

    def say(self, frame):
        self.write(TEXT, encode_frame(frame, "json"))

    def say_text(self, text):
        self.write(TEXT, text.encode() if isinstance(text, str) else text)

    async def hear(self, seconds=0.1):
        """Take everything that comes within a while; the HTTP answer is put aside."""
        with trio.move_on_after(seconds):
            while True:
                received = await self.line.read_some()
                self.stream += received
                if not received:
                    break
        if self.stream.startswith(b"HTTP"):
            self.response, _, self.stream = self.stream.partition(b"\r\n\r\n")
        frames, self.stream = split(self.stream)
        return frames

    @property
    def status(self):
        return int(self.response.split()[1])
