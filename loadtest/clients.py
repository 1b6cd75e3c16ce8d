"""A reference client: one device of one user, which keeps itself connected.

    async with trio.open_nursery() as nursery:
        client = Client(ClientOptions(address=…, device=…), fetch_ticket=…, listener=…)
        nursery.start_soon(client.run)
        await client.subscribe(room_topic(room))
        command = await client.give(SendMessage(room=room, text="Hello"))
        outcome = await command.wait()

It reconnects by itself with full jitter, resumes every topic from where it stood, and sends
commands without an outcome again under the same key, so that each happens once.
"""

import random
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import msgspec
import trio

from loadtest.backoff import full_jitter
from loadtest.conversation import Conversation, Decode, NotWelcomeError, greet
from loadtest.limits import HANDSHAKE_SECONDS_MAX
from loadtest.listening import Listener
from loadtest.outstanding import GivenCommand, Outstanding
from loadtest.reader import Reader
from loadtest.sockets import Socket, SocketAddress, SocketClosedError, connect
from loadtest.subscriptions import Subscriptions
from loadtest.wire import WireError
from protocol.client_frames import Hello, SetStatus, SetTyping, Subscribe, Unsubscribe
from protocol.close_codes import CLOSE_CODES, REPLACED
from protocol.codec import decode_server_frame
from protocol.commands import AnyCommand
from protocol.ids import DeviceId
from protocol.server_frames import Error
from protocol.topics import Position, Topic
from protocol.version import WireFormat

