"""What holds over all workers: one socket a session, so many sockets a user, no ended sign-in.

Redis knows who holds what (`gateway.streams.sockets`). While it cannot be asked, each worker goes
by what it knows itself, and makes up for it when Redis is back.
"""

from collections.abc import Iterable
from typing import Final

import trio

from gateway.connections.connection import Connection
from gateway.limits import (
    CONNECTIONS_PER_USER_MAX,
    REDIS_SECONDS_MAX,
    RELEASE_RETRY_SECONDS,
    RELEASES_WAITING_MAX,
    SOCKET_CALLS_AT_ONCE,
    TICKET_GRACE_SECONDS,
)
from gateway.streams.link import Calls, LinkDownError, LinkReplyError
from gateway.streams.sockets import (
    Full,
    Held,
    Hold,
    Holder,
    Replaced,
    SignInEnded,
    claim,
    release,
    renew,
    silent_workers,
)
from protocol.close_codes import CONNECTION_LIMIT, REPLACED, REVOKED
from protocol.ids import WorkerId
from shared.tickets import TicketClaims

_LEASE_SLACK_SECONDS: Final = 10.0


class SocketBook:
    """Keeps this worker's part of what Redis knows of sockets."""

    def __init__(self, *, worker: WorkerId, link: Calls) -> None:
        self._worker = worker
        self._link = link
        self._gone: dict[Connection, None] = {}
        self._unsure: dict[Connection, None] = {}
        self._woken = trio.Event()

    async def admit(self, connection: Connection) -> bool:
        """Claim a newcomer's session; say whether it may stay. If not, it is closed.

        It must hear its user's topic already: a later claim is told there.
        """
        holder = self._holder(connection, connection.claims)
        hold = await self._claim(holder)
        if connection.has_left:
            self.let_go(connection)
        return self._obey(connection, hold)

    async def renew(self, connection: Connection, claims: TicketClaims) -> bool:
        """Say whether a connection may go on with this ticket. If not, it is closed."""
        try:
            with trio.fail_after(REDIS_SECONDS_MAX):
                hold = await renew(self._link, self._holder(connection, claims))
        except (LinkDownError, LinkReplyError, trio.TooSlowError):
            return True
        if connection.has_left:
            self.let_go(connection)
        return self._obey(connection, hold)

    def let_go(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone, in Redis too, as soon as can be."""
        self._unsure.pop(connection, None)
        if len(self._gone) < RELEASES_WAITING_MAX:
            self._gone[connection] = None
            self._woken.set()

    def check(self, connections: Iterable[Connection]) -> None:
        """Have it made sure, soon, that Redis knows of these and that they may stay."""
        self._unsure.update(dict.fromkeys(connections))
        self._woken.set()

    async def run(self) -> None:
        """Do what was left to be done, for ever."""
        while True:
            await self._woken.wait()
            self._woken = trio.Event()
            while self._gone or self._unsure:
                if not self._link.is_up:
                    await trio.sleep(RELEASE_RETRY_SECONDS)
                    continue
                async with trio.open_nursery() as nursery:
                    for connection in _take(self._gone):
                        nursery.start_soon(self._release, connection)
                    for connection in _take(self._unsure):
                        nursery.start_soon(self.renew, connection, connection.claims)

    async def _claim(self, holder: Holder) -> Hold | None:
        """Claim; if the user has too many sockets, look whether some are of dead workers."""
        try:
            with trio.move_on_after(REDIS_SECONDS_MAX):
                hold = await claim(self._link, holder, sockets_max=CONNECTIONS_PER_USER_MAX)
                if not isinstance(hold, Full):
                    return hold
                others = sorted({*hold.workers} - {self._worker})
                dead = await silent_workers(self._link, others) if others else []
                if not dead:
                    return hold
                return await claim(
                    self._link, holder, sockets_max=CONNECTIONS_PER_USER_MAX, dead=dead
                )
        except (LinkDownError, LinkReplyError):
            return None
        return None

    async def _release(self, connection: Connection) -> None:
        try:
            with trio.fail_after(REDIS_SECONDS_MAX):
                await release(self._link, connection.user, connection.session, connection.id)
        except (LinkDownError, trio.TooSlowError):
            await trio.sleep(RELEASE_RETRY_SECONDS)
            self.let_go(connection)
        except LinkReplyError:
            return  # its hold lapses with its ticket

    def _holder(self, connection: Connection, claims: TicketClaims) -> Holder:
        lasts_seconds = claims.exp - claims.iat + TICKET_GRACE_SECONDS + _LEASE_SLACK_SECONDS
        return Holder(
            user=connection.user,
            session=connection.session,
            worker=self._worker,
            connection=connection.id,
            sign_in=claims.sid,
            lasts_ms=int(lasts_seconds * 1000),
        )

    def _obey(self, connection: Connection, hold: Hold | None) -> bool:
        match hold:
            case Held():
                connection.hold(hold.fence)
            case Replaced():
                connection.close(REPLACED)
            case SignInEnded():
                connection.close(REVOKED)
            case Full():
                connection.close(CONNECTION_LIMIT)
            case None:
                self.check([connection])
        return connection.is_open


def _take(waiting: dict[Connection, None]) -> list[Connection]:
    return [waiting.popitem()[0] for _ in range(min(SOCKET_CALLS_AT_ONCE, len(waiting)))]
