"""What a notification is, and what a sender may say. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from commerce.notifications.errors import MalformedNotificationError
from protocol.ids import NotificationId, UserId
from protocol.views import Notification as NotificationView
from shared.clock import unix_ms

TITLE_CHARS_MAX: Final = 120
BODY_CHARS_MAX: Final = 1_000
LINK_CHARS_MAX: Final = 500
KEY_CHARS_MAX: Final = 128

KEPT_DAYS_MAX: Final = 90
KEPT_A_USER_MAX: Final = 1_000

# C0 and C1 controls except tab and line feed, and halves of surrogate pairs, which are no UTF-8.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sender wants a user to be told; the fields of an entry of the stream."""

    user: Annotated[UserId, msgspec.Meta(pattern=r"^usr_[0-9A-HJKMNP-TV-Z]{26}$")]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=TITLE_CHARS_MAX)]
    body: Annotated[str, msgspec.Meta(max_length=BODY_CHARS_MAX)] = ""
    link: Annotated[str, msgspec.Meta(min_length=1, max_length=LINK_CHARS_MAX)] | None = None
    category: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = "general"
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_CHARS_MAX)] | None = None

    def cleaned(self) -> "Draft":
        """Return the draft without control characters, its title on one line.

        Raises:
            MalformedNotificationError: if no title is left, or the link leads to a bad place.
        """
        title = " ".join(_CONTROLS.sub("", _LINE_BREAKS.sub(" ", self.title)).split())
        if all(unicodedata.category(sign) in _INVISIBLE_CATEGORIES for sign in title):
            raise MalformedNotificationError("The title has nothing to read in it.")
        if self.link is not None and not is_good_link(self.link):
            raise MalformedNotificationError(
                "The link is neither a path of the shop, such as /orders, nor an https address."
            )
        body = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", self.body)).strip()
        return msgspec.structs.replace(self, title=title, body=body)


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """Something a user was told: the `seq`-th thing, counted from 1 without gaps."""

    id: NotificationId
    user_id: UserId
    seq: int
    category: str
    title: str
    body: str
    created_at: datetime
    link: str | None = None

    @property
    def place(self) -> "ListedBefore":
        """Where the notification stands in its reader's list."""
        return ListedBefore(seq=self.seq)

    def view(self, *, read_seq: int) -> NotificationView:
        """The notification as its reader sees it, who has read up to `read_seq`."""
        return NotificationView(
            id=self.id,
            category=self.category,
            title=self.title,
            created_at_ms=unix_ms(self.created_at),
            body=self.body,
            link=self.link,
            read=self.seq <= read_seq,
        )


class ListedBefore(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a user's list, given by the number of the notification above it."""

    seq: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """How much a user was told, and how far they have read."""

    last_seq: int = 0
    read_seq: int = 0

    @property
    def unread(self) -> int:
        """The number of notifications that were not read."""
        return self.last_seq - self.read_seq


def parse_draft(fields: Mapping[str, str]) -> Draft:
    """Read what a service put into the stream.

    Raises:
        MalformedNotificationError: if it is not what the stream's documentation asks for.
    """
    try:
        return msgspec.convert(dict(fields), Draft).cleaned()
    except msgspec.ValidationError as error:
        raise MalformedNotificationError(f"{error}.") from error


def shortened(title: str) -> str:
    """Return a title that was put together from names, cut to what a title may have."""
    return title if len(title) <= TITLE_CHARS_MAX else title[: TITLE_CHARS_MAX - 1] + "…"


def is_good_link(link: str) -> bool:
    """Say whether a link stays in the shop or leads to a named host over https."""
    if any(sign.isspace() or sign == "\\" or not sign.isprintable() for sign in link):
        return False
    if link.startswith("/"):
        return not link.startswith("//")
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
