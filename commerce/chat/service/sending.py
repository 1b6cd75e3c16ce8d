"""Saying things: any number at once, each as if it were said alone after those before it.

What keeps a message from being said is found out before anything is written for it, so a refusal
leaves nothing to be undone, and all that is said is written in one statement.
"""

from collections.abc import Sequence

import msgspec

from commerce.chat.errors import MessageNotFoundError, RoomNotFoundError, SlowModeError
from commerce.chat.model import (
    NOTHING_ENCLOSED,
    Draft,
    Enclosed,
    Member,
    Message,
    Room,
    cleaned_text,
)
from commerce.chat.repository import members, messages, rooms
from commerce.chat.service import mentioning
from commerce.chat.service.membership import newcomer, require_sight, take_in
from commerce.chat.service.speaking import require_voice
from commerce.foundation.database import Transaction
from protocol.events import MessageSent
from protocol.ids import MessageId, RoomId, UserId
from protocol.topics import room_topic
from protocol.views import Person
from shared.errors import ExpectedError


async def send(
    tx: Transaction,
    author: Person,
    room_id: RoomId,
    text: str,
    *,
    enclosed: Enclosed = NOTHING_ENCLOSED,
    key: str | None = None,
) -> Message:
    """Say something in a room. Who is no member of a public room becomes one first.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        MessageNotFoundError: if the message replied to is not in the room.
        BlankMessageError: if there is nothing to read in the text.
        MessageTooLongError: if the text is too long.
        BannedError: if the author was banned from the room.
        MutedError: if the author may not write for a while.
        SlowModeError: if the author wrote a moment ago and the room is slow.
        TooManyRoomsError: if the author would have to join one room too many.
    """
    draft = Draft(author=author, room_id=room_id, text=text, enclosed=enclosed, key=key)
    [sent] = await send_all(tx, [draft])
    if isinstance(sent, ExpectedError):
        raise sent
    return sent


async def send_all(tx: Transaction, drafts: Sequence[Draft]) -> list[Message | ExpectedError]:
    """Say many things in order, as `send` does; return what was said, or why it was not."""
    scene = await _look_around(tx, drafts)
    told = [await _say_or_refuse(tx, scene, draft) for draft in drafts]
    said = [each for each in told if isinstance(each, Message)]
    if said:
        await messages.insert(tx, said)
    return told


class _Scene(msgspec.Struct, frozen=True, kw_only=True):
    """The rooms that are held, as they are after what has been said so far."""

    rooms: dict[RoomId, Room]
    members: dict[tuple[RoomId, UserId], Member]
    there: set[tuple[RoomId, MessageId]]

    def take(self, said: Message) -> None:
        """Know of one thing more that was said."""
        room_id, author_id = said.room_id, said.author_id
        member = self.members[room_id, author_id]
        self.rooms[room_id] = msgspec.structs.replace(
            self.rooms[room_id], last_seq=said.seq, active_at=said.sent_at
        )
        self.members[room_id, author_id] = msgspec.structs.replace(
            member, last_sent_at=said.sent_at
        )
        self.there.add((room_id, said.id))


async def _look_around(tx: Transaction, drafts: Sequence[Draft]) -> _Scene:
    """Hold the rooms; then nobody's part in them changes, so what is read next stays true."""
    held = await rooms.lock_many(tx, {draft.room_id for draft in drafts})
    authors = {(draft.room_id, draft.author.id) for draft in drafts}
    answered = {
        (draft.room_id, draft.enclosed.reply_to)
        for draft in drafts
        if draft.enclosed.reply_to is not None
    }
    return _Scene(
        rooms=held,
        members=await members.find_many(tx, authors),
        there=await messages.there(tx, answered) if answered else set(),
    )


async def _say_or_refuse(tx: Transaction, scene: _Scene, draft: Draft) -> Message | ExpectedError:
    try:
        said = await _say(tx, scene, draft)
    except ExpectedError as refusal:
        return refusal
    scene.take(said)
    return said


async def _say(tx: Transaction, scene: _Scene, draft: Draft) -> Message:
    """Do everything but write the message."""
    author, text = draft.author, cleaned_text(draft.text)
    room = await _require_place(tx, scene, draft)
    member = scene.members.get((room.id, author.id))
    if member is None:
        joined = await newcomer(tx, room, author)
        _require_turn(tx, room, joined)
        await take_in(tx, joined)
        scene.members[room.id, author.id] = joined
    else:
        _require_turn(tx, room, member)
    called = None
    if mentioning.may_call(text, draft.enclosed.mentions):
        called = await mentioning.resolve(tx, author, room, text=text, ids=draft.enclosed.mentions)
    said = Message(
        id=MessageId(tx.mint("msg")),
        room_id=room.id,
        seq=room.last_seq + 1,
        version=1,
        author_id=author.id,
        author_name=author.name,
        body=text,
        sent_at=tx.now,
        reply_to=draft.enclosed.reply_to,
        command_key=draft.key,
        parts=draft.enclosed.parts or None,
        attachments=draft.enclosed.attachments or None,
        mentions=(called.people or None) if called is not None else None,
    )
    await tx.emit(room_topic(room.id), MessageSent(message=said.view))
    if called is not None:
        await mentioning.tell(tx, said, called)
    return said


async def _require_place(tx: Transaction, scene: _Scene, draft: Draft) -> Room:
    """Return the room, if the author may see it, and what they answer is there."""
    room = scene.rooms.get(draft.room_id)
    if room is None:
        raise RoomNotFoundError(draft.room_id)
    if (room.id, draft.author.id) not in scene.members:
        await require_sight(tx, room, draft.author.id)
    reply_to = draft.enclosed.reply_to
    if reply_to is not None and (room.id, reply_to) not in scene.there:
        raise MessageNotFoundError(reply_to)
    return room


def _require_turn(tx: Transaction, room: Room, member: Member) -> None:
    """Make sure that somebody may write now, who is in the room or about to come in."""
    require_voice(tx, member)
    left = member.slowed_for(tx.now, slow_mode_seconds=room.slow_mode_seconds)
    if left is not None:
        raise SlowModeError(left, slow_mode_seconds=room.slow_mode_seconds)
