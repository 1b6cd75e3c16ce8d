"""Lists by the page: keyset cursors, opaque to clients.

A page is found by `where (sort key) < (cursor's sort key)`, so the hundredth costs what the first
costs, and a row that is added meanwhile shifts nothing. A repository reads `limit + 1` rows.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Generic, TypeVar

import msgspec

from commerce.foundation.errors import InvalidRequestError

PAGE_ITEMS_MAX: Final = 100
PAGE_ITEMS_DEFAULT: Final = 30
_CURSOR_CHARS_MAX: Final = 512

Item = TypeVar("Item")
Key = TypeVar("Key", bound=msgspec.Struct)

Cursor = Annotated[str, msgspec.Meta(max_length=_CURSOR_CHARS_MAX)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=PAGE_ITEMS_MAX)]


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page. `after` is the `next` of the page before."""

    after: Cursor | None = None
    limit: Limit = PAGE_ITEMS_DEFAULT


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """Some items, and the cursor of the following page; null when there is none."""

    items: list[Item]
    next: str | None = None


def encode_cursor(key: msgspec.Struct) -> str:
    """Return the sort key of a page's last item, as a cursor."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).rstrip(b"=").decode()


def decode_cursor(kind: type[Key], cursor: str) -> Key:
    """Return the sort key that `encode_cursor` was given.

    Raises:
        InvalidRequestError: if the cursor is not of this list.
    """
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.msgpack.decode(raw, type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidRequestError("`after` is not a cursor of this list.") from error


def page_of(
    found: Sequence[Item], *, limit: int, key: Callable[[Item], msgspec.Struct]
) -> Page[Item]:
    """Make a page of up to `limit + 1` rows; `key` gives the sort key of an item."""
    items = list(found[:limit])
    return Page(items=items, next=encode_cursor(key(items[-1])) if len(found) > limit else None)
