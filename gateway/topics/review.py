"""After a hole in a room's events: has somebody lost the right to hear it meanwhile?

A right that is lost is noticed by its event. Where events are missing, that one may be among them,
so everybody who listens is asked for again.
"""

from collections.abc import Callable, Iterable

import trio

from gateway.connections.connection import Connection
from gateway.limits import AUDIT_RETRY_SECONDS, REDIS_SECONDS_MAX
from gateway.streams.access import AccessUnknownError, role_of
from gateway.streams.link import Calls, LinkDownError, LinkReplyError
from protocol.ids import UserId
from protocol.topics import Topic


class RightsReview:
    """Asks for the rights of the listeners of topics in which events were missed."""

    def __init__(
        self,
        *,
        link: Calls,
        listeners: Callable[[Topic], Iterable[Connection]],
        on_lost: Callable[[Topic, UserId], None],
    ) -> None:
        self._link = link
        self._listeners = listeners
        self._on_lost = on_lost
        self._wanted: dict[Topic, None] = {}
        self._woken = trio.Event()

    @property
    def waiting_count(self) -> int:
        """Count the topics that are still to be looked at."""
        return len(self._wanted)

    def want(self, topic: Topic) -> None:
        """Have a topic looked at soon."""
        self._wanted[topic] = None
        self._woken.set()

    async def run(self) -> None:
        """Look at topics, for ever; at one again and again while the rights cannot be known."""
        while True:
            await self._woken.wait()
            self._woken = trio.Event()
            for topic in list(self._wanted):
                del self._wanted[topic]
                if not await self._is_settled(topic):
                    self._wanted[topic] = None
            if self._wanted:
                await trio.sleep(AUDIT_RETRY_SECONDS)
                self._woken.set()

    async def _is_settled(self, topic: Topic) -> bool:
        """Ask for everybody; nobody is cut off because the answer did not come."""
        for user in {one.user for one in self._listeners(topic)}:
            try:
                with trio.fail_after(REDIS_SECONDS_MAX):
                    role = await role_of(self._link, topic, user)
            except (LinkDownError, LinkReplyError, AccessUnknownError, trio.TooSlowError):
                return False
            if role is None:
                self._on_lost(topic, user)
        return True
