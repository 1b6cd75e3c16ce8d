"""The Redis side of presence: one function for each thing workers tell Redis or ask it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec
import trio

from gateway.presence.messages import PresentUsers, decode_present_users, encode_message
from gateway.streams.link import Calls
from gateway.streams.replies import as_bytes, as_int, as_list
from gateway.streams.scripts import script_beside
from protocol.ids import WorkerId
from protocol.stream_names import GATEWAY_WORKERS_KEY, topic_presence, topic_signal_channel
from protocol.topics import Topic

WORKER_SILENCE_SECONDS_MAX: Final = 10.0
"""A worker that shows no sign of life for so long is dead, and its users are gone."""

CALL_SECONDS_MAX: Final = 2.0
CALLS_MAX: Final = 64
"""Calls to Redis that presence makes at once."""

_HEARTBEAT: Final = script_beside(__file__, "heartbeat.lua")
_TELL_PRESENT: Final = script_beside(__file__, "tell_present.lua")


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Who lives; `was_missing` if Redis did not know of us a moment ago."""

    living: frozenset[WorkerId]
    was_missing: bool


async def beat(link: Calls, worker: WorkerId) -> Heartbeat:
    """Show that `worker` lives and return who else does.

    Raises:
        LinkDownError: if Redis cannot be reached.
    """
    reply = await _HEARTBEAT.run(
        link,
        keys=(GATEWAY_WORKERS_KEY,),
        arguments=(worker, int(WORKER_SILENCE_SECONDS_MAX * 1000)),
    )
    added, living = as_list(reply)
    return Heartbeat(
        living=frozenset(WorkerId(as_bytes(name).decode()) for name in as_list(living)),
        was_missing=as_int(added) == 1,
    )


async def tell_present(
    link: Calls, topic: Topic, present: PresentUsers, *, stored_seconds: float
) -> None:
    """Store a worker's list and tell it the others.

    The lists of a topic outlive the last worker that tells one by `stored_seconds`.

    Raises:
        LinkDownError: if Redis cannot be reached.
    """
    await _TELL_PRESENT.run(
        link,
        keys=(topic_presence(topic),),
        arguments=(
            present.worker,
            encode_message(present),
            present.count,
            int(stored_seconds * 1000),
            topic_signal_channel(topic),
            link.publish_word,
        ),
    )


async def read_present(link: Calls, topic: Topic) -> dict[WorkerId, PresentUsers]:
    """Return every stored list of a room; what another version wrote is left out.

    Raises:
        LinkDownError: if Redis cannot be reached.
    """
    fields = as_list(await link.call("HGETALL", topic_presence(topic)))
    lists: dict[WorkerId, PresentUsers] = {}
    for payload in fields[1::2]:
        try:
            present = decode_present_users(as_bytes(payload))
        except msgspec.DecodeError:
            continue
        lists[present.worker] = present
    return lists


async def sweep(link: Calls, topic: Topic, workers: set[WorkerId]) -> None:
    """Delete the lists of workers that are dead.

    Raises:
        LinkDownError: if Redis cannot be reached.
    """
    await link.call("HDEL", topic_presence(topic), *workers)


async def for_each_topic(act: Callable[[Topic], Awaitable[None]], topics: Iterable[Topic]) -> None:
    """Do something for each topic, several at a time, none of them for long."""

    async def act_in_time(topic: Topic) -> None:
        with trio.move_on_after(CALL_SECONDS_MAX):
            await act(topic)

    waiting = list(topics)
    for start in range(0, len(waiting), CALLS_MAX):
        async with trio.open_nursery() as nursery:
            for topic in waiting[start : start + CALLS_MAX]:
                nursery.start_soon(act_in_time, topic)
