"""A gateway that does what a test tells it to, at the other end of a stream in memory.

It speaks WebSocket through wsproto, so that our own framing meets another implementation.
"""

import random

import trio
import trio.testing
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage

from loadtest.clients import Client, ClientOptions, Ticket
from loadtest.listening import Listener
from loadtest.sockets import Socket, SocketAddress
from protocol.client_frames import GiveCommand, Hello
from protocol.codec import decode_client_frame, encode_frame
from protocol.events import CommandCommitted
from protocol.server_frames import Accepted, EventFrame, Limits, Welcome
from protocol.topics import Position

USER = "usr_01JD0000000000000000000000"
USER_TOPIC = f"user:{USER}"
ROOM = "rom_01JD0000000000000000000000"
ROOM_TOPIC = f"room:{ROOM}"
OPTIONS = ClientOptions(
    address=SocketAddress(host="gateway", port=1, path="/ws", tls=False), device="device-1"
)


class Call:
    """One connection, as the gateway sees it."""

    def __init__(self, stream):
        self._stream = stream
        self._protocol = Connection(ConnectionType.SERVER)
        self._frames = []

    async def hear(self):
        """Return the next frame of the client."""
        while not self._frames:
            chunk = await self._stream.receive_some()
            if not chunk:
                raise EOFError
            self._protocol.receive_data(chunk)
            for event in self._protocol.events():
                match event:
                    case TextMessage(data=text):
                        self._frames.append(decode_client_frame(text, "json"))
                    case CloseConnection():
                        raise EOFError
        return self._frames.pop(0)

    async def hear_only(self, kind):
        """Return the next frame, which must be of this kind."""
        frame = await self.hear()
        assert isinstance(frame, kind), frame
        return frame

    async def say(self, *frames):
        """Send frames, all in one piece."""
        encoded = b"".join(
            self._protocol.send(TextMessage(data=encode_frame(frame, "json").decode()))
            for frame in frames
        )
        await self._stream.send_all(encoded)

    async def welcome(self, *, positions=None, heartbeat_ms=25_000, ticket_expires_in_ms=300_000):
        """Take a hello and answer it; return the hello."""
        hello = await self.hear_only(Hello)
        named = positions if positions is not None else dict(hello.positions)
        await self.say(
            Welcome(
                id=hello.id,
                session="session-1",
                user=USER,
                name="Ada",
                positions={USER_TOPIC: Position("e1", 0)} | named,
                heartbeat_ms=heartbeat_ms,
                ticket_expires_in_ms=ticket_expires_in_ms,
                server_time_ms=0,
                limits=Limits(
                    frame_bytes_max=16384,
                    message_text_bytes_max=4096,
                    topics_max=128,
                    replay_events_max=300,
                ),
            )
        )
        return hello

    async def accept_command(self):
        """Take a command and say that it is durable; return it."""
        given = await self.hear_only(GiveCommand)
        await self.say(Accepted(id=given.id, key=given.key))
        return given

    async def commit(self, key, *, offset):
        """Tell that a command was committed."""
        await self.say(an_event(USER_TOPIC, offset, CommandCommitted(key=key)))

    async def ping(self):
        await self._stream.send_all(self._protocol.send(Ping(payload=b"there?")))

    async def close(self, code):
        """Close the connection with a code."""
        await self._stream.send_all(self._protocol.send(CloseConnection(code=code)))
        await self._stream.aclose()

    async def lose(self):
        """Let the connection break."""
        await self._stream.aclose()


class ScriptedGateway:
    """Every connect of the client is a `Call` to take."""

    def __init__(self):
        self._calls, self._waiting = trio.open_memory_channel(10)
        self.calls_count = 0
        self.refusing = False

    async def open_socket(self, options):
        """Be connected to."""
        if self.refusing:
            raise ConnectionRefusedError
        self.calls_count += 1
        near, far = trio.testing.memory_stream_pair()
        await self._calls.send(Call(far))
        return Socket(near, options.wire_format, b"")

    async def take_call(self):
        """Return the next connection."""
        return await self._waiting.receive()


class TicketOffice:
    """Hands out tickets, and counts them."""

    def __init__(self):
        self.issued = 0

    async def fetch(self):
        self.issued += 1
        return Ticket(ticket=f"ticket-{self.issued}", expires_in_ms=300_000, socket_url="ws://x")


def a_client(gateway, *, listener=None, tickets=None):
    """Return a client of that gateway."""
    return Client(
        OPTIONS,
        fetch_ticket=(tickets or TicketOffice()).fetch,
        listener=listener or Listener(),
        dice=random.Random(1),  # noqa: S311  # a test must be repeatable
        now=trio.current_time,
        open_socket=gateway.open_socket,
    )


def an_event(topic, offset, body):
    """Return an event frame."""
    return EventFrame(topic=topic, offset=offset, id=f"evt_{topic}_{offset}", at_ms=0, body=body)
