"""Looking at what is for sale."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from commerce.catalog.errors import CategoryNotFoundError, NoSuchProductError, ProductNotFoundError
from commerce.catalog.model import (
    Category,
    ListedAfter,
    Offer,
    Price,
    Product,
    ProductCard,
    Variant,
    parse_search,
)
from commerce.catalog.repository import browsing as repository, prices as price_rows
from commerce.foundation.database import Transaction
from protocol.ids import ProductId, VariantId
from protocol.views import Product as LiveProduct


async def categories(tx: Transaction) -> list[Category]:
    """Return the shelves of the shop, in order."""
    return await repository.categories(tx)


async def browse(
    tx: Transaction,
    *,
    text: str = "",
    category: str | None = None,
    after: ListedAfter | None = None,
    limit: int,
) -> list[ProductCard]:
    """Return published products: those that fit `text`, the best first, or else the newest.

    Raises:
        CategoryNotFoundError: if there is no such category.
    """
    if category is not None and not await repository.category_exists(tx, category):
        raise CategoryNotFoundError(category)
    asked = parse_search(text)
    if asked is None:
        return await repository.newest(tx, category=category, after=after, limit=limit)
    return await repository.found(tx, asked, category=category, after=after, limit=limit)


async def show(tx: Transaction, slug: str) -> Product:
    """Return everything about a published product.

    Raises:
        ProductNotFoundError: if none of that name is published.
    """
    card = await repository.card_by_slug(tx, slug)
    if card is None:
        raise ProductNotFoundError(slug)
    return Product(
        card=card,
        description=await repository.description(tx, card.id),
        variants=tuple(await repository.variants(tx, card.id)),
    )


async def card(tx: Transaction, product: ProductId) -> ProductCard:
    """Return a product as lists show it, published or not.

    Raises:
        NoSuchProductError: if there is no such product.
    """
    found = await repository.cards(tx, [product])
    if not found:
        raise NoSuchProductError(product)
    return found[0]


async def shown(tx: Transaction, wanted: Sequence[ProductId]) -> list[ProductCard]:
    """Return those of some products that are published, in no particular order."""
    return await repository.shown(tx, wanted) if wanted else []


async def offers(
    tx: Transaction, wanted: Iterable[VariantId], *, currency: str | None = None
) -> dict[VariantId, Offer]:
    """Return what is known of variants; unknown ones are left out.

    With `currency` the price is the one of that currency. A variant that is not sold in it comes
    with its own price: look at the offer's currency.
    """
    found = await price_rows.offers(tx, list(wanted), currency=currency)
    return {offer.variant: offer for offer in found}


async def prices(tx: Transaction, products: Sequence[ProductId]) -> dict[VariantId, list[Price]]:
    """Return what the variants of products cost now, in every currency they are sold in."""
    found: defaultdict[VariantId, list[Price]] = defaultdict(list)
    for price in await price_rows.prices_of(tx, products):
        found[price.variant_id].append(price)
    return dict(found)


async def states(tx: Transaction, products: Sequence[ProductId]) -> list[LiveProduct]:
    """Return what changes while a page is open, of those of these products that are published."""
    return await live(tx, await repository.shown(tx, products))


async def live(tx: Transaction, cards: Sequence[ProductCard]) -> list[LiveProduct]:
    """Return what changes of products while a page is open."""
    variants: defaultdict[ProductId, list[Variant]] = defaultdict(list)
    for variant in await repository.variants(tx, *(card.id for card in cards)):
        variants[variant.product_id].append(variant)
    return [card.live(variants[card.id]) for card in cards]
