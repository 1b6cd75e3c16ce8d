"""Go away politely: nobody new, everybody told, some time to leave, then closed."""

from typing import Final

import trio

from gateway.connections.outbox import Lane
from gateway.dispatch import Dispatch
from gateway.limits import (
    CLOSE_SECONDS_MAX,
    DRAIN_GRACE_SECONDS,
    DRAIN_MS_PER_CONNECTION,
    DRAIN_WINDOW_MS_MAX,
    DRAIN_WINDOW_MS_MIN,
)
from gateway.listener import Listener
from gateway.registry import Registry
from protocol.close_codes import DRAINING
from protocol.server_frames import Reconnect
from shared.logging import get_logger

_log: Final = get_logger("gateway.drain")


def window_ms(connections_count: int) -> int:
    """Return over how long so many clients should spread their return."""
    wanted = DRAIN_WINDOW_MS_MIN + int(connections_count * DRAIN_MS_PER_CONNECTION)
    return min(DRAIN_WINDOW_MS_MAX, wanted)


async def drain(*, listener: Listener, dispatch: Dispatch, registry: Registry) -> None:
    """Let every client go. Takes the window and a few seconds at most."""
    dispatch.is_draining = True
    listener.refuse_newcomers()
    told = list(registry.connections())
    within_ms = window_ms(len(told))
    _log.info("drain.started", connections=len(told), within_ms=within_ms)
    for connection in told:
        connection.send(Reconnect(within_ms=within_ms), Lane.CONTROL)
    with trio.move_on_after(within_ms / 1000 + DRAIN_GRACE_SECONDS):
        await registry.wait_empty()
    left = list(registry.connections())
    for connection in left:
        connection.close(DRAINING)
    with trio.move_on_after(CLOSE_SECONDS_MAX):
        await registry.wait_empty()
    listener.stop_accepting()
    _log.info("drain.ended", closed=len(left))
