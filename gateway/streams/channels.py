"""Pub/sub: a second connection on which the gateway hears its channels.

Redis answers SUBSCRIBE, UNSUBSCRIBE and PING in the order they were sent, so `_expected` holds one
item for each answer to come. A message is handed on only if its channel's latest SUBSCRIBE was
confirmed on this connection, so a receiver hears nothing of a time before it was attached.

On a cluster's node the sharded forms of the commands are used. A node that loses a slot says of
each of its channels, unasked, that it has let go of it.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, cast

import msgspec
import trio

from gateway.streams.address import RedisAddress
from gateway.streams.redial import Redial
from gateway.streams.replies import LinkDownError, LinkFullError, LinkReplyError
from gateway.streams.resp import PushNotification, pack
from gateway.streams.wire import Wire, WireError
from shared.logging import get_logger

__all__ = [
    "Channels",
    "ChannelsStatistics",
    "LinkDownError",
    "LinkFullError",
    "LinkReplyError",
    "Receiver",
    "Subscriptions",
]

CHANNELS_MAX: Final = 200_000
"""Channels one worker hears at most: two for each topic it could have open."""

Receiver = Callable[[bytes], None]
"""Takes one message, at once. It must not raise; if it does, that is logged and counted."""

_PING: Final = pack(("PING",))
_logger: Final = get_logger("streams")


class Subscriptions(Protocol):
    """Whatever channels can be heard through."""

    @property
    def is_up(self) -> bool:
        """Say whether everything that should be attached is."""
        ...

    @property
    def connects_count(self) -> int:
        """Count the connections made; when it grows, messages may have been missed."""
        ...

    async def attach(self, channel: str, receiver: Receiver) -> None:
        """Hear a channel; see `Channels.attach`."""
        ...

    async def detach(self, channel: str) -> None:
        """Stop hearing a channel; see `Channels.detach`."""
        ...


class ChannelsStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard so far, and what is attached now."""

    is_up: bool
    attached_count: int
    messages_count: int
    receiver_failures_count: int
    connects_count: int
    disconnects_count: int
    last_failure: str


class _Attachment:
    """A channel's receiver, and how far Redis knows of it."""

    __slots__ = ("confirmed", "failure", "receiver", "settled")

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.confirmed = False
        self.failure: Exception | None = None
        self.settled: trio.Event | None = trio.Event()

    def settle(self, failure: Exception | None) -> None:
        """Let the task that attaches go on; nothing if it already did."""
        if self.settled is not None:
            self.failure = failure
            self.settled.set()
            self.settled = None


class _Detached(msgspec.Struct, frozen=True):
    """Marks the UNSUBSCRIBE from a channel."""

    name: bytes


class _Reattached:
    """Marks the PING that is answered when every channel is attached again."""


_Expected = _Attachment | _Detached | _Reattached | None
"""Whom an answer concerns; None for a PING that only shows life."""


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    """What attaching, detaching and messages are called."""

    subscribe: str
    unsubscribe: str
    message: bytes
    unsubscribed: bytes


_PLAIN: Final = _Words(
    subscribe="SUBSCRIBE",
    unsubscribe="UNSUBSCRIBE",
    message=b"message",
    unsubscribed=b"unsubscribe",
)
_SHARDED: Final = _Words(
    subscribe="SSUBSCRIBE",
    unsubscribe="SUNSUBSCRIBE",
    message=b"smessage",
    unsubscribed=b"sunsubscribe",
)


