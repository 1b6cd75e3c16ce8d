"""What a subscription is for, from when to when: its items, its periods, what is due next."""

from typing import Annotated, Any, Final

import msgspec

from deploy.stripe_standin.billing.lines import new_line, pricing_of
from deploy.stripe_standin.billing.periods import period_at
from deploy.stripe_standin.errors import InvalidRequestError, MalformedError
from deploy.stripe_standin.ids import mint
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

INCOMPLETE_SECONDS: Final = 23 * 3600
"""How long a first payment may take; then the subscription has expired."""
TRIAL_NOTICE_SECONDS: Final = 3 * 24 * 3600
ITEMS_MAX: Final = 20
ENDED: Final = frozenset({"canceled", "incomplete_expired"})
BILLED: Final = frozenset({"active", "trialing", "past_due", "unpaid"})
"""The states in which a new period begins when one ends."""


class ItemAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item: a new one by its price, or a change of one by its id."""

    id: str | None = None
    price: str | None = None
    quantity: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    deleted: bool = False
    metadata: dict[str, str] | None = None


def apply_items(
    world: World, items: list[Document], asked: list[ItemAsked], subscription: str
) -> list[Document]:
    """Return the items after a change.

    Raises:
        InvalidRequestError: if an item is not there, or they do not go together.
    """
    found = {each["id"]: dict(each) for each in items}
    for each in asked:
        if each.id is None:
            fresh = _new_item(world, each, subscription)
            if any(item["price"]["id"] == fresh["price"]["id"] for item in found.values()):
                raise InvalidRequestError(
                    "Cannot add multiple subscription items with the same plan."
                )
            found[fresh["id"]] = fresh
            continue
        if each.id not in found:
            raise InvalidRequestError(
                f"No such subscription_item: '{each.id}'", code="resource_missing", param="items"
            )
        if each.deleted:
            del found[each.id]
            continue
        if each.price is not None:
            found[each.id]["price"] = _price(world, each.price)
        if each.quantity is not None:
            found[each.id]["quantity"] = each.quantity
    changed = list(found.values())
    _check_together(changed)
    return changed


def _new_item(world: World, asked: ItemAsked, subscription: str) -> Document:
    if asked.price is None:
        raise MalformedError(
            "Missing required param: items[0][price].",
            code="parameter_missing",
            param="items[0][price]",
        )
    return {
        "id": mint("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now(),
        "discounts": [],
        "metadata": asked.metadata or {},
        "price": _price(world, asked.price),
        "quantity": 1 if asked.quantity is None else asked.quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def _price(world: World, identity: str) -> Document:
    price = world.get("price", identity, param="items[0][price]")
    if price["type"] != "recurring":
        raise InvalidRequestError(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            param="items[0][price]",
        )
    if not price["active"]:
        raise InvalidRequestError(
            "The price specified is inactive. This field only accepts active prices.",
            param="items[0][price]",
        )
    return price


def _check_together(items: list[Document]) -> None:
    if not 1 <= len(items) <= ITEMS_MAX:
        raise InvalidRequestError(f"A subscription has 1 to {ITEMS_MAX} items.", param="items")
    if len({each["price"]["currency"] for each in items}) > 1:
        raise InvalidRequestError(
            "All prices on a subscription must have the same `currency`.", param="items"
        )
    if len({rhythm(each) for each in items}) > 1:
        raise InvalidRequestError(
            "All prices on a subscription must have the same `recurring.interval` and "
            "`recurring.interval_count`.",
            param="items",
        )


def rhythm(item: Document) -> tuple[str, int]:
    """Return how often an item is billed."""
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def set_period(items: list[Document], start: int, end: int) -> list[Document]:
    """Return the items in a period."""
    return [{**each, "current_period_start": start, "current_period_end": end} for each in items]


def items_of(subscription: Document) -> list[Document]:
    """Return a subscription's items."""
    items: list[Document] = subscription["items"]["data"]
    return items


def period_of(subscription: Document) -> tuple[int, int]:
    """Return the start and end of the period that runs."""
    first = items_of(subscription)[0]
    return first["current_period_start"], first["current_period_end"]


def period_from(subscription: Document, moment: int) -> tuple[int, int]:
    """Return the period, counted from the anchor, that a moment is in."""
    interval, every = rhythm(items_of(subscription)[0])
    return period_at(subscription["billing_cycle_anchor"], interval, every, moment)


def lines_for(
    world: World, subscription: Document, start: int, end: int, *, is_trial: bool = False
) -> list[Document]:
    """Return the lines of an invoice for a whole period; a trial costs nothing."""
    return [
        new_line(
            world,
            amount=amount,
            currency=item["price"]["currency"],
            description=_described(world, item, is_trial=is_trial),
            parent=_parent(subscription, item),
            period={"start": start, "end": end},
            pricing=pricing_of(item["price"]),
            quantity=item["quantity"],
            subscription=subscription["id"],
            subtotal=amount,
        )
        for item in items_of(subscription)
        for amount in [0 if is_trial else amount_of(item)]
    ]


def amount_of(item: Document) -> int:
    """Return what an item costs for a whole period, in minor units."""
    return int(item["price"]["unit_amount"] * item["quantity"])


def _described(world: World, item: Document, *, is_trial: bool) -> str:
    name = (world.find("product", item["price"]["product"]) or {}).get("name", "Product")
    return f"Trial period for {name}" if is_trial else f"{item['quantity']} x {name}"


def _parent(subscription: Document, item: Document) -> Document:
    return {
        "type": "subscription_item_details",
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription["id"],
            "subscription_item": item["id"],
        },
    }


def save(world: World, subscription: Document, event: str | None, **fields: Any) -> Document:  # noqa: ANN401 - JSON
    """Change a subscription, and note when something is due with it next."""
    subscription.update(_due=next_due({**subscription, **fields}))
    return world.change(subscription, event, **fields)


def next_due(subscription: Document) -> int | None:
    """Return the unix second at which something happens next; None if nothing ever does."""
    status = subscription["status"]
    if status in ENDED or status == "paused":
        return None
    if status == "incomplete":
        return int(subscription["created"] + INCOMPLETE_SECONDS)
    moments = [period_of(subscription)[1]]
    if subscription["cancel_at"] is not None:
        moments.append(subscription["cancel_at"])
    if status == "trialing" and not subscription.get("_told_of_trial"):
        moments.append(subscription["trial_end"] - TRIAL_NOTICE_SECONDS)
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"] is not None:
        moments.append(pause["resumes_at"])
    return int(min(moments))
