"""One timer for all sockets: it closes the silent, and those whose ticket ran out."""

from collections.abc import Callable, Iterable

import trio
from prometheus_client import Histogram

from gateway.connections.connection import Connection
from gateway.limits import HEARTBEAT_SWEEP_SECONDS, SILENCE_SECONDS_MAX, TICKET_GRACE_SECONDS
from protocol.close_codes import SILENT, TICKET_EXPIRED

_queued_bytes = Histogram(
    "rialto_gateway_outbox_queued_bytes",
    "Bytes that waited for a slow socket, looked at once a second while any did.",
    buckets=[1 << power for power in range(10, 21)],
)
_queued_seconds = Histogram(
    "rialto_gateway_outbox_queued_seconds",
    "How long the oldest frame had waited for a slow socket, looked at once a second.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 6, 8, 10),
)


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
            _note_what_waits(connection, now)


def _note_what_waits(connection: Connection, now: float) -> None:
    queued_bytes = connection.transport.queued_bytes
    if queued_bytes:
        _queued_bytes.observe(queued_bytes)
        _queued_seconds.observe(connection.transport.waiting_seconds(now))
