"""Redis's wire format, by hiredis, behind honest types."""

from collections.abc import Callable
from typing import Final, Protocol, cast

import hiredis

from gateway.streams.replies import Argument, LinkReplyError

NOTHING: Final = object()
"""What a parser gives while a reply is not complete."""

ProtocolError: Final = hiredis.ProtocolError
PushNotification: Final = hiredis.PushNotification

pack: Final = cast(
    "Callable[[tuple[Argument, ...]], bytes]",
    hiredis.pack_command,
)
"""Encode one command."""


class Parser(Protocol):
    """Turns bytes into replies."""

    def feed(self, chunk: bytes | bytearray, /) -> None:
        """Take what came."""
        ...

    def gets(self) -> object:
        """Return the next reply, or `NOTHING`."""
        ...


def new_parser() -> Parser:
    """Return a parser for one connection; errors come as `LinkReplyError` values."""
    return cast("Parser", hiredis.Reader(replyError=LinkReplyError, notEnoughData=NOTHING))
