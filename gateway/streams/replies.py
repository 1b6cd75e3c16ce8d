"""What Redis answers, and how to be sure of its shape."""

from typing import TypeAlias

Argument: TypeAlias = bytes | str | int | float
"""One word of a command."""

Reply: TypeAlias = "bytes | int | list[Reply] | None"
"""An answer in RESP2: integers, byte strings, nil, and lists of these."""


class LinkDownError(Exception):
    """Redis cannot be reached now, or the connection was lost before it answered.

    A call that ends so may still have been carried out.
    """


class LinkFullError(LinkDownError):
    """Too much is waiting for Redis already; this call was not sent."""


class LinkReplyError(Exception):
    """Redis refused this one call; the message is its own."""


class UnexpectedReplyError(LinkReplyError):
    """Redis answered with something this command never answers with."""


def as_int(reply: Reply) -> int:
    """Return a reply that must be an integer, or a byte string that spells one."""
    if isinstance(reply, int):
        return reply
    if isinstance(reply, bytes) and reply.isdigit():
        return int(reply)
    raise UnexpectedReplyError(f"expected an integer, not {_shown(reply)}")


def as_bytes(reply: Reply) -> bytes:
    """Return a reply that must be a byte string."""
    if isinstance(reply, bytes):
        return reply
    raise UnexpectedReplyError(f"expected a byte string, not {_shown(reply)}")


def as_list(reply: Reply) -> "list[Reply]":
    """Return a reply that must be a list."""
    if isinstance(reply, list):
        return reply
    raise UnexpectedReplyError(f"expected a list, not {_shown(reply)}")


def _shown(reply: Reply) -> str:
    return repr(reply)[:80]
