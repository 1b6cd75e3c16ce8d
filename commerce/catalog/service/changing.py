"""Changing what is for sale. Whoever does it holds the product first, so versions come in order."""

from collections.abc import Sequence

import msgspec

from commerce.catalog.errors import (
    BasePriceNeededError,
    NoSuchProductError,
    ProductChangedMeanwhileError,
    VariantNotFoundError,
)
from commerce.catalog.model import ProductChange, Variant, VariantChange
from commerce.catalog.repository import browsing, prices, products as repository, stock
from commerce.catalog.service.browsing import live
from commerce.foundation.database import Transaction
from protocol.events import ProductChanged
from protocol.ids import ProductId, VariantId
from protocol.money import Money
from protocol.topics import product_topic
from protocol.views import Product as LiveProduct


async def change(tx: Transaction, change: ProductChange) -> LiveProduct:
    """Change a product, all at once: one version, one event.

    Raises:
        NoSuchProductError: if there is no such product.
        ProductChangedMeanwhileError: if it is not at the version given.
        VariantNotFoundError: if a variant is not one of the product's.
        BasePriceNeededError: if a price is to be withdrawn that a variant cannot be without.
    """
    product = change.product
    version = await repository.next_version(tx, product)
    if version is None:
        raise NoSuchProductError(product)
    if change.version not in {None, version - 1}:
        raise ProductChangedMeanwhileError(version=version - 1)
    if change.title is not None:
        await repository.set_title(tx, product, change.title)
    if change.tax_class is not None:
        await repository.set_tax_class(tx, product, change.tax_class)
    known = {variant.id: variant for variant in await browsing.variants(tx, product)}
    for each in change.variants:
        variant = known.get(each.id)
        if variant is None:
            raise VariantNotFoundError(each.id)
        await _change_variant(tx, variant, each)
    [changed] = await tell_change(tx, [product])
    return changed


async def change_title(tx: Transaction, product: ProductId, title: str) -> None:
    """Give a product another title."""
    await repository.next_version(tx, product)
    await repository.set_title(tx, product, title)
    await tell_change(tx, [product])


async def change_price(tx: Transaction, variant: VariantId, price: Money) -> None:
    """Ask another price for a variant where no currency is asked for, and in its currency.

    Raises:
        VariantNotFoundError: if there is no such variant.
    """
    product = await _hold_product_of(tx, variant)
    await _set_base(tx, variant, price)
    await tell_change(tx, [product])


async def change_stock(tx: Transaction, variant: VariantId, left: int | None) -> None:
    """Say how many of a variant are left to sell; None means that it cannot run out.

    What is kept for orders comes on top.

    Raises:
        VariantNotFoundError: if there is no such variant.
    """
    product = await _hold_product_of(tx, variant)
    await stock.set_stock(tx, variant, left)
    await tell_change(tx, [product])


async def tell_change(tx: Transaction, products: Sequence[ProductId]) -> list[LiveProduct]:
    """Tell the states that products have come to; they are held, so versions come in order."""
    told = await live(tx, await browsing.cards(tx, products))
    for each in told:
        await tx.emit(product_topic(each.id), ProductChanged(product=each))
    return told


async def _hold_product_of(tx: Transaction, variant: VariantId) -> ProductId:
    held = await repository.hold_products_of(tx, [variant])
    if not held:
        raise VariantNotFoundError(variant)
    return held[0]


async def _change_variant(tx: Transaction, variant: Variant, change: VariantChange) -> None:
    base = variant.currency
    if change.price is not None:
        await _set_base(tx, variant.id, change.price)
        base = change.price.currency
    for price in change.prices:
        if price.currency == base:
            await _set_base(tx, variant.id, price)
        else:
            await prices.replace(
                tx, variant.id, amount_minor=price.amount_minor, currency=price.currency
            )
    for currency in change.withdrawn:
        if currency == base:
            raise BasePriceNeededError(variant.id, currency=currency)
        await prices.withdraw(tx, variant.id, currency=currency)
    if change.stock is not msgspec.UNSET:
        await stock.set_stock(tx, variant.id, change.stock)


async def _set_base(tx: Transaction, variant: VariantId, price: Money) -> None:
    amount, currency = price.amount_minor, price.currency
    await prices.set_base(tx, variant, amount_minor=amount, currency=currency)
    await prices.replace(tx, variant, amount_minor=amount, currency=currency)
