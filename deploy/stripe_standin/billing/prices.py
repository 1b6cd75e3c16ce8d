"""Prices, for once and for every period; what a price costs never changes."""

from typing import Annotated, Final, Literal

import msgspec

from deploy.stripe_standin.errors import InvalidRequestError, MalformedError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.money import AMOUNT_MAX, check_currency
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged

TaxBehavior = Literal["exclusive", "inclusive", "unspecified"]
Interval = Literal["day", "week", "month", "year"]


class Recurring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often."""

    interval: Interval
    interval_count: Annotated[int, msgspec.Meta(ge=1, le=1095)] = 1
    trial_period_days: int | None = None
    usage_type: Literal["licensed"] = "licensed"


class ProductData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product made with its price."""

    name: str
    metadata: dict[str, str] | None = None


class CreatePrice(Retrieve, frozen=True, kw_only=True):
    """A new price."""

    currency: str
    active: bool = True
    lookup_key: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    nickname: str | None = None
    product: str | None = None
    product_data: ProductData | None = None
    recurring: Recurring | None = None
    tax_behavior: TaxBehavior = "unspecified"
    transfer_lookup_key: bool = False
    unit_amount: int | None = None


class UpdatePrice(Retrieve, frozen=True, kw_only=True):
    """What may change."""

    active: bool | None = None
    lookup_key: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    nickname: str | None = None


class ListPrices(Page, frozen=True, kw_only=True):
    """Which prices."""

    active: bool | None = None
    currency: str | None = None
    lookup_keys: list[str] | None = None
    product: str | None = None
    type: Literal["one_time", "recurring"] | None = None


def create(world: World, asked: CreatePrice, _: str = "") -> Document:
    """Make a price.

    Raises:
        MalformedError: if it has no amount or no product.
        InvalidRequestError: if its look-up key is taken.
    """
    if asked.unit_amount is None or not 0 <= asked.unit_amount <= AMOUNT_MAX:
        raise MalformedError(
            "Prices require an `unit_amount` that is not negative.",
            code="parameter_missing",
            param="unit_amount",
        )
    price = world.new(
        "price",
        "price",
        active=asked.active,
        billing_scheme="per_unit",
        currency=check_currency(asked.currency),
        custom_unit_amount=None,
        lookup_key=asked.lookup_key,
        metadata=merged({}, asked.metadata),
        nickname=asked.nickname,
        product=_product_for(world, asked),
        recurring=_recurring(asked.recurring),
        tax_behavior=asked.tax_behavior,
        tiers_mode=None,
        transform_quantity=None,
        type="recurring" if asked.recurring else "one_time",
        unit_amount=asked.unit_amount,
        unit_amount_decimal=str(asked.unit_amount),
    )
    _take_lookup_key(world, asked.lookup_key, transfer=asked.transfer_lookup_key)
    world.save(price)
    world.emit("price.created", price)
    return price


def _product_for(world: World, asked: CreatePrice) -> str:
    if asked.product is not None:
        return str(world.get("product", asked.product, param="product")["id"])
    if asked.product_data is None:
        raise MalformedError(
            "Missing required param: product.", code="parameter_missing", param="product"
        )
    product = world.new(
        "prod",
        "product",
        active=True,
        default_price=None,
        description=None,
        images=[],
        marketing_features=[],
        metadata=merged({}, asked.product_data.metadata),
        name=asked.product_data.name,
        type="service",
        updated=world.now(),
    )
    world.save(product)
    world.emit("product.created", product)
    return str(product["id"])


def _recurring(asked: Recurring | None) -> Document | None:
    if asked is None:
        return None
    found: Document = msgspec.to_builtins(asked)
    return {**found, "meter": None}


def _take_lookup_key(world: World, key: str | None, *, transfer: bool) -> None:
    if key is None:
        return
    for holder in world.select("price", lookup_key=key):
        if not transfer:
            raise InvalidRequestError(
                f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key"
            )
        world.change(holder, "price.updated", lookup_key=None)


def _update(world: World, asked: UpdatePrice, identity: str) -> Document:
    price = world.get("price", identity)
    changes: Document = {}
    if asked.active is not None:
        changes["active"] = asked.active
    if asked.nickname is not None:
        changes["nickname"] = asked.nickname or None
    if asked.lookup_key is not None and asked.lookup_key != price["lookup_key"]:
        _take_lookup_key(world, asked.lookup_key or None, transfer=False)
        changes["lookup_key"] = asked.lookup_key or None
    metadata = merged(price["metadata"], asked.metadata)
    return world.change(price, "price.updated", **changes, metadata=metadata)


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("price", identity)


def _list(world: World, asked: ListPrices, _: str) -> Document:
    conditions: tuple[tuple[str, object], ...] = ()
    if asked.lookup_keys is not None:
        named = ",".join(asked.lookup_keys)
        key = "json_extract(document, '$.lookup_key')"
        conditions = ((f"instr(',' || ? || ',', ',' || {key} || ',') > 0", named),)
    return page_of(
        world,
        "price",
        asked,
        url="/v1/prices",
        where={
            "active": asked.active,
            "currency": asked.currency,
            "product": asked.product,
            "type": asked.type,
        },
        conditions=conditions,
    )


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "prices", CreatePrice, create),
    route("GET", "prices", ListPrices, _list),
    route("GET", "prices/*", Retrieve, _retrieve),
    route("POST", "prices/*", UpdatePrice, _update),
)
