"""What the rest of commerce may ask of pricing."""

from commerce.catalog import service as catalog
from commerce.catalog.errors import VariantNotFoundError
from commerce.catalog.model import Offer
from commerce.discounts import service as discounts
from commerce.foundation.database import Transaction
from commerce.pricing.errors import NotSoldInCurrencyError
from commerce.pricing.model import Basket, Item, PriceRequest, price_basket
from commerce.taxes import service as taxes
from commerce.taxes.model import TaxTable


async def price(tx: Transaction, request: PriceRequest) -> Basket:
    """Work out what something comes to today. Whether it can be had is not asked.

    Raises:
        VariantNotFoundError: if there is no such variant.
        NotSoldInCurrencyError: if one has no price in the currency.
        UnknownCodeError: if a code is none, or does not hold now.
        DiscountUsedUpError: if as many orders as may have a discount have it.
        DiscountUsedBeforeError: if the customer has used one that is once for everybody.
        DiscountDoesNotApplyError: if a discount takes nothing off.
    """
    offers = await catalog.offers(
        tx, [variant for variant, _ in request.lines], currency=request.currency
    )
    for variant, _ in request.lines:
        if variant not in offers:
            raise VariantNotFoundError(variant)
        if offers[variant].currency != request.currency:
            raise NotSoldInCurrencyError(offers[variant].title, currency=request.currency)
    found = await discounts.find(tx, request.codes, request.customer)
    table = await taxes.rates(tx, request.country, tx.now.date())
    return price_basket(
        [_item(offers[variant], quantity, table) for variant, quantity in request.lines],
        found,
        currency=request.currency,
        country=request.country,
    )


def _item(offer: Offer, quantity: int, table: TaxTable) -> Item:
    return Item(
        variant=offer.variant,
        product=offer.product,
        title=offer.title,
        quantity=quantity,
        unit_price_minor=offer.price_minor,
        price_id=offer.price_id,
        rate=table.rate(offer.tax_class),
        takes_stock=offer.stock is not None,
    )
