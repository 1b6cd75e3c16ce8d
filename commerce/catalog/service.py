"""What the rest of commerce may ask of the catalogue."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from commerce.catalog import repository
from commerce.catalog.adapters import local_files
from commerce.catalog.errors import (
    CategoryNotFoundError,
    FileMissingError,
    NoSuchProductError,
    OutOfStockError,
    ProductChangedMeanwhileError,
    ProductNotFoundError,
    VariantNotFoundError,
)
from commerce.catalog.model import (
    Category,
    ListedAfter,
    NewProduct,
    Offer,
    Product,
    ProductCard,
    ProductChange,
    Variant,
    VariantChange,
    parse_search,
)
from commerce.foundation.database import Transaction
from protocol.events import ProductChanged
from protocol.ids import ProductId, VariantId
from protocol.money import Money
from protocol.topics import product_topic
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
    """Return a product that is known to exist, as lists show it."""
    return await repository.card(tx, product)


async def shown(tx: Transaction, wanted: Sequence[ProductId]) -> list[ProductCard]:
    """Return those of some products that are published, in no particular order."""
    return await repository.shown(tx, wanted) if wanted else []


async def offers(tx: Transaction, wanted: Iterable[VariantId]) -> dict[VariantId, Offer]:
    """Return what is known of variants; unknown ones are left out."""
    return {offer.variant: offer for offer in await repository.offers(tx, list(wanted))}


async def states(tx: Transaction, products: Sequence[ProductId]) -> list[LiveProduct]:
    """Return what changes while a page is open, of those of these products that are published."""
    cards = await repository.shown(tx, products)
    variants: defaultdict[ProductId, list[Variant]] = defaultdict(list)
    for variant in await repository.variants(tx, *(card.id for card in cards)):
        variants[variant.product_id].append(variant)
    return [card.live(variants[card.id]) for card in cards]


async def change(tx: Transaction, change: ProductChange) -> LiveProduct:
    """Change a product, all at once: one version, one event.

    Raises:
        NoSuchProductError: if there is no such product.
        ProductChangedMeanwhileError: if it is not at the version given.
        VariantNotFoundError: if a variant is not one of the product's.
    """
    product = change.product
    version = await repository.next_version(tx, product)
    if version is None:
        raise NoSuchProductError(product)
    if change.version not in {None, version - 1}:
        raise ProductChangedMeanwhileError(version=version - 1)
    if change.title is not None:
        await repository.set_title(tx, product, change.title)
    known = {variant.id for variant in await repository.variants(tx, product)}
    for variant in change.variants:
        if variant.id not in known:
            raise VariantNotFoundError(variant.id)
        await _change_variant(tx, variant)
    return await _tell_change(tx, product)


async def change_title(tx: Transaction, product: ProductId, title: str) -> None:
    """Give a product another title."""
    await repository.next_version(tx, product)
    await repository.set_title(tx, product, title)
    await _tell_change(tx, product)


async def change_price(tx: Transaction, variant: VariantId, price: Money) -> None:
    """Ask another price for a variant.

    Raises:
        VariantNotFoundError: if there is no such variant.
    """
    product = await _hold_product_of(tx, variant)
    await repository.set_price(
        tx, variant, amount_minor=price.amount_minor, currency=price.currency
    )
    await _tell_change(tx, product)


async def change_stock(tx: Transaction, variant: VariantId, stock: int | None) -> None:
    """Say how many of a variant are left; None means that it cannot run out.

    Raises:
        VariantNotFoundError: if there is no such variant.
    """
    product = await _hold_product_of(tx, variant)
    await repository.set_stock(tx, variant, stock)
    await _tell_change(tx, product)


async def take_stock(tx: Transaction, wanted: Mapping[VariantId, int]) -> None:
    """Take so many of each variant out of its limited stock.

    Products are held in the order of their ids, so that two buyers never wait for each other.

    Raises:
        OutOfStockError: if fewer of one are left; the caller's transaction must then end.
    """
    products = await _hold_products_of(tx, wanted)
    for variant, quantity in sorted(wanted.items()):
        if not await repository.take_stock(tx, variant, quantity):
            await _refuse(tx, variant)
    for product in products:
        await _tell_change(tx, product)


async def give_back_stock(tx: Transaction, returned: Mapping[VariantId, int]) -> None:
    """Put so many of each variant back into its limited stock."""
    products = await _hold_products_of(tx, returned)
    for variant, quantity in sorted(returned.items()):
        await repository.give_back_stock(tx, variant, quantity)
    for product in products:
        await _tell_change(tx, product)


async def import_categories(tx: Transaction, new: Sequence[Category]) -> None:
    """Write categories without telling anyone, leaving out those that are there."""
    await repository.add_categories(tx, new)


async def import_products(tx: Transaction, new: Sequence[NewProduct]) -> list[NewProduct]:
    """Write many products without telling anyone; return those that were not there by name.

    Two imports at the same time may clash: let one wait for the other.
    """
    known = await repository.known_slugs(tx, [each.slug for each in new])
    missing = [each for each in new if each.slug not in known]
    await repository.copy_products(tx, missing)
    return missing


async def read_file(files_dir: Path, path: str) -> bytes:
    """Return the content of a served file.

    Raises:
        FileMissingError: if there is none, or it may not be served.
    """
    content = await asyncio.to_thread(local_files.read, files_dir, path)
    if content is None:
        raise FileMissingError
    return content


def store_cover(files_dir: Path, svg: bytes) -> str:
    """Keep a cover picture and return the path that `products.cover` names."""
    return local_files.store(files_dir, folder="covers", content=svg, suffix="svg")


async def _refuse(tx: Transaction, variant: VariantId) -> None:
    offer = (await offers(tx, [variant])).get(variant)
    if offer is None:
        raise VariantNotFoundError(variant)
    if offer.stock is not None:
        raise OutOfStockError(offer.title, left=offer.stock)


async def _hold_product_of(tx: Transaction, variant: VariantId) -> ProductId:
    held = await _hold_products_of(tx, [variant])
    if not held:
        raise VariantNotFoundError(variant)
    return held[0]


async def _hold_products_of(tx: Transaction, variants: Iterable[VariantId]) -> list[ProductId]:
    products = await repository.products_of(tx, list(variants))
    for product in products:
        await repository.next_version(tx, product)
    return products


async def _change_variant(tx: Transaction, change: VariantChange) -> None:
    if change.price is not None:
        await repository.set_price(
            tx,
            change.id,
            amount_minor=change.price.amount_minor,
            currency=change.price.currency,
        )
    if change.stock is not msgspec.UNSET:
        await repository.set_stock(tx, change.id, change.stock)


async def _tell_change(tx: Transaction, product: ProductId) -> LiveProduct:
    """Tell the state that the next version has; the product is held, so versions come in order."""
    card = await repository.card(tx, product)
    live = card.live(await repository.variants(tx, product))
    await tx.emit(product_topic(product), ProductChanged(product=live))
    return live
