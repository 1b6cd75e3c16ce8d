"""The sockets of a user on all workers, as Redis knows them: who holds which session, how many."""

from collections.abc import Sequence
from typing import Final

import msgspec

from gateway.streams.link import Calls
from gateway.streams.replies import Reply, UnexpectedReplyError, as_bytes, as_list
from gateway.streams.scripts import script_beside
from protocol.ids import ConnectionId, SessionId, UserId, WorkerId
from protocol.stream_names import (
    GATEWAY_WORKERS_KEY,
    topic_live_channel,
    user_ended_sign_ins,
    user_sockets,
)
from protocol.topics import user_topic
from shared.ids import minted_ms

_CLAIM: Final = script_beside(__file__, "claim_socket.lua")
_RENEW: Final = script_beside(__file__, "renew_socket.lua")
_RELEASE: Final = script_beside(__file__, "release_socket.lua")


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A socket, and what it says of itself. Its hold lapses with its ticket."""

    user: UserId
    session: str
    worker: WorkerId
    connection: ConnectionId
    sign_in: SessionId
    lasts_ms: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The session is the socket's; a later holder has a greater fence."""

    fence: int


class Replaced(msgspec.Struct, frozen=True):
    """A newer socket has the session."""


class SignInEnded(msgspec.Struct, frozen=True):
    """The sign-in is over, whatever the ticket says."""


class Full(msgspec.Struct, frozen=True, kw_only=True):
    """The user has as many sockets as may be, on these workers."""

    workers: list[WorkerId]


Hold = Held | Replaced | SignInEnded | Full


async def claim(
    link: Calls, holder: Holder, *, sockets_max: int, dead: Sequence[WorkerId] = ()
) -> Hold:
    """Give the session to a socket; whoever had it, on whichever worker, is told at once.

    The sockets of workers that are `dead` are forgotten first.

    Raises:
        LinkDownError: if Redis cannot be asked.
    """
    reply = await _CLAIM.run(
        link,
        keys=(user_sockets(holder.user), user_ended_sign_ins(holder.user)),
        arguments=(
            holder.session,
            holder.worker,
            holder.connection,
            holder.lasts_ms,
            sockets_max,
            holder.sign_in,
            minted_ms(holder.sign_in),
            topic_live_channel(user_topic(holder.user)),
            link.publish_word,
            *dead,
        ),
    )
    return _read(reply)


async def renew(link: Calls, holder: Holder) -> Hold:
    """Let a socket keep its session for as long again.

    Raises:
        LinkDownError: if Redis cannot be asked.
    """
    reply = await _RENEW.run(
        link,
        keys=(user_sockets(holder.user), user_ended_sign_ins(holder.user)),
        arguments=(
            holder.session,
            holder.worker,
            holder.connection,
            holder.lasts_ms,
            holder.sign_in,
            minted_ms(holder.sign_in),
        ),
    )
    return _read(reply)


async def release(link: Calls, user: UserId, session: str, connection: ConnectionId) -> None:
    """Forget a socket that is gone.

    Raises:
        LinkDownError: if Redis cannot be asked.
    """
    await _RELEASE.run(link, keys=(user_sockets(user),), arguments=(session, connection))


async def silent_workers(link: Calls, workers: Sequence[WorkerId]) -> list[WorkerId]:
    """Return those that have shown no sign of life lately.

    Raises:
        LinkDownError: if Redis cannot be asked.
    """
    scores = as_list(await link.call("ZMSCORE", GATEWAY_WORKERS_KEY, *workers))
    return [worker for worker, score in zip(workers, scores, strict=True) if score is None]


def _read(reply: Reply) -> Hold:
    word, *rest = (as_bytes(part).decode() for part in as_list(reply))
    match word:
        case "held":
            return Held(fence=int(rest[0]))
        case "replaced":
            return Replaced()
        case "ended":
            return SignInEnded()
        case "full":
            return Full(workers=[WorkerId(name) for name in rest])
        case _:
            raise UnexpectedReplyError(f"no answer about a socket: {word}")
