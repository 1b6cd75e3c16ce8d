"""A topic's log: where it ends, what came after an offset, what a live message says."""

import secrets
from typing import Final

import msgspec

from gateway.streams.link import Calls
from gateway.streams.replies import UnexpectedReplyError, as_bytes, as_int, as_list
from gateway.streams.scripts import script_beside
from protocol.server_frames import GapReason
from protocol.stream_names import (
    TOPIC_ENTRY_FIELD,
    TOPIC_IDLE_SECONDS_MAX,
    topic_log,
    topic_meta,
    topic_seen,
)
from protocol.topics import Position, Topic

_EPOCH_BYTES: Final = 9
_READ: Final = script_beside(__file__, "read_topic.lua")


class MalformedLiveMessageError(ValueError):
    """What came over a live channel is not `{epoch} {offset} {entry}`."""


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The encoded `TopicEntry` at one offset."""

    offset: int
    entry: bytes


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic's log holds after an offset.

    `head` is where the topic stood, read in the same instant. If `complete`, `entries` is every
    event after the offset up to the head, without a hole. If not, there are none, and `reason`
    says why: `lost` too when the offset lies beyond the head.
    The offset was taken to be of the head's epoch; compare the epochs.
    """

    entries: list[LogEntry]
    complete: bool
    head: Position
    reason: GapReason | None = None


async def head(link: Calls, topic: Topic) -> Position:
    """Return where the topic's log ends, giving the topic an epoch if it has none.

    Raises:
        LinkDownError: if Redis cannot be asked.
    """
    replay = await read_after(link, topic, 0, entries_max=0, bytes_max=0)
    return replay.head


async def read_after(
    link: Calls, topic: Topic, offset: int, *, entries_max: int, bytes_max: int
) -> Replay:
    """Return the entries after `offset`, at most so many and so large; all or none of them.

    Raises:
        LinkDownError: if Redis cannot be asked.
    """
    reply = await _READ.run(
        link,
        keys=(topic_meta(topic), topic_log(topic), topic_seen(topic)),
        arguments=(
            secrets.token_urlsafe(_EPOCH_BYTES),
            TOPIC_IDLE_SECONDS_MAX * 1000,
            offset,
            entries_max,
            bytes_max,
            TOPIC_ENTRY_FIELD,
        ),
    )
    epoch, head_offset, reason, entries = as_list(reply)
    return Replay(
        entries=[
            LogEntry(offset=offset + place, entry=as_bytes(entry))
            for place, entry in enumerate(as_list(entries), start=1)
        ],
        complete=reason == b"",
        head=Position(epoch=as_bytes(epoch).decode(), offset=as_int(head_offset)),
        reason=_gap_reason(as_bytes(reason)),
    )


async def read_newest(link: Calls, topic: Topic) -> LogEntry | None:
    """Return the newest entry of the topic's log, or None if the log is empty.

    Raises:
        LinkDownError: if Redis cannot be asked.
    """
    found = as_list(await link.call("XREVRANGE", topic_log(topic), "+", "-", "COUNT", 1))
    if not found:
        return None
    name, fields = as_list(found[0])
    offset, _, _ = as_bytes(name).partition(b"-")
    return LogEntry(offset=int(offset), entry=as_bytes(as_list(fields)[1]))


def parse_live(payload: bytes) -> tuple[Position, bytes]:
    """Split a live message into its position and its encoded `TopicEntry`.

    Raises:
        MalformedLiveMessageError: if it is not one.
    """
    epoch, _, rest = payload.partition(b" ")
    offset, separator, entry = rest.partition(b" ")
    if not epoch or not offset.isdigit() or not separator:
        raise MalformedLiveMessageError(repr(payload[:80]))
    return Position(epoch=epoch.decode(errors="replace"), offset=int(offset)), entry


def _gap_reason(reason: bytes) -> GapReason | None:
    match reason:
        case b"":
            return None
        case b"trimmed":
            return "trimmed"
        case b"too_far":
            return "too_far"
        case b"lost":
            return "lost"
        case _:
            raise UnexpectedReplyError(f"no reason for a gap: {reason!r}")
