"""A client of the gateway over a real socket, for tests and for trying things out."""

import itertools
import math
from contextlib import asynccontextmanager

import trio
from trio_websocket import ConnectionClosed, open_websocket

from protocol.client_frames import GiveCommand, Hello, Ping, Resume, Subscribe, Unsubscribe
from protocol.codec import decode_server_frame, encode_frame
from protocol.server_frames import EventFrame, SignalFrame
from tests.gateway.builders import a_ticket

SUBPROTOCOLS = {"json": "rialto.v1.json", "msgpack": "rialto.v1.msgpack"}


class Client:
    """One socket, spoken to in frames."""

    def __init__(self, socket, wire_format="json"):
        self.socket = socket
        self.wire_format = wire_format
        self.numbers = itertools.count(1)
        self.put_aside = []

    async def send(self, frame):
        payload = encode_frame(frame, self.wire_format)
        await self.socket.send_message(payload.decode() if self.wire_format == "json" else payload)

    async def send_raw(self, message):
        await self.socket.send_message(message)

    async def receive(self):
        """The next frame that is not a signal."""
        with trio.fail_after(10):
            while True:
                frame = decode_server_frame(await self.socket.get_message(), self.wire_format)
                if not isinstance(frame, SignalFrame):
                    return frame

    async def receive_signal(self, kind):
        """The next signal of a kind."""
        with trio.fail_after(10):
            while True:
                frame = decode_server_frame(await self.socket.get_message(), self.wire_format)
                if isinstance(frame, SignalFrame) and isinstance(frame.body, kind):
                    return frame

    async def receive_many(self, count):
        return [await self.receive() for _ in range(count)]

    async def ask(self, frame):
        """Send a question and return the answer; events that come before it are put aside."""
        await self.send(frame)
        while True:
            answer = await self.receive()
            if getattr(answer, "id", None) == frame.id and not isinstance(answer, EventFrame):
                return answer
            self.put_aside.append(answer)

    async def hello(self, user=None, **fields):
        ticket = fields.pop("ticket", None) or a_ticket(user)
        return await self.ask(
            Hello(id=next(self.numbers), ticket=ticket, device="device-1", **fields)
        )

    async def subscribe(self, topic, position=None):
        return await self.ask(Subscribe(id=next(self.numbers), topic=topic, position=position))

    async def unsubscribe(self, topic):
        return await self.ask(Unsubscribe(id=next(self.numbers), topic=topic))

    async def resume(self, positions):
        return await self.ask(Resume(id=next(self.numbers), positions=positions))

    async def command(self, body, key="key-00000001"):
        return await self.ask(GiveCommand(id=next(self.numbers), key=key, body=body))

    async def ping(self):
        return await self.ask(Ping(id=next(self.numbers)))

    async def wait_closed(self):
        """Read to the end; return the close code."""
        with trio.fail_after(30):
            try:
                while True:
                    await self.socket.get_message()
            except ConnectionClosed as closed:
                return closed.reason.code


@asynccontextmanager
async def connected(port, wire_format="json", *, origin=None, path="/ws"):
    """A client whose socket is open; it ends with the block, politely or not."""
    headers = [] if origin is None else [(b"Origin", origin.encode())]
    async with open_websocket(
        "127.0.0.1",
        port,
        path,
        use_ssl=False,
        subprotocols=[SUBPROTOCOLS[wire_format]],
        extra_headers=headers,
        message_queue_size=math.inf,
        disconnect_timeout=1,
    ) as socket:
        try:
            yield Client(socket, wire_format)
        finally:
            with trio.move_on_after(1, shield=True):
                await socket.aclose()
                await socket._stream.aclose()  # the library leaves it open when the server closed
