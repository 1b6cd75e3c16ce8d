"""The products of the seeded shop, from the content files, and the licences some come with."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from commerce.catalog import service as catalog
from commerce.catalog.model import Category, NewProduct, Variant
from commerce.licenses.model import Policy
from commerce.seed.content.shelves import Listing, Shelf
from commerce.seed.covers.gallery import paint
from commerce.seed.fate import Fate
from protocol.ids import ProductId, VariantId

CURRENCY: Final = "EUR"
_SHOP_AGE_DAYS: Final = 330
_LICENSED: Final = {"fonts": "FNT", "tools": "TKT", "presets": "PRS"}
"""Shelves whose products come with a licence key, and how their keys begin."""

_MACHINES_MAX: Final = 3
_YOUNGEST_PRODUCT_DAYS: Final = 120


def categories(shelves: Sequence[Shelf]) -> list[Category]:
    """Return the categories, in the order of the shop."""
    return [
        Category(slug=shelf.slug, title=shelf.title, summary=shelf.summary, position=place)
        for place, shelf in enumerate(shelves, start=1)
    ]


def products(shelves: Sequence[Shelf], *, files_dir: Path) -> Iterator[NewProduct]:
    """Yield every product; its cover is drawn and kept on the way."""
    for shelf in shelves:
        for place, listing in enumerate(shelf.products):
            cover = catalog.store_cover(files_dir, paint(shelf.slug, listing.slug))
            yield _product(shelf, place, listing, cover)


def _product(shelf: Shelf, place: int, listing: Listing, cover: str) -> NewProduct:
    fate = Fate(f"product/{listing.slug}")
    made = fate.moment(days_before_max=_SHOP_AGE_DAYS, days_before_min=_YOUNGEST_PRODUCT_DAYS)
    product = ProductId(fate.id("prd", made))
    return NewProduct(
        id=product,
        slug=listing.slug,
        category=shelf.slug,
        title=listing.title,
        summary=listing.summary,
        description=shelf.describe(place),
        cover=cover,
        created_at=made,
        published_at=made,
        variants=tuple(
            Variant(
                id=VariantId(fate.id("var", made)),
                product_id=product,
                position=position,
                title=tier.title,
                price_minor=round_price(listing.price * tier.percent // 100),
                currency=CURRENCY,
                stock=listing.stock,
            )
            for position, tier in enumerate(shelf.tiers_of(listing), start=1)
        ),
    )


def round_price(cents: int) -> int:
    """Return a price a shop would ask: whole euros."""
    return (cents + 50) // 100 * 100


def license_policies(products: Iterable[NewProduct]) -> Iterator[Policy]:
    """Yield what the licences to products allow that come with one."""
    for product in products:
        if product.category in _LICENSED:
            yield Policy(
                product_id=product.id,
                prefix=_LICENSED[product.category],
                machines_max=_MACHINES_MAX,
            )