_TERMINAL_CODES: Final = frozenset(row.code for row in CLOSE_CODES if not row.reconnect)


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /v1/tickets` answers."""

    ticket: str
    expires_in_ms: int
    socket_url: str


class TicketUnavailableError(Exception):
    """There is no ticket now; asking again can help."""


class RefusedError(Exception):
    """The gateway does not want this client, or not what it asks for."""


class ClientOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Who connects, where to and how.

    Many clients of one process may share a reader of their sockets, and what decodes their frames.
    """

    address: SocketAddress
    device: DeviceId
    wire_format: WireFormat = "json"
    origin: str | None = None
    shared: Reader | None = None
    decode: Decode = decode_server_frame


async def open_socket(options: ClientOptions) -> Socket:
    """Open a WebSocket to where the options say."""
    return await connect(
        options.address, options.wire_format, origin=options.origin, shared=options.shared
    )


class Client:
    """One device of one user. `run` must be running for anything to happen."""

    def __init__(
        self,
        options: ClientOptions,
        *,
        fetch_ticket: Callable[[], Awaitable[Ticket]],
        listener: Listener,
        dice: random.Random | None = None,
        now: Callable[[], float] = time.monotonic,
        open_socket: Callable[[ClientOptions], Awaitable[Socket]] = open_socket,
    ) -> None:
        self._options = options
        self._open_socket = open_socket
        self._fetch_ticket = fetch_ticket
        self._listener = listener
        self._dice = dice or random.Random()
        self._now = now
        self._session: str | None = None
        self._outstanding = Outstanding()
        self._subscriptions = Subscriptions(listener)
        self._conversation: Conversation | None = None
        self._connected = trio.Event()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now."""
        return self._conversation is not None

    @property
    def commands_outstanding(self) -> int:
        """How many commands have no outcome yet."""
        return len(self._outstanding)

    def position(self, topic: Topic) -> Position | None:
        """Return where this client stands in a topic; None if it does not hear it."""
        return self._subscriptions.position(topic)

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises:
            RefusedError: if the gateway's close code says not to come back.
        """
        pauses: Iterator[float] = full_jitter(self._dice)
        while True:
            conversation = await self._open()
            if conversation is not None:
                pauses = full_jitter(self._dice)
                await self._converse(conversation)
                if conversation.leaves_at_once:
                    continue
            await trio.sleep(next(pauses))

    async def wait_connected(self) -> None:
        """Wait until there is a connection."""
        while self._conversation is None:
            await self._connected.wait()

    async def subscribe(self, topic: Topic, position: Position | None = None) -> None:
        """Hear a topic, from `position` or from now on; kept up across reconnects.

        Raises:
            RefusedError: if the user may not hear it.
        """
        self._subscriptions.asks(topic, position)
        while not self._subscriptions.hears(topic):
            conversation = await self._current()
            answer = await conversation.ask(
                lambda frame_id: Subscribe(id=frame_id, topic=topic, position=position)
            )
            if isinstance(answer, Error):
                await self._think_about(answer)

    async def unsubscribe(self, topic: Topic) -> None:
        """Stop hearing a topic."""
        if self._conversation is not None:
            await self._conversation.ask(lambda frame_id: Unsubscribe(id=frame_id, topic=topic))
        self._subscriptions.forgets(topic)

    async def give(self, body: AnyCommand, *, key: str | None = None) -> GivenCommand:
        """Send a command and return it; it is sent again until it has an outcome.

        Waits while `COMMANDS_OUTSTANDING_MAX` commands have none.
        """
        command = GivenCommand(
            key=key or secrets.token_urlsafe(16),
            body=body,
            given_at=self._now(),
            dice=self._dice,
        )
        await self._outstanding.admit(command)
        if self._conversation is not None:
            await self._conversation.send_command(command)
        return command

    async def set_typing(self, topic: Topic, *, on: bool) -> None:
        """Say that the user is writing, or has stopped; lost without harm."""
        if self._conversation is not None:
            await self._conversation.send(SetTyping(topic=topic, on=on))

    async def set_visible(self, *, visible: bool) -> None:
        """Say whether the user can see the page; lost without harm."""
        if self._conversation is not None:
            await self._conversation.send(SetStatus(visible=visible))

    def pause(self, *, on: bool) -> None:
        """Stop reading as a frozen client does, or go on; needs a shared reader."""
        if self._conversation is not None:
            self._conversation.pause(on=on)

    async def cut(self) -> None:
        """Lose the connection as a bad network would; the client reconnects by itself."""
        if self._conversation is not None:
            await self._conversation.abort()

    async def _open(self) -> Conversation | None:
        try:
            with trio.fail_after(HANDSHAKE_SECONDS_MAX):
                return await self._connect()
        except SocketClosedError as closed:
            self._listener.connect_failed(str(closed))
            self._judge(closed.code)
        except (
            OSError,
            WireError,
            NotWelcomeError,
            TicketUnavailableError,
            trio.TooSlowError,
        ) as error:
            self._listener.connect_failed(f"{type(error).__name__}: {error}")
        return None

    async def _connect(self) -> Conversation:
        ticket = await self._fetch_ticket()
        began_at = self._now()
        options = self._options
        socket = await self._open_socket(options)
        try:
            hello = Hello(
                id=1,
                ticket=ticket.ticket,
                device=options.device,
                session=self._session,
                positions=self._subscriptions.positions(),
            )
            welcome, early = await greet(socket, hello)
        except BaseException:
            await socket.abort()
            raise
        self._session = welcome.session
        self._listener.connected(welcome, self._now() - began_at)
        self._subscriptions.welcomed(welcome)
        self._outstanding.reconnected()
        return Conversation(
            socket,
            welcome=welcome,
            early=early,
            subscriptions=self._subscriptions,
            outstanding=self._outstanding,
            listener=self._listener,
            decode=options.decode,
        )

    async def _converse(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._connected.set()
        try:
            code = await conversation.run(self._new_ticket, self._dice)
        finally:
            self._conversation = None
            self._connected = trio.Event()
        self._listener.disconnected(code)
        if code == REPLACED.code:
            self._session = None
        self._judge(code)

    async def _new_ticket(self) -> str | None:
        try:
            return (await self._fetch_ticket()).ticket
        except TicketUnavailableError:
            return None

    async def _current(self) -> Conversation:
        await self.wait_connected()
        assert self._conversation is not None
        return self._conversation

    async def _think_about(self, refusal: Error) -> None:
        if not refusal.temporary:
            raise RefusedError(f"{refusal.name}: {refusal.message}")
        await trio.sleep((refusal.retry_after_ms or 0) / 1000 + self._dice.uniform(0, 1))

    def _judge(self, code: int) -> None:
        if code in _TERMINAL_CODES:
            raise RefusedError(f"the gateway closed the socket for good ({code})")
