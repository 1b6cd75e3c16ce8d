"""Dial Redis, and dial again for ever, with pauses of full jitter."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Final, Literal, cast

import trio

from gateway.streams.address import RedisAddress
from gateway.streams.replies import Argument, LinkReplyError
from gateway.streams.resp import NOTHING, new_parser, pack
from gateway.streams.wire import RECEIVE_BYTES, WIRE_FAILURES, WireError
from shared.backoff import full_jitter
from shared.logging import get_logger

CONNECT_SECONDS_MAX: Final = 3.0
"""For the TCP and TLS handshakes, signing in and choosing the database, together."""

PAUSE_BASE_SECONDS: Final = 0.1
PAUSE_CAP_SECONDS: Final = 2.0

STEADY_SECONDS: Final = 5.0
"""A connection that lasted so long was a good one: the pauses start over."""

_logger: Final = get_logger("streams")

RespVersion = Literal[2, 3]


class Redial:
    """Holds one connection to Redis after another, and keeps the score."""

    def __init__(self, address: RedisAddress, *, name: str, resp_version: RespVersion) -> None:
        self.connects_count = 0
        self.disconnects_count = 0
        self.last_failure = ""
        self._address = address
        self._name = name
        self._resp_version: RespVersion = resp_version
        self._attempts_count = 0

    async def run(
        self,
        converse: Callable[[trio.abc.Stream], Awaitable[None]],
        *,
        on_tried: Callable[[], None],
    ) -> None:
        """Dial and converse for ever; `on_tried` when the first attempt has ended, well or not.

        `converse` is given each new connection, signed in, and returns only by raising.
        """
        ready = _Once(on_tried)
        pauses = full_jitter(base_seconds=PAUSE_BASE_SECONDS, cap_seconds=PAUSE_CAP_SECONDS)
        while True:
            began = trio.current_time()
            await self._try(converse, ready)
            ready()
            if trio.current_time() - began > STEADY_SECONDS:
                pauses = full_jitter(base_seconds=PAUSE_BASE_SECONDS, cap_seconds=PAUSE_CAP_SECONDS)
            await trio.sleep(next(pauses))

    async def _try(
        self, converse: Callable[[trio.abc.Stream], Awaitable[None]], ready: "_Once"
    ) -> None:
        connected = False
        try:
            self._attempts_count += 1
            stream = await dial(self._address, name=self._name, resp_version=self._resp_version)
            connected = True
            self._note_connected()
            ready()
            try:
                await converse(stream)
            finally:
                await trio.aclose_forcefully(stream)
        except* WIRE_FAILURES as failures:
            self._note_failure(_reason(failures), connected=connected)

    def _note_connected(self) -> None:
        _logger.info(
            "redis.connected",
            connection=self._name,
            address=repr(self._address),
            attempts=self._attempts_count,
        )
        self.connects_count += 1
        self._attempts_count = 0

    def _note_failure(self, reason: str, *, connected: bool) -> None:
        self.last_failure = reason
        if connected:
            self.disconnects_count += 1
        if connected or self._attempts_count == 1:
            _logger.warning(
                "redis.lost" if connected else "redis.unreachable",
                connection=self._name,
                address=repr(self._address),
                reason=reason,
            )


async def dial(address: RedisAddress, *, name: str, resp_version: RespVersion) -> trio.abc.Stream:
    """Open a connection that is signed in, named and on its database; one of `WIRE_FAILURES`."""
    with trio.fail_after(CONNECT_SECONDS_MAX):
        stream = await _open(address)
        greeted = False
        try:
            await _greet(stream, _greetings(address, name, resp_version))
            greeted = True
        finally:
            if not greeted:
                await trio.aclose_forcefully(stream)
    return stream


async def _open(address: RedisAddress) -> trio.abc.Stream:
    if not address.tls:
        return await trio.open_tcp_stream(address.host, address.port)
    return await trio.open_ssl_over_tcp_stream(
        address.host, address.port, ssl_context=ssl.create_default_context()
    )


def _greetings(
    address: RedisAddress, name: str, resp_version: RespVersion
) -> list[tuple[Argument, ...]]:
    sign_in: tuple[Argument, ...] = ()
    if address.password is not None:
        sign_in = ("AUTH", address.user, address.password)
    greetings: list[tuple[Argument, ...]] = [("HELLO", resp_version, *sign_in, "SETNAME", name)]
    if address.database:
        greetings.append(("SELECT", address.database))
    return greetings


async def _greet(stream: trio.abc.Stream, greetings: list[tuple[Argument, ...]]) -> None:
    await stream.send_all(b"".join(pack(greeting) for greeting in greetings))
    parser = new_parser()
    for _ in greetings:
        while (reply := parser.gets()) is NOTHING:
            chunk = await stream.receive_some(RECEIVE_BYTES)
            if not chunk:
                raise WireError("Redis closed the connection")
            parser.feed(chunk)
        if isinstance(reply, LinkReplyError):
            raise reply


def _reason(failure: BaseException) -> str:
    """Return the kind and words of the first failure of a group, or of what trio wrapped in it."""
    if isinstance(failure, BaseExceptionGroup):
        failures = cast("BaseExceptionGroup[BaseException]", failure)
        return _reason(failures.exceptions[0])
    if isinstance(failure, trio.BrokenResourceError) and failure.__cause__ is not None:
        return _reason(failure.__cause__)
    return f"{type(failure).__name__}: {failure}"


class _Once:
    """Calls something the first time it is called."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call()
