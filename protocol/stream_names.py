"""Every Redis key, stream, channel and consumer group that both programs know.

All keys of one topic share a hash tag, so that one script may touch them in Redis Cluster.
"""

import zlib
from typing import Final, NewType

from protocol.commands import (
    AnyCommand,
    CancelOrder,
    DeleteMessage,
    EditMessage,
    JoinRoom,
    LeaveRoom,
    MarkRead,
    PlaceOrder,
    SendMessage,
    SetCartLine,
    SetReaction,
)
from protocol.ids import UserId
from protocol.topics import Topic

COMMAND_PARTITIONS: Final = 16
"""Command streams; commands on one aggregate share one, so they stay in order."""

COMMAND_GROUP: Final = "commerce"
COMMAND_FIELD: Final = b"envelope"
COMMAND_STREAM_ENTRIES_MAX: Final = 100_000
"""Above this many unread commands in a partition the gateway answers `unavailable`."""

TOPIC_LOG_ENTRIES_MAX: Final = 1_000
TOPIC_ENTRY_FIELD: Final = b"entry"
NOTICE_MARK: Final = "!"
"""Begins a message on a live channel that is no event; see `topic_live_channel`."""

EVERY_SIGN_IN: Final = "*"

TOPIC_IDLE_SECONDS_MAX: Final = 7 * 24 * 3600
"""A topic that nobody wrote to or opened for this long loses its log and gets a new epoch."""

NOTIFICATION_STREAM: Final = "notifications"
NOTIFICATION_GROUP: Final = "commerce"
NOTIFICATION_DEAD_STREAM: Final = "notifications:dead"

ACCESS_READY_KEY: Final = "access:ready"
"""Set while the access projection is complete; missing after Redis lost its data."""

ACCESS_ANYONE: Final = "*"
"""The field of a topic's access hash that lets any signed-in user in."""

ACCESS_BANNED: Final = "banned"
"""The role of a user who is shut out of a topic that anyone else may hear."""

ACCESS_MUTED: Final = "muted:"
"""Begins the field of a room's access hash that says until when a user may not write there."""

AccessField = NewType("AccessField", str)
"""A field of a topic's access hash that is not a user."""

GATEWAY_WORKERS_KEY: Final = "gateway:workers"
"""Sorted set: worker id by the Unix milliseconds of its last heartbeat."""


def command_stream(partition: int) -> str:
    """Return the stream of one partition's commands."""
    return f"commands:{{{partition}}}"


def command_dead_stream(partition: int) -> str:
    """Return the stream of commands that could not be carried out, with the reason."""
    return f"commands:{{{partition}}}:dead"


def command_partition(command: AnyCommand, user: UserId) -> int:
    """Return the partition of the aggregate that `command` changes."""
    return zlib.crc32(command_aggregate(command, user).encode()) % COMMAND_PARTITIONS


def command_aggregate(command: AnyCommand, user: UserId) -> str:
    """Return the id of what `command` changes: commands on one of them stay in order."""
    match command:
        case (
            SendMessage()
            | EditMessage()
            | DeleteMessage()
            | SetReaction()
            | JoinRoom()
            | LeaveRoom()
        ):
            return command.room
        case MarkRead() | SetCartLine() | PlaceOrder() | CancelOrder():
            return user


def topic_log(topic: Topic) -> str:
    """Return the stream that holds a topic's newest events; entry ids are `{offset}-0`."""
    return f"topic:{{{topic}}}:log"


def topic_meta(topic: Topic) -> str:
    """Return the hash with the topic's `epoch` and last `offset`."""
    return f"topic:{{{topic}}}:meta"


def topic_seen(topic: Topic) -> str:
    """Return the sorted set of the log's event ids, by offset: it makes publishing idempotent."""
    return f"topic:{{{topic}}}:seen"


def access_muted(user: UserId) -> AccessField:
    """Return the field that says until when a user may not write in a room, in Unix milliseconds.

    It outlives the user's membership, as the mute does.
    """
    return AccessField(f"{ACCESS_MUTED}{user}")


def topic_access(topic: Topic) -> str:
    """Return the hash of who may hear the topic: user id, or `*`, to role."""
    return f"topic:{{{topic}}}:access"


def topic_presence(topic: Topic) -> str:
    """Return the hash of who is here: worker id to that worker's own list."""
    return f"topic:{{{topic}}}:presence"


def topic_live_channel(topic: Topic) -> str:
    """Return the channel of new events, `{epoch} {offset} {entry}`, and of notices.

    A notice is `! revoked {user}`: this user's right to the topic was taken away; or, on a user's
    own topic, `! replaced {session} {fence}`: a newer socket took over this session.
    """
    return f"topic:{{{topic}}}:live"


def user_sockets(user: UserId) -> str:
    """Return the hash of a user's sockets on all workers: session to who holds it."""
    return f"topic:{{user:{user}}}:sockets"


def user_ended_sign_ins(user: UserId) -> str:
    """Return the hash of a user's sign-ins that ended lately, to the Unix milliseconds of that.

    `*` stands for every sign-in up to then. Kept for as long as a ticket of theirs could be good.
    """
    return f"topic:{{user:{user}}}:ended"


def topic_signal_channel(topic: Topic) -> str:
    """Return the channel on which gateway workers tell one another ephemeral state."""
    return f"topic:{{{topic}}}:signal"
