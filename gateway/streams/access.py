"""Who may hear a topic, as commerce projects it into Redis."""

from collections.abc import Sequence
from typing import Final

import msgspec

from gateway.streams.link import Calls
from gateway.streams.replies import Reply, as_bytes, as_int, as_list
from protocol.ids import UserId
from protocol.stream_names import (
    ACCESS_ANYONE,
    ACCESS_BANNED,
    ACCESS_READY_KEY,
    access_muted,
    topic_access,
)
from protocol.topics import Topic, parse_topic


class AccessUnknownError(Exception):
    """The projection is being rebuilt, so nothing can be said yet; ask again."""


class Right(msgspec.Struct, frozen=True):
    """A user's right to hear a topic; until when they may not write there, in Unix milliseconds."""

    role: str
    muted_until_ms: int = 0


_OWNER: Final = Right("owner")
_READER: Final = Right("reader")
"""That of any signed-in user in a topic that is public."""

_USERS_AT_ONCE: Final = 250


async def right_of(link: Calls, topic: Topic, user: UserId) -> Right | None:
    """Return the user's right to hear the topic; None if they have none.

    Raises:
        AccessUnknownError: if the projection is not ready and says nothing about the user.
        LinkDownError: if Redis cannot be asked.
    """
    kind, identity = parse_topic(topic)
    match kind:
        case "user":
            return _OWNER if identity == user else None
        case "product":
            return _READER
        case "room" | "order":
            return (await rights_of(link, topic, (user,)))[user]


async def rights_of(
    link: Calls, topic: Topic, users: Sequence[UserId]
) -> dict[UserId, Right | None]:
    """Return the rights of several users in a room or an order; raises what `right_of` does."""
    found: dict[UserId, Right | None] = {}
    for start in range(0, len(users), _USERS_AT_ONCE):
        found |= await _projected(link, topic, users[start : start + _USERS_AT_ONCE])
    return found


async def _projected(
    link: Calls, topic: Topic, users: Sequence[UserId]
) -> dict[UserId, Right | None]:
    stored = await _stored(link, topic, users)
    if None in stored.values():
        if not await link.call("EXISTS", ACCESS_READY_KEY):
            raise AccessUnknownError("commerce has not told yet who may hear what")
        # It may have become ready after the first look: only a look at a ready one counts.
        stored = await _stored(link, topic, users)
    return {
        user: None if right is None or right.role == ACCESS_BANNED else right
        for user, right in stored.items()
    }


async def _stored(link: Calls, topic: Topic, users: Sequence[UserId]) -> dict[UserId, Right | None]:
    muted = [access_muted(user) for user in users]
    reply = as_list(await link.call("HMGET", topic_access(topic), ACCESS_ANYONE, *users, *muted))
    anyone, roles, mutes = reply[0], reply[1 : 1 + len(users)], reply[1 + len(users) :]
    return {
        user: _right(anyone if role is None else role, mute)
        for user, role, mute in zip(users, roles, mutes, strict=True)
    }


def _right(role: Reply, mute: Reply) -> Right | None:
    if role is None:
        return None
    return Right(as_bytes(role).decode(), 0 if mute is None else as_int(mute))
