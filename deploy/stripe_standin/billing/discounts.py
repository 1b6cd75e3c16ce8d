"""Discounts: a coupon as it applies to one subscription or one invoice."""

import msgspec

from deploy.stripe_standin.billing import coupons
from deploy.stripe_standin.billing.periods import moment_after, share
from deploy.stripe_standin.errors import MissingError
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World


class DiscountGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One discount, by one of its names."""

    coupon: str | None = None
    promotion_code: str | None = None
    discount: str | None = None


def give(
    world: World,
    asked: list[DiscountGiven],
    *,
    customer: str,
    subscription: str | None = None,
    invoice: str | None = None,
) -> list[str]:
    """Redeem what was asked for; return the ids of the discounts.

    Raises:
        InvalidRequestError: if a coupon has expired or is used up.
        MissingError: if one is not there.
    """
    given = []
    for each in asked:
        if each.discount is not None:
            given.append(str(world.get("discount", each.discount)["id"]))
            continue
        code = None
        named = each.coupon
        if each.promotion_code is not None:
            code = world.get("promotion_code", each.promotion_code)
            named = code["promotion"]["coupon"]
        if named is None:
            raise MissingError("coupon", "", param="discounts[0][coupon]")
        coupon = coupons.redeem(world, named, code=code)
        discount = _new(world, coupon, code)
        discount.update(customer=customer, subscription=subscription, invoice=invoice)
        world.save(discount)
        world.emit("customer.discount.created", discount)
        given.append(str(discount["id"]))
    return given


def _new(world: World, coupon: Document, code: Document | None) -> Document:
    end = None
    if coupon["duration"] == "repeating":
        end = moment_after(world.now(), "month", coupon["duration_in_months"])
    discount = world.new(
        "di",
        "discount",
        end=end,
        promotion_code=code and code["id"],
        source={"type": "coupon", "coupon": coupon["id"]},
        start=world.now(),
        _is_once=coupon["duration"] == "once",
        _amount_off=coupon["amount_off"],
        _percent_off=coupon["percent_off"],
        _currency=coupon["currency"],
    )
    for name in ("created", "livemode", "metadata"):
        del discount[name]
    return discount


def take_off(
    world: World, identities: list[str], subtotal: int, currency: str
) -> list[tuple[str, int]]:
    """Return how much each discount takes off what the ones before it left, in minor units."""
    left = max(subtotal, 0)
    taken = []
    for identity in identities:
        discount = world.get("discount", identity)
        amount = min(left, _amount(discount, left, currency))
        left -= amount
        taken.append((identity, amount))
    return taken


def _amount(discount: Document, left: int, currency: str) -> int:
    if discount["_percent_off"] is not None:
        return share(left, round(discount["_percent_off"] * 100), 10_000)
    return discount["_amount_off"] if discount["_currency"] == currency else 0


def running(world: World, identities: list[str], *, first_invoice: bool) -> list[str]:
    """Return those that still apply: not ended, and `once` only to the first invoice."""
    found = []
    for identity in identities:
        discount = world.get("discount", identity)
        is_over = discount["end"] is not None and discount["end"] <= world.now()
        is_spent = discount["_is_once"] and (not first_invoice or discount.get("_was_used"))
        if not is_over and not is_spent:
            found.append(identity)
    return found


def spread(amount: int, weights: list[int]) -> list[int]:
    """Return an amount in parts as the weights are, adding up to it (largest remainder first)."""
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda index: (-(amount * weights[index] % whole), index)
    )
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return parts
