"""What was said, and what may be done to it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from commerce.chat.errors import (
    MessageDeletedError,
    NotYourMessageError,
    StaleEditError,
    TooManyReactionsError,
)
from protocol.ids import FileId, MessageId, RoomId, UserId
from protocol.views import Attachment, ChatMessage, Part, Person, Reaction, Reactions
from shared.clock import unix_ms

REACTIONS_MAX: Final = 20
"""Different emoji that people may react to one message with."""

REASON_CHARS_MAX: Final = 500


class Enclosed(msgspec.Struct, frozen=True, kw_only=True):
    """What goes with the text of a new message; `mentions` names people besides the text."""

    reply_to: MessageId | None = None
    parts: Sequence[str] = ()
    attachments: Sequence[FileId] = ()
    mentions: Sequence[UserId] = ()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to say; by `key` they know it again."""

    author: Person
    room_id: RoomId
    text: str
    enclosed: Enclosed
    key: str | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A new text for a message; with `version`, only if it still has that one."""

    text: str
    version: int | None = None
    mentions: Sequence[UserId] = ()


NOTHING_ENCLOSED: Final = Enclosed()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said.

    `own` are the emoji its reader reacted with, where there is a reader.
    """

    id: MessageId
    room_id: RoomId
    seq: int
    version: int
    author_id: UserId
    author_name: str
    body: str
    sent_at: datetime
    reply_to: MessageId | None = None
    command_key: str | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    parts: Sequence[str] | None = None
    attachments: Sequence[FileId] | None = None
    mentions: Sequence[Person] | None = None
    reactions: Sequence[Reaction] | None = None
    reactions_version: int = 0
    own: Sequence[str] = ()

    def edited(
        self, text: str, *, editor: UserId, now: datetime, version: int | None = None
    ) -> "Message":
        """Return the message with a new text; itself if nothing changes.

        Raises:
            NotYourMessageError: if somebody else wrote it.
            MessageDeletedError: if it was taken back.
            StaleEditError: if `version` is given, and it has another one by now.
        """
        if editor != self.author_id:
            raise NotYourMessageError(self.id)
        if self.deleted_at is not None:
            raise MessageDeletedError(self.id)
        if version is not None and version != self.version:
            raise StaleEditError(self.version)
        if text == self.body:
            return self
        return msgspec.structs.replace(self, body=text, version=self.version + 1, edited_at=now)

    def deleted(self, *, now: datetime) -> "Message":
        """Return the message without its text; itself if it was taken back before."""
        if self.deleted_at is not None:
            return self
        return msgspec.structs.replace(
            self,
            body="",
            version=self.version + 1,
            deleted_at=now,
            parts=None,
            attachments=None,
            mentions=None,
            reactions=None,
            reactions_version=self.reactions_version + (self.reactions is not None),
        )

    def reacted(self, emoji: str, *, on: bool) -> "Message":
        """Return the message with one reaction more, or one less.

        Raises:
            MessageDeletedError: if it was taken back.
            TooManyReactionsError: if people already reacted with `REACTIONS_MAX` other emoji.
        """
        if self.deleted_at is not None:
            raise MessageDeletedError(self.id)
        counts = {each.emoji: each.count for each in self.reactions or ()}
        if on and emoji not in counts and len(counts) >= REACTIONS_MAX:
            raise TooManyReactionsError(reactions_max=REACTIONS_MAX)
        counts[emoji] = counts.get(emoji, 0) + (1 if on else -1)
        left = [Reaction(emoji=sign, count=count) for sign, count in counts.items() if count > 0]
        return msgspec.structs.replace(
            self, reactions=left, reactions_version=self.reactions_version + 1
        )

    @property
    def reactions_view(self) -> Reactions:
        """All reactions, as clients see them; one's own are marked where there is a reader."""
        items = [
            Reaction(emoji=each.emoji, count=each.count, mine=each.emoji in self.own)
            for each in self.reactions or ()
        ]
        return Reactions(version=self.reactions_version, items=items)

    @property
    def view(self) -> ChatMessage:
        """The message as clients see it."""
        return ChatMessage(
            id=self.id,
            room=self.room_id,
            seq=self.seq,
            version=self.version,
            author=Person(id=self.author_id, name=self.author_name),
            text=self.body,
            sent_at_ms=unix_ms(self.sent_at),
            key=self.command_key,
            reply_to=self.reply_to,
            edited_at_ms=None if self.edited_at is None else unix_ms(self.edited_at),
            deleted=self.deleted_at is not None,
            parts=[Part(ref=ref) for ref in self.parts or ()],
            attachments=[Attachment(id=file) for file in self.attachments or ()],
            mentions=list(self.mentions or ()),
            reactions=self.reactions_view if self.reactions_version else None,
        )


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a room's messages, oldest first, and whether there are more beyond it."""

    messages: Sequence[Message]
    more: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody finds that a message breaks the rules. `body` is what it said then."""

    id: str
    room_id: RoomId
    message_id: MessageId
    reporter_id: UserId
    reason: str
    author_id: UserId
    body: str
    created_at: datetime
