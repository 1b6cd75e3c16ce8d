"""The addresses of subscriptions."""

from typing import Final

from deploy.stripe_standin.billing import changing, subscribing
from deploy.stripe_standin.listing import Page, Retrieve, as_list, page_of
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World


class ListSubscriptions(Page, frozen=True, kw_only=True):
    """Which subscriptions; `all` also those that have ended."""

    customer: str | None = None
    status: str | None = None
    test_clock: str | None = None


class ListItems(Page, frozen=True, kw_only=True):
    """The items of one subscription."""

    subscription: str


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("subscription", identity)


def _list(world: World, asked: ListSubscriptions, _: str) -> Document:
    where = {"customer": asked.customer, "test_clock": asked.test_clock}
    conditions: tuple[tuple[str, object], ...] = ()
    status = "json_extract(document, '$.status')"
    if asked.status is None:
        conditions = ((f"{status} != ?", "canceled"),)
    elif asked.status == "ended":
        conditions = ((f"{status} in ('canceled', ?)", "incomplete_expired"),)
    elif asked.status != "all":
        conditions = ((f"{status} = ?", asked.status),)
    return page_of(
        world,
        "subscription",
        asked,
        url="/v1/subscriptions",
        where=where,
        conditions=conditions,
    )


def _items(world: World, asked: ListItems, _: str) -> Document:
    subscription = world.get("subscription", asked.subscription, param="subscription")
    return as_list(subscription["items"]["data"], url="/v1/subscription_items")


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "subscriptions", subscribing.CreateSubscription, subscribing.create),
    route("GET", "subscriptions", ListSubscriptions, _list),
    route("GET", "subscriptions/*", Retrieve, _retrieve),
    route("POST", "subscriptions/*", changing.UpdateSubscription, changing.update),
    route("DELETE", "subscriptions/*", changing.CancelSubscription, changing.cancel),
    route("POST", "subscriptions/*/resume", changing.Resume, changing.resume),
    route("GET", "subscription_items", ListItems, _items),
)
