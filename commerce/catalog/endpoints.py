"""The HTTP door of the catalogue."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

import msgspec
from quart import Quart, Response, request

from commerce.accounts.model import STAFF_ROLE
from commerce.catalog import service
from commerce.catalog.errors import (
    BasePriceNeededError,
    CategoryNotFoundError,
    NoSuchProductError,
    ProductChangedMeanwhileError,
    ProductNotFoundError,
    VariantNotFoundError,
)
from commerce.catalog.model import MEDIA_PATH, ListedAfter
from commerce.catalog.schemas import (
    Categories,
    CategorySlug,
    ProductCardView,
    ProductChanges,
    ProductStates,
    ProductView,
    SearchWords,
    view_card,
    view_category,
    view_product,
)
from commerce.foundation.acts import Act
from commerce.foundation.audit import write_down
from commerce.foundation.errors import ForbiddenError
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from protocol.ids import ProductId
from protocol.views import Product as LiveProduct

door: Final = Door("catalog")

MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
}
"""Served as what they are; anything else is handed over as bytes to be saved."""

_MEDIA_HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}
"""Pictures run nothing and load nothing, even when opened by themselves."""


class ProductStatesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which products: their ids, with commas between."""

    ids: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^prd_[0-9A-HJKMNP-TV-Z]{26}(,prd_[0-9A-HJKMNP-TV-Z]{26}){0,199}$",
            max_length=200 * 31,
        ),
    ]


class ProductsQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which products. `q` is what was typed into the search box."""

    q: SearchWords = ""
    category: CategorySlug | None = None


@door.api("GET", "/v1/categories", out=Categories, auth="none")
async def categories(call: Call[None, None]) -> Categories:
    """List the shelves of the shop."""
    async with call.database.transaction() as tx:
        found = await service.categories(tx)
    return Categories(items=[view_category(category) for category in found])


@door.api(
    "GET",
    "/v1/products",
    query=ProductsQuery,
    out=Page[ProductCardView],
    auth="none",
    errors=(CategoryNotFoundError,),
)
async def products(call: Call[None, ProductsQuery]) -> Page[ProductCardView]:
    """List products: those that fit `q`, the best first, or else the newest."""
    query = call.query
    after = None if query.after is None else decode_cursor(ListedAfter, query.after)
    async with call.database.transaction() as tx:
        found = await service.browse(
            tx, text=query.q, category=query.category, after=after, limit=query.limit + 1
        )
    page = page_of(
        found, limit=query.limit, key=lambda card: ListedAfter(rank=card.rank, id=card.id)
    )
    return Page(items=[view_card(card) for card in page.items], next=page.next)


@door.api(
    "GET",
    "/v1/products/{slug}",
    out=ProductView,
    auth="none",
    errors=(ProductNotFoundError,),
)
async def product(call: Call[None, None]) -> ProductView:
    """Show everything about one product."""
    async with call.database.transaction() as tx:
        return view_product(await service.show(tx, call.path["slug"]))


@door.api("GET", "/v1/product-states", query=ProductStatesQuery, out=ProductStates, auth="none")
async def product_states(call: Call[None, ProductStatesQuery]) -> ProductStates:
    """Tell what may have changed of up to 200 products; unknown ones are left out.

    For pages that were told that their products are stale.
    """
    asked = [ProductId(each) for each in call.query.ids.split(",")]
    async with call.database.transaction() as tx:
        return ProductStates(items=await service.states(tx, asked))


@door.api(
    "PATCH",
    "/v1/admin/products/{product}",
    body=ProductChanges,
    out=LiveProduct,
    errors=(
        BasePriceNeededError,
        ForbiddenError,
        NoSuchProductError,
        ProductChangedMeanwhileError,
        VariantNotFoundError,
    ),
)
async def change_product(call: Call[ProductChanges, None]) -> LiveProduct:
    """Change a product's title, tax class, prices and stock; staff only.

    Every open page hears of it.
    """
    staff = call.require_role(STAFF_ROLE)
    product = ProductId(call.path["product"])
    async with call.database.transaction() as tx:
        before = await service.states(tx, [product])
        after = await service.change(tx, call.body.of(product))
        act = Act(
            actor=staff.user, action="product.change", subject=product, before=before, after=after
        )
        await write_down(tx, act)
    return after


def open_media(app: Quart, files_dir: Path) -> None:
    """Serve the files below `files_dir`, which are named after their content."""

    async def media(path: str) -> Response:
        tag = f'"{PurePosixPath(path).stem}"'
        content = await service.read_file(files_dir, path)
        if tag in request.if_none_match.to_header():
            answer = Response(b"", 304)
        else:
            answer = Response(content, content_type=_media_type(path))
        answer.headers.update({**_MEDIA_HEADERS, "etag": tag})
        return answer

    app.add_url_rule(f"{MEDIA_PATH}<path:path>", "catalog.media", media, methods=["GET"])


def _media_type(path: str) -> str:
    return MEDIA_TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
