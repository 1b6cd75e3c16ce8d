"""Making rooms, one by one or many at once."""

from collections.abc import Sequence

from commerce.accounts import service as accounts
from commerce.chat.errors import InvalidRoomError, RoomFullError
from commerce.chat.model import (
    GROUP_MEMBERS_MAX,
    READER_ROLE,
    STAFF_INVITED_MAX,
    Member,
    MemberRole,
    Message,
    Room,
    cleaned_title,
    direct_pair,
    product_room_id,
    support_room_id,
)
from commerce.chat.repository import members, messages, rooms, standings
from commerce.chat.service.membership import admit, known
from commerce.foundation.database import Transaction
from protocol.ids import OrderId, ProductId, RoomId, UserId
from protocol.stream_names import ACCESS_ANYONE
from protocol.topics import room_topic
from protocol.views import Person


async def open_product_room(tx: Transaction, product_id: ProductId, title: str) -> RoomId:
    """Have a public room for a product, under this title."""
    room = Room(
        id=product_room_id(product_id),
        kind="product",
        title=title,
        product_id=product_id,
        last_seq=0,
        created_at=tx.now,
        active_at=tx.now,
    )
    if await rooms.add(tx, room):
        await tx.grant_access(room_topic(room.id), ACCESS_ANYONE, READER_ROLE)
    else:
        await rooms.rename(tx, room.id, title)
    return room.id


async def open_group(
    tx: Transaction, owner: Person, title: str, guests: Sequence[UserId]
) -> RoomId:
    """Make a group of the owner and those invited.

    Raises:
        InvalidRoomError: if the title shows nothing, or is too long.
        RoomFullError: if they are more than `GROUP_MEMBERS_MAX`.
        UnknownUserError: if one of them does not exist.
    """
    others = [user_id for user_id in dict.fromkeys(guests) if user_id != owner.id]
    if len(others) + 1 > GROUP_MEMBERS_MAX:
        raise RoomFullError(members_max=GROUP_MEMBERS_MAX)
    room = Room(
        id=RoomId(tx.mint("rom")),
        kind="group",
        title=cleaned_title(title),
        last_seq=0,
        created_at=tx.now,
        active_at=tx.now,
    )
    people = await known(tx, others)
    await rooms.add(tx, room)
    await admit(tx, room, owner, role="owner")
    for person in people:
        await admit(tx, room, person, role="member")
    return room.id


async def open_direct(tx: Transaction, opener: Person, others: Sequence[UserId]) -> RoomId:
    """Have the room of the opener and one other: the same two always have the same one.

    Raises:
        InvalidRoomError: if there is not exactly one other, or it is the opener.
        UnknownUserError: if the other does not exist.
    """
    if len(others) != 1:
        raise InvalidRoomError("A direct room needs exactly one other in it.")
    pair = direct_pair(opener.id, others[0])
    found = await rooms.find_direct(tx, pair)
    if found is not None:
        return found.id
    [other] = await known(tx, others)
    room = Room(
        id=RoomId(tx.mint("rom")),
        kind="direct",
        title="",
        direct_pair=pair,
        last_seq=0,
        created_at=tx.now,
        active_at=tx.now,
    )
    if await rooms.add(tx, room):
        await admit(tx, room, opener, role="member")
        await admit(tx, room, other, role="member")
        return room.id
    found = await rooms.find_direct(tx, pair)
    assert found is not None
    return found.id


async def open_support(
    tx: Transaction, opener: Person, *, order: OrderId, title: str, buyer: UserId
) -> RoomId:
    """Have the one support room of an order, with its buyer and the opener, who is staff if other.

    Whoever may open it is the caller's to check. Staff are members from the start, so that they
    hear of it; those who came to the shop later join by opening it, or by `join`.

    Raises:
        UnknownUserError: if the buyer does not exist.
    """
    room = Room(
        id=support_room_id(order),
        kind="support",
        title=title,
        order_id=order,
        last_seq=0,
        created_at=tx.now,
        active_at=tx.now,
    )
    if await rooms.add(tx, room):
        helpers = await accounts.staff(tx, people_max=STAFF_INVITED_MAX)
        await admit(tx, room, (await known(tx, [buyer]))[0], role="member")
        for helper in helpers:
            if helper.id != buyer:
                await admit(tx, room, helper, role="moderator")
    held = await rooms.lock(tx, room.id)
    assert held is not None
    if await members.find(tx, room.id, opener.id) is None:
        role: MemberRole = "member" if opener.id == buyer else "moderator"
        standing = await standings.find(tx, room.id, opener.id)
        await admit(tx, held, opener, role=role, standing=standing)
    return room.id


async def import_rooms(tx: Transaction, imported: Sequence[Room]) -> None:
    """Write many rooms without telling anyone; those that are there stay as they are.

    Their `last_seq` and `active_at` must fit the messages that are imported for them. Rights are
    not granted either: have the access projection rebuilt afterwards.
    """
    await rooms.add_many(tx, imported)


async def import_members(tx: Transaction, imported: Sequence[Member]) -> None:
    """Write many members without telling anyone; see `import_rooms`."""
    await members.add_many(tx, imported)


async def import_messages(tx: Transaction, imported: Sequence[Message]) -> None:
    """Write many messages that have their numbers, without telling anyone; see `import_rooms`.

    Their authors must be members already, for whom what they wrote counts as read.
    """
    await messages.add_many(tx, imported)
    written: dict[tuple[RoomId, UserId], int] = {}
    for message in imported:
        author = (message.room_id, message.author_id)
        written[author] = max(message.seq, written.get(author, 0))
    await members.raise_sent(tx, written)
