"""One connection of a client, from `welcome` to the end of the socket."""

import math
import random
from collections.abc import Awaitable, Callable
from typing import Final, cast

import msgspec
import trio

from loadtest.limits import QUESTION_SECONDS_MAX
from loadtest.listening import Listener
from loadtest.outstanding import GivenCommand, Outstanding
from loadtest.sockets import Socket, SocketClosedError
from loadtest.subscriptions import Subscriptions
from loadtest.wire import ABNORMAL
from protocol.client_frames import ClientFrame, GiveCommand, Hello, Ping, Refresh, Subscribe
from protocol.codec import decode_server_frame, encode_frame
from protocol.events import CommandCommitted, CommandRejected
from protocol.server_frames import (
    Accepted,
    AnyServerFrame,
    Error,
    EventFrame,
    Gap,
    Notice,
    Ok,
    PersonFrame,
    Pong,
    ProductState,
    Reconnect,
    Refreshed,
    Replayed,
    Resumed,
    SignalFrame,
    Stale,
    Subscribed,
    Unsubscribed,
    Watching,
    WatchingPeople,
    Welcome,
)
from protocol.topics import user_topic
from protocol.version import WireFormat

_REFRESH_SHARE_MIN: Final = 0.5
_REFRESH_SHARE_MAX: Final = 0.8
_LOST_TOPIC_RETRY_SECONDS: Final = 1.0


Decode = Callable[[bytes, WireFormat], AnyServerFrame]


class NotWelcomeError(Exception):
    """The gateway answered `hello` with something else than `welcome`."""


async def greet(socket: Socket, hello: Hello) -> tuple[Welcome, list[bytes]]:
    """Say hello and return the welcome, with the messages that came right behind it.

    Raises:
        NotWelcomeError: if the gateway refuses for now.
        SocketClosedError: if it closes the socket.
    """
    await socket.send(encode_frame(hello, socket.wire_format))
    first, *early = await socket.receive()
    frame = decode_server_frame(first, socket.wire_format)
    if isinstance(frame, Welcome):
        return frame, early
    if isinstance(frame, Error) and not frame.temporary:
        await socket.receive()  # the close code that follows says whether to come back
    raise NotWelcomeError(str(frame))