class Channels:
    """Hears channels for as long as they are attached, over any number of reconnects."""

    on_reconnected: Callable[[], None]
    """Called when everything is attached again after an outage: messages may have been missed."""

    on_drained: Callable[[], None]
    """Called when every message that has arrived was handed on, before anything else is done."""

    on_dropped: Callable[[str], None]
    """Called with a sharded channel that the node has let go of, or does not take again."""

    def __init__(
        self,
        address: RedisAddress,
        *,
        name: str = "rialto-gateway-channels",
        is_sharded: bool = False,
    ) -> None:
        self.on_reconnected = self.on_drained = _do_nothing
        self.on_dropped = _ignore
        self._words = _SHARDED if is_sharded else _PLAIN
        self._is_sharded = is_sharded
        self._redial = Redial(address, name=name, resp_version=3)
        self._wire: Wire | None = None
        self._is_up = False
        self._attachments: dict[bytes, _Attachment] = {}
        self._expected: deque[_Expected] = deque()
        self._messages_count = 0
        self._receiver_failures_count = 0

    @property
    def is_up(self) -> bool:
        """Say whether everything that should be attached is."""
        return self._is_up

    @property
    def connects_count(self) -> int:
        """Count the connections made; when it grows, messages may have been missed."""
        return self._redial.connects_count

    def statistics(self) -> ChannelsStatistics:
        """Count what was heard and what is attached."""
        return ChannelsStatistics(
            is_up=self.is_up,
            attached_count=len(self._attachments),
            messages_count=self._messages_count,
            receiver_failures_count=self._receiver_failures_count,
            connects_count=self._redial.connects_count,
            disconnects_count=self._redial.disconnects_count,
            last_failure=self._redial.last_failure,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep connected for ever; started once the first attempt to connect has ended."""

        def on_tried() -> None:
            task_status.started()

        await self._redial.run(self._converse, on_tried=on_tried)

    async def attach(self, channel: str, receiver: Receiver) -> None:
        """Hear `channel` from now on: returns once Redis has confirmed it.

        A channel has one receiver, the latest given. Attaching and detaching take effect in the
        order they are called. Canceled or failed, the channel is not attached.

        Raises:
            LinkDownError: if Redis is down, or goes down before it confirms, or if
                `CHANNELS_MAX` is reached (`LinkFullError`).
            LinkReplyError: if Redis refused.
        """
        name = channel.encode()
        await self._make_sure_of_room(name)
        attachment = _Attachment(receiver)
        settled = attachment.settled
        assert settled is not None
        self._attachments[name] = attachment
        self._subscribe(name, attachment)
        try:
            await settled.wait()
        finally:
            if not attachment.confirmed:
                self._forget(name, attachment)
        if attachment.failure is not None:
            raise attachment.failure

    async def detach(self, channel: str) -> None:
        """Stop hearing `channel`: the receiver is not called again. Never fails, never waits."""
        name = channel.encode()
        if name in self._attachments:
            self._forget(name, self._attachments[name])
        await trio.lowlevel.checkpoint()

    async def _make_sure_of_room(self, name: bytes) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        refusal: LinkDownError | None = None
        if self._wire is None:
            refusal = LinkDownError(f"Redis is down: {self._redial.last_failure}")
        elif len(self._attachments) >= CHANNELS_MAX or not self._wire.has_room(name):
            refusal = LinkFullError("too many channels, or too much is waiting for Redis")
        if refusal is not None:
            await trio.lowlevel.checkpoint()
            raise refusal

    def _subscribe(self, name: bytes, attachment: _Attachment) -> None:
        assert self._wire is not None
        self._wire.send(pack((self._words.subscribe, name)))
        self._expected.append(attachment)

    def _forget(self, name: bytes, attachment: _Attachment) -> None:
        """Drop `attachment`, unless another has taken its place.

        There are never more UNSUBSCRIBEs waiting than there were channels, so they are sent
        whether or not there is room.
        """
        if self._attachments.get(name) is not attachment:
            return
        del self._attachments[name]
        if self._wire is not None:
            self._wire.send(pack((self._words.unsubscribe, name)))
            self._expected.append(_Detached(name))

    async def _converse(self, stream: trio.abc.Stream) -> None:
        self._wire = wire = Wire(
            stream, on_reply=self._hear, on_idle=self._ping, on_drained=self._tell_drained
        )
        for name, attachment in self._attachments.items():
            self._subscribe(name, attachment)
        wire.send(_PING)
        self._expected.append(_Reattached())
        try:
            await wire.run()
        finally:
            self._wire = None
            self._is_up = False
            self._give_up_expecting()

    def _give_up_expecting(self) -> None:
        """Fail what is being attached; what was attached before stays, to be attached again."""
        while self._expected:
            expected = self._expected.popleft()
            if isinstance(expected, _Attachment):
                expected.settle(LinkDownError("the connection was lost before Redis confirmed"))
        for name, attachment in list(self._attachments.items()):
            attachment.confirmed = False
            if attachment.failure is not None:
                del self._attachments[name]

    def _ping(self) -> None:
        if self._wire is not None:
            self._wire.send(_PING)
            self._expected.append(None)

    def _tell_drained(self) -> None:
        self.on_drained()

    def _hear(self, reply: object) -> None:
        if isinstance(reply, PushNotification):
            push = cast("list[object]", reply)
            if push[0] == self._words.message:
                self._deliver(cast("bytes", push[1]), cast("bytes", push[2]))
                return
            if push[0] == self._words.unsubscribed and self._is_unasked(cast("bytes", push[1])):
                return
        if not self._expected:
            raise WireError("Redis answered what nobody asked")
        self._answer(self._expected.popleft(), reply)

    def _is_unasked(self, name: bytes) -> bool:
        """Say whether nobody waits for word that a channel was let go; if so, take it away."""
        if not self._is_sharded or (self._expected and self._expected[0] == _Detached(name)):
            return False
        self._drop(name)
        return True

    def _drop(self, name: bytes) -> None:
        if self._attachments.pop(name, None) is not None:
            self.on_dropped(name.decode())

    def _deliver(self, name: bytes, message: bytes) -> None:
        attachment = self._attachments.get(name)
        if attachment is None or not attachment.confirmed:
            return
        self._messages_count += 1
        try:
            attachment.receiver(message)
        except Exception:  # one receiver's mistake must not silence the others
            self._receiver_failures_count += 1
            _logger.exception("receiver.failed", channel=name.decode())

    def _answer(self, expected: _Expected, reply: object) -> None:
        match expected:
            case _Attachment() if isinstance(reply, LinkReplyError):
                self._refuse(expected, reply)
            case _Attachment():
                expected.confirmed = True
                expected.settle(None)
            case _Reattached():
                self._note_attached()
            case _Detached() | None:
                pass

    def _refuse(self, attachment: _Attachment, refusal: LinkReplyError) -> None:
        if attachment.settled is not None:
            attachment.settle(refusal)
        elif self._is_sharded:
            names = [name for name, one in self._attachments.items() if one is attachment]
            for name in names:
                self._drop(name)
        else:
            raise WireError(f"Redis does not let us attach again: {refusal}")

    def _note_attached(self) -> None:
        self._is_up = True
        if self._redial.connects_count > 1:
            self.on_reconnected()


def _do_nothing() -> None:
    """Stand in until the hub says what to do."""


def _ignore(_channel: str) -> None:
    """Stand in where channels stay where they are."""
