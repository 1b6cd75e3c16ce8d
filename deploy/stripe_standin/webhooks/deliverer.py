"""Deliver events: signed, at least once, again after a failure for a bounded time."""

import asyncio
import itertools
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import httpx
import msgspec

from deploy.stripe_standin.limits import (
    DELIVERY_ANSWER_SECONDS_MAX,
    DELIVERY_ATTEMPTS_MAX,
    DELIVERY_RETRY_SECONDS,
)
from deploy.stripe_standin.store import Document, Store
from deploy.stripe_standin.webhooks.knobs import Knobs
from deploy.stripe_standin.webhooks.signing import signature
from deploy.stripe_standin.world import World, shown
from shared.clock import Clock
from shared.logging import get_logger

_BATCH: Final = 500
_SLEEP_SECONDS_MAX: Final = 60.0

_log = get_logger("stripe.webhooks")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint."""

    number: int
    event: str
    endpoint: str
    attempts: int


class Deliverer:
    """Sends what waits in the store. Runs beside the API, on the same loop."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock
        """The machine's own clock: retries wait in real time, whatever the stand-in's time is."""
        self._wake = asyncio.Event()
        self._idle = asyncio.Condition()
        self._is_sending = False
        self.knobs = Knobs()

    def wake(self) -> None:
        """Look again: something waits, or a knob was turned."""
        self._wake.set()

    def turn(self, knobs: Knobs) -> None:
        """Turn the knobs."""
        self.knobs = knobs
        self.wake()

    @property
    def waiting_count(self) -> int:
        """How many deliveries are not done."""
        return _count(self._world.store)

    async def wait_idle(self) -> None:
        """Wait until nothing is on its way or due later."""
        async with self._idle:
            await self._idle.wait_for(lambda: not self._is_sending and self.waiting_count == 0)

    def send_again(self, event: str) -> int:
        """Deliver an event once more to every enabled endpoint; return to how many."""
        endpoints = self._world.select("webhook_endpoint", status="enabled")
        for endpoint in endpoints:
            self._insert(event, endpoint["id"], due=0)
        self.wake()
        return len(endpoints)

    async def run(self) -> None:
        """Deliver until cancelled; what is on its way then is delivered again after a restart."""
        async with httpx.AsyncClient(
            timeout=DELIVERY_ANSWER_SECONDS_MAX, follow_redirects=False, trust_env=False
        ) as client:
            while True:
                self._wake.clear()
                due = [] if self.knobs.paused else self._due()
                if due:
                    await self._send_all(client, due)
                    continue
                async with self._idle:
                    self._idle.notify_all()
                with suppress(TimeoutError):  # then something is due
                    async with asyncio.timeout(self._seconds_to_next()):
                        await self._wake.wait()

    async def _send_all(self, client: httpx.AsyncClient, due: list[Delivery]) -> None:
        self._is_sending = True
        try:
            for batch in _batches(self.knobs.ordered(due), self.knobs.at_once):
                if self.knobs.paused:
                    return
                await asyncio.gather(*(self._send(client, each) for each in batch))
        finally:
            self._is_sending = False

    def _due(self) -> list[Delivery]:
        """Take what is due; new deliveries are first put off and copied as the knobs say."""
        store, now = self._world.store, self._now()
        for row in store.query("select * from deliveries where state = 'waiting' and due = 0"):
            with store.transaction():
                due = now + self.knobs.delay_seconds
                store.execute("update deliveries set due = ? where number = ?", due, row["number"])
                if row["attempts"] == 0:
                    for _ in range(self.knobs.copies - 1):
                        self._insert(row["event"], row["endpoint"], due=due)
        rows = store.query(
            "select number, event, endpoint, attempts from deliveries"
            " where state = 'waiting' and due <= ? order by due, number limit ?",
            now,
            _BATCH,
        )
        return [Delivery(**dict(row)) for row in rows]

    async def _send(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        event = self._world.find("event", delivery.event)
        endpoint = self._world.find("webhook_endpoint", delivery.endpoint)
        if event is None or endpoint is None or endpoint["status"] != "enabled":
            self._note(delivery, "dropped", None)
            return
        if self.knobs.loses(event["type"]):
            self.knobs = msgspec.structs.replace(self.knobs, lose=self.knobs.lose - 1)
            self._note(delivery, "lost", None)
            return
        status = await self._post(client, endpoint, event)
        if status is not None and 200 <= status < 300:
            self._note(delivery, "delivered", status)
        elif delivery.attempts + 1 >= DELIVERY_ATTEMPTS_MAX:
            self._note(delivery, "failed", status)
            _log.warning("webhook.given_up", webhook=event["id"], url=endpoint["url"])
        else:
            self._retry(delivery, status)

    async def _post(
        self, client: httpx.AsyncClient, endpoint: Document, event: Document
    ) -> int | None:
        body = msgspec.json.encode(shown(event))
        sent_at = self._world.now()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (stand-in)",
            "Stripe-Signature": signature(body, secrets=endpoint["_secrets"], at=sent_at),
        }
        try:
            answer = await client.post(endpoint["url"], content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.info("webhook.not_delivered", url=endpoint["url"], reason=type(error).__name__)
            return None
        return answer.status_code

    def _retry(self, delivery: Delivery, status: int | None) -> None:
        pauses = self.knobs.retry_seconds
        pauses = DELIVERY_RETRY_SECONDS if pauses is None else pauses
        if delivery.attempts >= len(pauses):
            self._note(delivery, "failed", status)
            return
        self._note(delivery, "waiting", status, due=self._now() + pauses[delivery.attempts])

    def _note(
        self, delivery: Delivery, state: str, status: int | None, *, due: float = 0.0
    ) -> None:
        self._world.store.execute(
            "update deliveries set state = ?, status = ?, attempts = attempts + 1, due = ?"
            " where number = ?",
            state,
            status,
            due,
            delivery.number,
        )

    def _insert(self, event: str, endpoint: str, *, due: float) -> None:
        self._world.store.execute(
            "insert into deliveries (event, endpoint, state, due) values (?, ?, 'waiting', ?)",
            event,
            endpoint,
            due,
        )

    def _seconds_to_next(self) -> float:
        if self.knobs.paused:
            return _SLEEP_SECONDS_MAX
        rows = self._world.store.query(
            "select min(due) as due from deliveries where state = 'waiting'"
        )
        due: float | None = rows[0]["due"]
        if due is None:
            return _SLEEP_SECONDS_MAX
        return min(_SLEEP_SECONDS_MAX, max(0.0, due - self._now()))

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _count(store: Store) -> int:
    rows = store.query("select count(*) as waiting from deliveries where state = 'waiting'")
    return int(rows[0]["waiting"])


def _batches(deliveries: Iterable[Delivery], size: int) -> Iterable[tuple[Delivery, ...]]:
    remaining = iter(deliveries)
    while batch := tuple(itertools.islice(remaining, size)):
        yield batch
