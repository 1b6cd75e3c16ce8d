"""Products."""

from typing import Final, Literal

import msgspec

from deploy.stripe_standin.billing import prices
from deploy.stripe_standin.errors import InvalidRequestError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged


class DefaultPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price that is made with a product."""

    currency: str
    unit_amount: int
    recurring: prices.Recurring | None = None
    tax_behavior: prices.TaxBehavior = "unspecified"


class ProductFields(Retrieve, frozen=True, kw_only=True):
    """What may be said of a product."""

    active: bool | None = None
    description: str | None = None
    images: list[str] | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    name: str | None = None
    shippable: bool | None = None
    statement_descriptor: str | None = None
    tax_code: str | None = None
    unit_label: str | None = None
    url: str | None = None


class CreateProduct(ProductFields, frozen=True, kw_only=True):
    """A new product."""

    name: str
    id: str | None = None
    default_price_data: DefaultPrice | None = None


class UpdateProduct(ProductFields, frozen=True, kw_only=True):
    """What changes."""

    default_price: str | None = None


class ListProducts(Page, frozen=True, kw_only=True):
    """Which products."""

    active: bool | None = None


_PLAIN: Final = (
    "active",
    "description",
    "images",
    "name",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
)


def _create(world: World, asked: CreateProduct, _: str) -> Document:
    if asked.id and world.find("product", asked.id):
        raise InvalidRequestError("Product already exists.", code="resource_already_exists")
    product = world.new(
        "prod",
        "product",
        **dict.fromkeys(_PLAIN),
        default_price=None,
        marketing_features=[],
        metadata=merged({}, asked.metadata),
        package_dimensions=None,
        type="service",
        updated=world.now(),
    )
    product["id"] = asked.id or product["id"]
    product.update({"active": True, "images": [], **_said(asked)})
    world.save(product)
    world.emit("product.created", product)
    if asked.default_price_data is not None:
        data = asked.default_price_data
        price = prices.create(
            world,
            prices.CreatePrice(
                currency=data.currency,
                unit_amount=data.unit_amount,
                recurring=data.recurring,
                tax_behavior=data.tax_behavior,
                product=product["id"],
            ),
        )
        product["default_price"] = price["id"]
        world.save(product)
    return product


def _said(asked: ProductFields) -> Document:
    return {
        name: None if value == "" else value
        for name in _PLAIN
        if (value := getattr(asked, name)) is not None
    }


def _update(world: World, asked: UpdateProduct, identity: str) -> Document:
    product = world.get("product", identity)
    changes = _said(asked)
    if asked.default_price:
        changes["default_price"] = world.get("price", asked.default_price)["id"]
    metadata = merged(product["metadata"], asked.metadata)
    return world.change(
        product, "product.updated", **changes, metadata=metadata, updated=world.now()
    )


def _delete(world: World, _: Retrieve, identity: str) -> Document:
    product = world.get("product", identity)
    if world.select("price", product=identity):
        raise InvalidRequestError(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    world.store.execute("delete from objects where id = ?", identity)
    world.emit("product.deleted", product)
    return {"id": identity, "object": "product", "deleted": True}


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("product", identity)


def _list(world: World, asked: ListProducts, _: str) -> Document:
    return page_of(world, "product", asked, url="/v1/products", where={"active": asked.active})


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "products", CreateProduct, _create),
    route("GET", "products", ListProducts, _list),
    route("GET", "products/*", Retrieve, _retrieve),
    route("POST", "products/*", UpdateProduct, _update),
    route("DELETE", "products/*", Retrieve, _delete),
)
