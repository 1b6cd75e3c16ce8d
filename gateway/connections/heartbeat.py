"""One timer for all sockets: it closes the silent, and those whose ticket ran out."""

from collections.abc import Callable, Iterable

import trio

from gateway.connections.connection import Connection
from gateway.limits import HEARTBEAT_SWEEP_SECONDS, SILENCE_SECONDS_MAX, TICKET_GRACE_SECONDS
from protocol.close_codes import SILENT, TICKET_EXPIRED


async def keep_heartbeat(connections: Callable[[], Iterable[Connection]]) -> None:
    """Look at every connection once in `HEARTBEAT_SWEEP_SECONDS`, for ever."""
    while True:
        await trio.sleep(HEARTBEAT_SWEEP_SECONDS)
        now = trio.current_time()
        for connection in connections():
            if now - connection.transport.heard_at > SILENCE_SECONDS_MAX:
                connection.close(SILENT)
            elif now > connection.expires_at + TICKET_GRACE_SECONDS:
                connection.close(TICKET_EXPIRED)