class Conversation:
    """Reads, keeps alive and sends again on one socket."""

    def __init__(  # noqa: PLR0913  each part is another concern of one connection
        self,
        socket: Socket,
        *,
        welcome: Welcome,
        early: list[bytes],
        subscriptions: Subscriptions,
        outstanding: Outstanding,
        listener: Listener,
        decode: Decode = decode_server_frame,
    ) -> None:
        self.leaves_at_once = False
        self._decode = decode
        self._socket = socket
        self._early = early
        self._user_topic = user_topic(welcome.user)
        self._subscriptions = subscriptions
        self._outstanding = outstanding
        self._listener = listener
        self._heartbeat_seconds = welcome.heartbeat_ms / 1000
        self._refresh_at = math.inf
        self._ticket_expires_in_ms = welcome.ticket_expires_in_ms
        self._leave_at = math.inf
        self._lost_retry_at = -math.inf
        self._heard_at = self._sent_at = trio.current_time()
        self._next_id = 2
        self._commands: dict[int, str] = {}
        self._answers: dict[int, trio.MemorySendChannel[AnyServerFrame]] = {}
        self._alarm = trio.CancelScope()
        self._code = ABNORMAL

    async def run(
        self, new_ticket: Callable[[], Awaitable[str | None]], dice: random.Random
    ) -> int:
        """Converse until the socket is closed, and return the close code."""
        self._dice = dice
        self._refresh_at = _refresh_at(self._ticket_expires_in_ms, dice)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._keep, new_ticket, nursery.cancel_scope)
                await self._listen()
                nursery.cancel_scope.cancel()
        finally:
            for channel in self._answers.values():
                channel.close()
            with trio.CancelScope(shield=True):
                await self._socket.abort()
        return self._code

    async def send(self, frame: ClientFrame) -> None:
        """Send a frame; a dead socket is noticed by the reader, not here."""
        self._sent_at = trio.current_time()
        try:
            await self._socket.send(encode_frame(frame, self._socket.wire_format))
        except SocketClosedError:
            await self._socket.abort()

    async def send_command(self, command: GivenCommand) -> None:
        """Send a command, for the first time or again."""
        frame_id = self._new_id()
        self._commands[frame_id] = command.key
        command.sent()
        self._alarm.deadline = min(self._alarm.deadline, command.due_at)
        await self.send(GiveCommand(id=frame_id, key=command.key, body=command.body))

    async def ask(self, question: Callable[[int], ClientFrame]) -> AnyServerFrame | None:
        """Send a question and return its answer; None if the connection ends before."""
        frame_id = self._new_id()
        sender, receiver = trio.open_memory_channel[AnyServerFrame](1)
        self._answers[frame_id] = sender
        try:
            await self.send(question(frame_id))
            with trio.move_on_after(QUESTION_SECONDS_MAX):
                return await receiver.receive()
            await self.abort()
        except trio.EndOfChannel:
            pass
        finally:
            self._answers.pop(frame_id, None)
        return None

    def pause(self, *, on: bool) -> None:
        """Stop reading, or go on."""
        self._socket.pause(on=on)

    async def abort(self) -> None:
        """Cut the connection."""
        await self._socket.abort()

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    async def _listen(self) -> None:
        try:
            self._hear_all(self._early)
            await self._socket.listen(self._hear_all)
        except SocketClosedError as closed:
            self._code = closed.code
        except msgspec.DecodeError as error:
            self._listener.connect_failed(f"a frame cannot be understood: {error}")

    def _hear_all(self, messages: list[bytes]) -> None:
        self._heard_at = trio.current_time()
        wire_format = self._socket.wire_format
        for message in messages:
            self._hear(self._decode(message, wire_format))

    def _hear(self, frame: AnyServerFrame) -> None:  # noqa: C901  # a table of all there is
        match frame:
            case EventFrame():
                self._subscriptions.moves(frame)
                self._listener.event(frame)
                if frame.topic == self._user_topic:
                    self._hear_outcome(frame)
            case SignalFrame():
                self._listener.signal(frame)
            case Accepted(id=frame_id, key=key):
                self._commands.pop(frame_id, None)
                self._hear_accepted(key)
            case Gap() | Unsubscribed() | Reconnect() | Replayed():
                self._hear_notice(frame)
            case Notice():
                pass  # words for people
            case Subscribed() | Resumed() | Ok() | Refreshed() | Pong() | Error() | Welcome():
                self._hear_answer(frame)
            case Watching() | ProductState() | Stale() | WatchingPeople() | PersonFrame():
                pass  # of what pages show; these users show nothing

    def _hear_outcome(self, frame: EventFrame) -> None:
        if isinstance(frame.body, CommandCommitted | CommandRejected):
            command = self._outstanding.finish(frame.body.key, frame.body)
            if command is not None:
                self._listener.finished(command)

    def _hear_accepted(self, key: str) -> None:
        command = self._outstanding.accept(key)
        if command is not None:
            self._listener.accepted(command)

    def _hear_notice(self, frame: Gap | Unsubscribed | Reconnect | Replayed) -> None:
        match frame:
            case Gap():
                self._subscriptions.jumps(frame)
                self._listener.gap(frame)
                if frame.topic == self._user_topic:
                    self._outstanding.outcomes_lost()
                    self._alarm.deadline = -math.inf
            case Unsubscribed(topic=topic):
                self._subscriptions.forgets(topic)
            case Reconnect(within_ms=within_ms):
                self.leaves_at_once = True
                wait_seconds = self._dice.uniform(0, within_ms / 1000)
                self._leave_at = trio.current_time() + wait_seconds
                self._alarm.deadline = min(self._alarm.deadline, self._leave_at)
            case Replayed(topic=topic):
                self._listener.replayed(topic)

    def _hear_answer(self, frame: AnyServerFrame) -> None:
        if isinstance(frame, Subscribed):
            self._subscriptions.subscribed(frame)
        frame_id = cast("int | None", getattr(frame, "id", None))
        if isinstance(frame, Error) and frame.id in self._commands:
            self._hear_refusal(self._commands.pop(frame.id), frame)
        elif frame_id in self._answers:
            self._answers[frame_id].send_nowait(frame)

    def _hear_refusal(self, key: str, refusal: Error) -> None:
        command = self._outstanding.find(key)
        if command is None:
            return
        if refusal.temporary:
            command.put_off((refusal.retry_after_ms or 0) / 1000)
            self._listener.put_off(command, refusal)
            self._alarm.deadline = min(self._alarm.deadline, command.due_at)
        else:
            self._outstanding.finish(key, refusal)
            self._listener.finished(command)

    async def _keep(
        self, new_ticket: Callable[[], Awaitable[str | None]], scope: trio.CancelScope
    ) -> None:
        """Do what time asks for: send again, ping, refresh the ticket, leave, notice silence."""
        while True:
            now = trio.current_time()
            if now >= self._leave_at or now >= self._dead_at():
                scope.cancel()
                return
            for command in self._outstanding.due():
                await self.send_command(command)
            if now >= self._sent_at + self._heartbeat_seconds:
                await self.send(Ping(id=self._new_id()))
            if now >= self._refresh_at:
                await self._refresh(new_ticket)
            if self._subscriptions.lost() and now >= self._lost_retry_at:
                await self._ask_for_lost_topics()
            with trio.CancelScope(deadline=self._next_alarm_at()) as self._alarm:
                await trio.sleep_forever()

    def _dead_at(self) -> float:
        return self._heard_at + self._heartbeat_seconds + QUESTION_SECONDS_MAX

    def _next_alarm_at(self) -> float:
        return min(
            self._outstanding.next_due_at(),
            self._sent_at + self._heartbeat_seconds,
            self._dead_at(),
            self._refresh_at,
            self._leave_at,
            self._lost_retry_at if self._subscriptions.lost() else math.inf,
        )

    async def _refresh(self, new_ticket: Callable[[], Awaitable[str | None]]) -> None:
        self._refresh_at = trio.current_time() + QUESTION_SECONDS_MAX
        ticket = await new_ticket()
        if ticket is None:
            return
        answer = await self.ask(lambda frame_id: Refresh(id=frame_id, ticket=ticket))
        if isinstance(answer, Refreshed):
            self._refresh_at = _refresh_at(answer.ticket_expires_in_ms, self._dice)

    async def _ask_for_lost_topics(self) -> None:
        """Topics that a welcome left out: the right is gone, or could not be checked."""
        for topic, position in self._subscriptions.lost():
            answer = await self.ask(
                lambda frame_id, topic=topic, position=position: Subscribe(  # type: ignore[misc]
                    id=frame_id, topic=topic, position=position
                )
            )
            if isinstance(answer, Error) and not answer.temporary:
                self._subscriptions.forgets(topic)
        self._lost_retry_at = trio.current_time() + _LOST_TOPIC_RETRY_SECONDS


def _refresh_at(expires_in_ms: int, dice: random.Random) -> float:
    """Choose a moment well before the end: those who came together do not all ask together."""
    share = dice.uniform(_REFRESH_SHARE_MIN, _REFRESH_SHARE_MAX)
    return trio.current_time() + expires_in_ms / 1000 * share
