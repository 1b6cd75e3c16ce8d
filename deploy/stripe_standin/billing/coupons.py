"""Coupons and promotion codes."""

from typing import Annotated, Final, Literal

import msgspec

from deploy.stripe_standin.errors import InvalidRequestError, MalformedError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.money import check_currency
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged


class CreateCoupon(Retrieve, frozen=True, kw_only=True):
    """A new coupon."""

    amount_off: Annotated[int, msgspec.Meta(ge=1)] | None = None
    currency: str | None = None
    duration: Literal["forever", "once", "repeating"] = "once"
    duration_in_months: Annotated[int, msgspec.Meta(ge=1, le=1200)] | None = None
    id: str | None = None
    max_redemptions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    name: str | None = None
    percent_off: Annotated[float, msgspec.Meta(gt=0, le=100)] | None = None
    redeem_by: int | None = None


class UpdateCoupon(Retrieve, frozen=True, kw_only=True):
    """What may change."""

    metadata: dict[str, str] | Literal[""] | None = None
    name: str | None = None


class Promotion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a code stands for."""

    type: Literal["coupon"]
    coupon: str


class CreateCode(Retrieve, frozen=True, kw_only=True):
    """A new promotion code."""

    promotion: Promotion
    active: bool = True
    code: str | None = None
    customer: str | None = None
    expires_at: int | None = None
    max_redemptions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    metadata: dict[str, str] | None = None


class UpdateCode(Retrieve, frozen=True, kw_only=True):
    """What may change."""

    active: bool | None = None
    metadata: dict[str, str] | Literal[""] | None = None


class ListCodes(Page, frozen=True, kw_only=True):
    """Which codes."""

    active: bool | None = None
    code: str | None = None
    customer: str | None = None


def redeem(world: World, identity: str, *, code: Document | None = None) -> Document:
    """Count a redemption of a coupon, and of a code for it.

    Raises:
        InvalidRequestError: if it has expired or is used up.
    """
    coupon = world.get("coupon", identity, param="coupon")
    if not is_valid(coupon, world.now()):
        raise InvalidRequestError(
            f"Coupon expired: {identity}", code="coupon_expired", param="coupon"
        )
    coupon["times_redeemed"] += 1
    coupon["valid"] = is_valid(coupon, world.now())
    if code is not None:
        used_up = code["max_redemptions"] is not None and (
            code["times_redeemed"] >= code["max_redemptions"]
        )
        expired = code["expires_at"] is not None and code["expires_at"] <= world.now()
        if used_up or expired or not code["active"]:
            raise InvalidRequestError(
                "This promotion code is expired or used up.", param="promotion_code"
            )
        code["times_redeemed"] += 1
        world.save(code)
    return world.save(coupon)


def is_valid(coupon: Document, now: int) -> bool:
    """Return whether a coupon can be redeemed."""
    if coupon["redeem_by"] is not None and coupon["redeem_by"] <= now:
        return False
    most = coupon["max_redemptions"]
    return most is None or coupon["times_redeemed"] < most


def _create(world: World, asked: CreateCoupon, _: str) -> Document:
    if (asked.percent_off is None) == (asked.amount_off is None):
        raise MalformedError(
            "You must pass either `percent_off` or `amount_off`.", param="percent_off"
        )
    if asked.amount_off is not None and asked.currency is None:
        raise MalformedError(
            "You must pass `currency` when passing `amount_off`.",
            code="parameter_missing",
            param="currency",
        )
    if (asked.duration == "repeating") != (asked.duration_in_months is not None):
        raise MalformedError(
            "`duration_in_months` goes with a duration of `repeating`.",
            param="duration_in_months",
        )
    if asked.id and world.find("coupon", asked.id):
        raise InvalidRequestError("Coupon already exists.", code="resource_already_exists")
    coupon = world.new(
        "coupon",
        "coupon",
        amount_off=asked.amount_off,
        currency=check_currency(asked.currency) if asked.currency else None,
        duration=asked.duration,
        duration_in_months=asked.duration_in_months,
        max_redemptions=asked.max_redemptions,
        metadata=merged({}, asked.metadata),
        name=asked.name,
        percent_off=asked.percent_off,
        redeem_by=asked.redeem_by,
        times_redeemed=0,
        valid=True,
    )
    coupon["id"] = asked.id or coupon["id"].removeprefix("coupon_")[:8]
    world.save(coupon)
    world.emit("coupon.created", coupon)
    return coupon


def _update(world: World, asked: UpdateCoupon, identity: str) -> Document:
    coupon = world.get("coupon", identity)
    metadata = merged(coupon["metadata"], asked.metadata)
    name = coupon["name"] if asked.name is None else asked.name
    return world.change(coupon, "coupon.updated", name=name, metadata=metadata)


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    coupon = world.get("coupon", identity)
    return {**coupon, "valid": is_valid(coupon, world.now())}


def _delete(world: World, _: Retrieve, identity: str) -> Document:
    coupon = world.get("coupon", identity)
    world.store.execute("delete from objects where id = ?", identity)
    world.emit("coupon.deleted", coupon)
    return {"id": identity, "object": "coupon", "deleted": True}


def _list(world: World, asked: Page, _: str) -> Document:
    return page_of(world, "coupon", asked, url="/v1/coupons")


def _create_code(world: World, asked: CreateCode, _: str) -> Document:
    world.get("coupon", asked.promotion.coupon, param="promotion[coupon]")
    code = world.new(
        "promo",
        "promotion_code",
        active=asked.active,
        code=asked.code,
        customer=asked.customer,
        expires_at=asked.expires_at,
        max_redemptions=asked.max_redemptions,
        metadata=merged({}, asked.metadata),
        promotion={"type": "coupon", "coupon": asked.promotion.coupon},
        restrictions={"first_time_transaction": False},
        times_redeemed=0,
    )
    code["code"] = asked.code or code["id"][-8:].upper()
    if world.select("promotion_code", code=code["code"], active=True):
        raise InvalidRequestError(
            "An active promotion code with this code already exists.", param="code"
        )
    world.save(code)
    world.emit("promotion_code.created", code)
    return code


def _update_code(world: World, asked: UpdateCode, identity: str) -> Document:
    code = world.get("promotion_code", identity)
    active = code["active"] if asked.active is None else asked.active
    metadata = merged(code["metadata"], asked.metadata)
    return world.change(code, "promotion_code.updated", active=active, metadata=metadata)


def _retrieve_code(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("promotion_code", identity)


def _list_codes(world: World, asked: ListCodes, _: str) -> Document:
    where = {"active": asked.active, "code": asked.code, "customer": asked.customer}
    return page_of(world, "promotion_code", asked, url="/v1/promotion_codes", where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "coupons", CreateCoupon, _create),
    route("GET", "coupons", Page, _list),
    route("GET", "coupons/*", Retrieve, _retrieve),
    route("POST", "coupons/*", UpdateCoupon, _update),
    route("DELETE", "coupons/*", Retrieve, _delete),
    route("POST", "promotion_codes", CreateCode, _create_code),
    route("GET", "promotion_codes", ListCodes, _list_codes),
    route("GET", "promotion_codes/*", Retrieve, _retrieve_code),
    route("POST", "promotion_codes/*", UpdateCode, _update_code),
)
