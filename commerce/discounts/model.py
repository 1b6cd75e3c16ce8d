"""What a discount is, and whether it holds. Pure: no clock, no database."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from protocol.ids import DiscountId, ProductId

CODE_PATTERN: Final = r"^[A-Z0-9][A-Z0-9_-]{2,31}$(?!\n)"
CODES_MAX: Final = 5
"""Codes one order may have."""

DiscountKind = Literal["percent", "amount"]
RedemptionState = Literal["reserved", "redeemed", "released"]


class Discount(msgspec.Struct, frozen=True, kw_only=True):
    """A code and what it does: so many millionths off, or so much of one currency.

    With `product_id` only that product becomes cheaper. No `redemptions_max`: as often as anybody
    likes. `reserved` are orders that are not paid yet, `redeemed` those that are.
    """

    id: DiscountId
    code: str
    title: str
    kind: DiscountKind
    percent_ppm: int | None
    amount_minor: int | None
    currency: str | None
    product_id: ProductId | None
    once_a_customer: bool
    redemptions_max: int | None
    reserved: int
    redeemed: int
    starts_at: datetime
    ends_at: datetime | None
    created_at: datetime

    @property
    def is_used_up(self) -> bool:
        """Whether as many orders as may have it have it."""
        return (
            self.redemptions_max is not None
            and self.reserved + self.redeemed >= self.redemptions_max
        )

    def holds(self, now: datetime) -> bool:
        """Say whether the code may be used now."""
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


class NewDiscount(msgspec.Struct, frozen=True, kw_only=True):
    """A discount to be. Either `percent_ppm` is given, or `amount_minor` and `currency`.

    No `starts_at` is at once, no `ends_at` for ever.
    """

    code: str
    title: str = ""
    percent_ppm: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    product_id: ProductId | None = None
    once_a_customer: bool = False
    redemptions_max: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def kind(self) -> DiscountKind:
        """What it takes off."""
        return "amount" if self.percent_ppm is None else "percent"


def read_code(typed: str) -> str:
    """Return a code as it is kept: in capitals, without blanks around it."""
    return typed.strip().upper()
