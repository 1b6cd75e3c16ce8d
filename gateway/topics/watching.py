"""The products that clients watch: one feed each, shared with subscribers, and no task a watcher.

A watcher is told states, not events: the newest at once, then at most one in `STATE_PAUSE_SECONDS`,
whatever happened in between. Only versions are compared, so order of arrival does not matter.
"""

from typing import Final

import msgspec
import trio
from prometheus_client import Counter

from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane
from gateway.limits import (
    AUDIT_RETRY_SECONDS,
    AUDITS_AT_ONCE,
    REDIS_SECONDS_MAX,
    STATE_PAUSE_SECONDS,
    WATCHED_AGE_MS_MAX,
    WATCHED_FEEDS_MAX,
)
from gateway.streams.access import AccessUnknownError, right_of
from gateway.streams.link import Calls, LinkDownError, LinkReplyError
from gateway.streams.topic_log import read_newest
from gateway.topics.hub import Hub
from gateway.topics.watched import WatchedProduct, product_of
from protocol.client_frames import Watch
from protocol.error_codes import LIMIT_REACHED, UNAVAILABLE, UNKNOWN_TOPIC
from protocol.server_frames import Watching
from protocol.topics import Topic, product_topic

_RETRY_SECONDS: Final = 1.0
_told: Final = Counter(
    "rialto_gateway_product_states_total", "States of watched products handed to outboxes."
)
_stale: Final = Counter(
    "rialto_gateway_products_stale_total", "Watched products whose state had to be re-read."
)


class WatchStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched now."""

    products_count: int
    watches_count: int


class WatchBoard:
    """Knows which connection watches which products."""

    def __init__(self, *, link: Calls, hub: Hub) -> None:
        self._link = link
        self._hub = hub
        self._products: dict[Topic, WatchedProduct] = {}
        self._watched: dict[Connection, set[Topic]] = {}
        self._due: dict[Topic, None] = {}
        self._doubtful: dict[Topic, None] = {}
        self._has_due = trio.Event()
        self._has_doubtful = trio.Event()

    def statistics(self) -> WatchStatistics:
        """Count what there is."""
        return WatchStatistics(
            products_count=len(self._products),
            watches_count=sum(map(len, self._watched.values())),
        )

    async def run(self) -> None:
        """Tell what waits for its pause to be over, and read again what is in doubt, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_forever)
            nursery.start_soon(self._read_forever)

    async def watch(self, connection: Connection, frame: Watch) -> None:
        """Answer `watch`: the named products in place of those watched before.

        If Redis cannot be reached the answer is `unavailable`, and nothing is watched.
        """
        wanted = {product_topic(product): version for product, version in frame.products.items()}
        if not await self._may_watch(connection, frame, wanted):
            return
        self._replace(connection, wanted)
        is_reached = await self._load_all(wanted)
        if connection.has_left:
            return
        if not is_reached:
            self.leave(connection)
            connection.send_error(
                UNAVAILABLE, question=frame.id, retry_after_seconds=_RETRY_SECONDS
            )
            return
        self._answer(connection, frame, wanted)

    def leave(self, connection: Connection) -> None:
        """Forget everything a connection watches, at once."""
        for topic in self._watched.pop(connection, set()):
            self._unwatch(connection, topic)

    # One question

    async def _may_watch(
        self, connection: Connection, frame: Watch, wanted: dict[Topic, int]
    ) -> bool:
        fresh = sum(topic not in self._products for topic in wanted)
        if len(self._products) + fresh > WATCHED_FEEDS_MAX:
            connection.send_error(LIMIT_REACHED, question=frame.id)
            return False
        try:
            for topic in wanted:
                if await right_of(self._link, topic, connection.user) is None:
                    connection.send_error(UNKNOWN_TOPIC, question=frame.id, topic=topic)
                    return False
        except (LinkDownError, LinkReplyError, AccessUnknownError):
            connection.send_error(
                UNAVAILABLE, question=frame.id, retry_after_seconds=_RETRY_SECONDS
            )
            return False
        return not connection.has_left

    def _replace(self, connection: Connection, wanted: dict[Topic, int]) -> None:
        """From here on events reach exactly those who watch: no task comes in between."""
        for topic in self._watched.get(connection, set()) - wanted.keys():
            self._unwatch(connection, topic)
        self._watched[connection] = set(wanted)
        for topic, version in wanted.items():
            self._product(topic).watchers[connection] = version
        if not wanted:
            del self._watched[connection]

    def _answer(self, connection: Connection, frame: Watch, wanted: dict[Topic, int]) -> None:
        is_recent = frame.age_ms <= WATCHED_AGE_MS_MAX
        stale = [
            product_of(topic)
            for topic, version in wanted.items()
            if self._products[topic].is_beyond(version, is_recent=is_recent)
        ]
        _stale.inc(len(stale))
        connection.send(Watching(id=frame.id, stale=stale), Lane.DURABLE)
        _told.inc(sum(self._products[topic].tell(connection) for topic in wanted))

    # Products

    def _product(self, topic: Topic) -> WatchedProduct:
        known = self._products.get(topic)
        if known is None:
            known = self._products[topic] = WatchedProduct(
                topic, on_news=self._note_news, on_doubt=self._note_doubt
            )
        return known

    def _unwatch(self, connection: Connection, topic: Topic) -> None:
        product = self._products[topic]
        product.watchers.pop(connection, None)
        self._forget(product)

    def _forget(self, product: WatchedProduct) -> None:
        """Let a product go that nobody watches; one that is being loaded waits for that."""
        is_ours = self._products.get(product.topic) is product
        if not is_ours or product.watchers or product.loading is not None:
            return
        del self._products[product.topic]
        self._hub.let_go(product.topic, product)

    async def _load_all(self, topics: dict[Topic, int]) -> bool:
        """Open the feeds that are not open yet; say whether that worked for all."""
        missing = [self._products[topic] for topic in topics]
        missing = [product for product in missing if not product.is_loaded]
        failed: list[Topic] = []

        async def load(product: WatchedProduct) -> None:
            try:
                with trio.fail_after(REDIS_SECONDS_MAX):
                    await self._load(product)
            except (LinkDownError, LinkReplyError, trio.TooSlowError):
                failed.append(product.topic)

        async with trio.open_nursery() as nursery:
            for product in missing:
                nursery.start_soon(load, product)
        return not failed

    async def _load(self, product: WatchedProduct) -> None:
        """Hear the topic first, then read its newest entry: nothing falls between the two."""
        while not product.is_loaded and self._products.get(product.topic) is product:
            if product.loading is not None:
                await product.loading.wait()
                continue
            product.loading = trio.Event()
            try:
                await self._hub.hold(product.topic, product)
                await self._read(product)
                product.is_loaded = True
            finally:
                product.loading.set()
                product.loading = None
                self._forget(product)

    async def _read(self, product: WatchedProduct) -> bool:
        """Take the newest entry of the log; say whether it tells the state."""
        newest = await read_newest(self._link, product.topic)
        product.is_silent = newest is None
        return newest is not None and product.read(newest.offset, newest.entry)

    # What happens to them

    def _note_news(self, product: WatchedProduct) -> None:
        if product.quiet_until > trio.current_time():
            self._due[product.topic] = None
            self._has_due.set()
        else:
            self._tell(product)

    def _tell(self, product: WatchedProduct) -> None:
        product.quiet_until = trio.current_time() + STATE_PAUSE_SECONDS
        _told.inc(product.tell_all())

    async def _tell_forever(self) -> None:
        while True:
            await self._has_due.wait()
            await trio.sleep(STATE_PAUSE_SECONDS)
            self._has_due = trio.Event()
            due, self._due = self._due, {}
            for topic in due:
                if topic in self._products:
                    self._tell(self._products[topic])

    def _note_doubt(self, product: WatchedProduct) -> None:
        self._doubtful[product.topic] = None
        self._has_doubtful.set()

    async def _read_forever(self) -> None:
        while True:
            await self._has_doubtful.wait()
            self._has_doubtful = trio.Event()
            batch = [
                self._doubtful.popitem()[0] for _ in range(min(AUDITS_AT_ONCE, len(self._doubtful)))
            ]
            async with trio.open_nursery() as nursery:
                for topic in batch:
                    nursery.start_soon(self._read_again, topic)
            if self._doubtful:
                self._has_doubtful.set()

    async def _read_again(self, topic: Topic) -> None:
        product = self._products.get(topic)
        if product is None:
            return
        try:
            with trio.fail_after(REDIS_SECONDS_MAX):
                is_known = await self._read(product)
        except (LinkDownError, LinkReplyError, trio.TooSlowError):
            self._note_doubt(product)
            await trio.sleep(AUDIT_RETRY_SECONDS)
            return
        if is_known:
            self._tell(product)
        else:
            _stale.inc(len(product.watchers))
            product.tell_stale()
