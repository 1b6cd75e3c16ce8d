"""Discounts over HTTP, for staff."""

from datetime import datetime
from typing import Annotated

import msgspec

from commerce.discounts.model import Discount, DiscountKind, NewDiscount
from commerce.foundation.errors import InvalidRequestError
from protocol.ids import AnyProductId, DiscountId, ProductId
from protocol.money import CurrencyCode
from shared.clock import unix_ms

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,31}$(?!\n)")]


class DiscountsAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of discounts goes on."""

    id: DiscountId


class NewDiscountBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A discount to be: `percent_ppm` (20 % is 200 000), or `amount_minor` with `currency`.

    No `starts_at` is at once, no `ends_at` for ever; no `redemptions_max` is as often as anybody
    likes.
    """

    code: Code
    title: Annotated[str, msgspec.Meta(max_length=100)] = ""
    percent_ppm: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000_000)] | None = None
    currency: CurrencyCode | None = None
    product: AnyProductId | None = None
    once_a_customer: bool = False
    redemptions_max: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    def discount(self) -> NewDiscount:
        """Return it as the service takes it.

        Raises:
            InvalidRequestError: if it is neither a percentage nor an amount, or never holds.
        """
        amount = (self.amount_minor is not None, self.currency is not None)
        if amount not in {(True, True), (False, False)} or all(amount) == (
            self.percent_ppm is not None
        ):
            raise InvalidRequestError("Give percent_ppm, or amount_minor with currency.")
        if self.starts_at and self.ends_at and self.ends_at < self.starts_at:
            raise InvalidRequestError("A discount cannot end before it starts.")
        return NewDiscount(
            code=self.code,
            title=self.title,
            percent_ppm=self.percent_ppm,
            amount_minor=self.amount_minor,
            currency=self.currency,
            product_id=self.product,
            once_a_customer=self.once_a_customer,
            redemptions_max=self.redemptions_max,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


class DiscountView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A discount, as staff see it."""

    id: DiscountId
    code: str
    title: str
    kind: DiscountKind
    once_a_customer: bool
    reserved: int
    redeemed: int
    starts_at_ms: int
    percent_ppm: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    product: ProductId | None = None
    redemptions_max: int | None = None
    ends_at_ms: int | None = None


def view_discount(discount: Discount) -> DiscountView:
    """Show a discount to staff."""
    return DiscountView(
        id=discount.id,
        code=discount.code,
        title=discount.title,
        kind=discount.kind,
        once_a_customer=discount.once_a_customer,
        reserved=discount.reserved,
        redeemed=discount.redeemed,
        starts_at_ms=unix_ms(discount.starts_at),
        percent_ppm=discount.percent_ppm,
        amount_minor=discount.amount_minor,
        currency=discount.currency,
        product=discount.product_id,
        redemptions_max=discount.redemptions_max,
        ends_at_ms=None if discount.ends_at is None else unix_ms(discount.ends_at),
    )
