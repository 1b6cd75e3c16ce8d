"""After a hole in what was heard of a topic: has somebody lost the right to hear it meanwhile?

A right that is lost is noticed by its event, or by a notice. Where those may be missing, everybody
who listens is asked for again: after a gap, and of all topics when the connection was lost.
"""

from collections.abc import Callable, Iterable

import trio

from gateway.connections.connection import Connection
from gateway.limits import AUDIT_RETRY_SECONDS, AUDITS_AT_ONCE, REDIS_SECONDS_MAX
from gateway.streams.access import AccessUnknownError, rights_of
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
        on_muted: Callable[[Topic, UserId, int], None],
    ) -> None:
        self._link = link
        self._listeners = listeners
        self._on_lost = on_lost
        self._on_muted = on_muted
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
            unsettled: list[Topic] = []
            while self._wanted:
                batch = [
                    self._wanted.popitem()[0] for _ in range(min(AUDITS_AT_ONCE, len(self._wanted)))
                ]
                async with trio.open_nursery() as nursery:
                    for topic in batch:
                        nursery.start_soon(self._settle, topic, unsettled)
            if unsettled:
                self._wanted.update(dict.fromkeys(unsettled))
                await trio.sleep(AUDIT_RETRY_SECONDS)
                self._woken.set()

    async def _settle(self, topic: Topic, unsettled: list[Topic]) -> None:
        """Ask for everybody; nobody is cut off because the answer did not come."""
        users = list({one.user for one in self._listeners(topic)})
        try:
            with trio.fail_after(REDIS_SECONDS_MAX):
                rights = await rights_of(self._link, topic, users)
        except (LinkDownError, LinkReplyError, AccessUnknownError, trio.TooSlowError):
            unsettled.append(topic)
            return
        for user, right in rights.items():
            if right is None:
                self._on_lost(topic, user)
            else:
                self._on_muted(topic, user, right.muted_until_ms)
