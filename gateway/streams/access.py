"""Who may hear a topic, as commerce projects it into Redis."""

from typing import Final

from gateway.streams.link import Calls
from gateway.streams.replies import as_bytes, as_list
from protocol.ids import UserId
from protocol.stream_names import ACCESS_ANYONE, ACCESS_BANNED, ACCESS_READY_KEY, topic_access
from protocol.topics import Topic, parse_topic

OWNER_ROLE: Final = "owner"
"""The role of a user in the topic of themselves."""

READER_ROLE: Final = "reader"
"""The role of any signed-in user in a topic that is public."""


class AccessUnknownError(Exception):
    """The projection is being rebuilt, so nothing can be said yet; ask again."""


async def role_of(link: Calls, topic: Topic, user: UserId) -> str | None:
    """Return the user's role in the topic; None if they have no right to hear it.

    Raises:
        AccessUnknownError: if the projection is not ready and says nothing about the user.
        LinkDownError: if Redis cannot be asked.
    """
    kind, identity = parse_topic(topic)
    match kind:
        case "user":
            return OWNER_ROLE if identity == user else None
        case "product":
            return READER_ROLE
        case "room" | "order":
            return await _projected_role(link, topic, user)


async def _projected_role(link: Calls, topic: Topic, user: UserId) -> str | None:
    role = await _stored_role(link, topic, user)
    if role == ACCESS_BANNED:
        return None
    if role is not None:
        return role
    if not await link.call("EXISTS", ACCESS_READY_KEY):
        raise AccessUnknownError("commerce has not told yet who may hear what")
    # The projection may have become ready after the first look: only a look at a ready one counts.
    role = await _stored_role(link, topic, user)
    return None if role == ACCESS_BANNED else role


async def _stored_role(link: Calls, topic: Topic, user: UserId) -> str | None:
    roles = await link.call("HMGET", topic_access(topic), user, ACCESS_ANYONE)
    return next((as_bytes(role).decode() for role in as_list(roles) if role is not None), None)
