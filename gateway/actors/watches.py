"""What a user's pages show, as they tell it: limits first, then the boards that follow it."""

from typing import assert_never

from gateway.actors.services import Services
from gateway.connections.bucket import TokenBucket
from gateway.connections.connection import Connection
from gateway.limits import WATCH_RATE
from protocol.client_frames import Watch, WatchPeople
from protocol.error_codes import RATE_LIMITED


class WatchDoor:
    """Takes the `watch` and `watch_people` of one user's clients."""

    __slots__ = ("_bucket", "_services")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._bucket: TokenBucket | None = None

    async def watch(self, connection: Connection, frame: Watch | WatchPeople) -> None:
        """Follow what the client shows, or say why not."""
        pause = self._take()
        if pause > 0:
            connection.send_error(RATE_LIMITED, question=frame.id, retry_after_seconds=pause)
            return
        match frame:
            case Watch():
                await self._services.watching.watch(connection, frame)
            case WatchPeople():
                await self._services.people.watch(connection, frame)
            case _:
                assert_never(frame)

    def _take(self) -> float:
        if self._bucket is None:
            per_second, burst = WATCH_RATE
            self._bucket = TokenBucket(per_second=per_second, burst=burst)
        return self._bucket.take()
