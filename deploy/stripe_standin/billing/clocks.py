"""Test clocks: customers whose time is moved by hand, and who are billed for what passes."""

from typing import Final

from deploy.stripe_standin.billing import renewing, terms
from deploy.stripe_standin.billing.collecting import DAY_SECONDS
from deploy.stripe_standin.errors import InvalidRequestError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

KIND: Final = "test_helpers.test_clock"
_IDLE_SECONDS_MAX: Final = 2 * 366 * DAY_SECONDS
_LIFE_SECONDS: Final = 30 * DAY_SECONDS


class CreateClock(Retrieve, frozen=True, kw_only=True):
    """A new clock, standing still."""

    frozen_time: int
    name: str | None = None


class AdvanceClock(Retrieve, frozen=True, kw_only=True):
    """Where to."""

    frozen_time: int


def _create(world: World, asked: CreateClock, _: str) -> Document:
    clock = world.new(
        "clock",
        KIND,
        deletes_after=world.now() + _LIFE_SECONDS,
        frozen_time=asked.frozen_time,
        name=asked.name,
        status="ready",
        status_details={},
    )
    del clock["metadata"]
    world.save(clock)
    world.emit("test_helpers.test_clock.created", clock)
    return clock


def _advance(world: World, asked: AdvanceClock, identity: str) -> Document:
    """Move a clock. It is `advancing` in the answer, and `ready` when it is looked up."""
    clock = world.get(KIND, identity)
    start = clock["frozen_time"]
    if asked.frozen_time <= start:
        raise InvalidRequestError(
            "The `frozen_time` must be after the clock's current `frozen_time`.",
            param="frozen_time",
        )
    if asked.frozen_time > _furthest(world, clock):
        raise InvalidRequestError(
            "You can only advance a test clock up to two intervals at a time, given the shortest "
            "subscription of its customers.",
            code="test_clock_advance_too_far",
            param="frozen_time",
        )
    world.emit("test_helpers.test_clock.advancing", clock)
    renewing.advance(world, clock, asked.frozen_time)
    world.emit("test_helpers.test_clock.ready", clock)
    details = {"advancing": {"target_frozen_time": asked.frozen_time}}
    return {**clock, "frozen_time": start, "status": "advancing", "status_details": details}


def _furthest(world: World, clock: Document) -> int:
    spans = [
        (end - start)
        for each in world.select("subscription", test_clock=clock["id"])
        if each["status"] not in terms.ENDED
        for start, end in [terms.period_from(each, max(clock["frozen_time"], _anchor(each)))]
    ]
    longest = 2 * min(spans) + DAY_SECONDS if spans else _IDLE_SECONDS_MAX
    return int(clock["frozen_time"] + longest)


def _anchor(subscription: Document) -> int:
    anchor: int = subscription["billing_cycle_anchor"]
    return anchor


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get(KIND, identity)


def _delete(world: World, _: Retrieve, identity: str) -> Document:
    """Delete a clock, and with it whatever is on it."""
    clock = world.get(KIND, identity)
    world.store.execute(
        "delete from objects where json_extract(document, '$.test_clock') = ? or id = ?",
        identity,
        identity,
    )
    world.emit("test_helpers.test_clock.deleted", clock)
    return {"id": identity, "object": KIND, "deleted": True}


def _list(world: World, asked: Page, _: str) -> Document:
    return page_of(world, KIND, asked, url="/v1/test_helpers/test_clocks")


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "test_helpers/test_clocks", CreateClock, _create),
    route("GET", "test_helpers/test_clocks", Page, _list),
    route("GET", "test_helpers/test_clocks/*", Retrieve, _retrieve),
    route("DELETE", "test_helpers/test_clocks/*", Retrieve, _delete),
    route("POST", "test_helpers/test_clocks/*/advance", AdvanceClock, _advance),
)
