"""Naming people in a message, so that they are told."""

from collections.abc import Sequence

import msgspec

from commerce.accounts import service as accounts
from commerce.chat.model import (
    NAME_WORDS_MAX,
    Message,
    Room,
    called_names,
    excerpt,
    meant_names,
)
from commerce.chat.repository import members, standings
from commerce.foundation.database import Transaction
from protocol.commands import MESSAGE_MENTIONS_MAX
from protocol.events import Mentioned
from protocol.ids import UserId
from protocol.topics import user_topic
from protocol.views import Person


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """Who a message names, and in which room."""

    room: Room
    people: Sequence[Person]

    def without(self, known: Sequence[Person]) -> "Called":
        """Return the same without those who were named before."""
        ids = {person.id for person in known}
        left = [person for person in self.people if person.id not in ids]
        return Called(room=self.room, people=left)


def may_call(text: str, ids: Sequence[UserId]) -> bool:
    """Say whether a message may name anybody: most name nobody, and cost nothing."""
    return bool(ids) or "@" in text


async def resolve(
    tx: Transaction, author: Person, room: Room, *, text: str, ids: Sequence[UserId]
) -> Called:
    """Return whom a message in a room that is held names: members, by name or id.

    Of a public room, which anyone may read, anyone may be named by id but those who were banned.
    Who may not read the room is left out without a word, and so is the author.
    """
    calls = called_names(text)
    found = await members.called(
        tx,
        room.id,
        names=[name for call in calls for name in call],
        ids=ids,
        people_max=MESSAGE_MENTIONS_MAX * NAME_WORDS_MAX,
    )
    meant = meant_names(calls, {person.name.lower() for person in found})
    found = [each for each in found if each.id in ids or each.name.lower() in meant]
    if room.is_public:
        known = {person.id for person in found}
        others = [user_id for user_id in ids if user_id not in known]
        if others:
            banned = await standings.banned_among(tx, room.id, others)
            found += [each for each in await accounts.people(tx, others) if each.id not in banned]
    people = [person for person in found if person.id != author.id]
    return Called(room=room, people=people[:MESSAGE_MENTIONS_MAX])


async def tell(tx: Transaction, message: Message, called: Called) -> None:
    """Tell everybody who is named, each on their own topic."""
    for person in called.people:
        event = Mentioned(
            user=person.id,
            room=message.room_id,
            room_title=called.room.title or message.author_name,
            message=message.id,
            seq=message.seq,
            author=Person(id=message.author_id, name=message.author_name),
            text=excerpt(message.body),
        )
        await tx.emit(user_topic(person.id), event)
