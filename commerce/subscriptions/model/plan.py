"""What a plan offers. Pure."""

from datetime import datetime

import msgspec

from commerce.subscriptions.errors import PlanNotSoldInCurrencyError
from commerce.subscriptions.model.periods import Interval, IntervalUnit
from protocol.ids import PlanId, ProductId, VariantId


class PlanPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What one period costs in one currency."""

    plan_id: PlanId
    currency: str
    amount_minor: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A product that is paid for again and again, at its own prices, and what it entitles to.

    A code takes something off the first `coupon_periods` charges; None is all of them. A plan that
    is not active goes on for its subscribers.
    """

    id: PlanId
    product_id: ProductId
    variant_id: VariantId
    title: str
    interval_unit: IntervalUnit
    interval_count: int
    trial_days: int
    coupon_periods: int | None
    entitlements: tuple[str, ...]
    active: bool
    created_at: datetime

    @property
    def interval(self) -> Interval:
        """How long a period is."""
        return Interval(unit=self.interval_unit, count=self.interval_count)


class PricedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with its prices."""

    plan: Plan
    prices: tuple[PlanPrice, ...]

    def price(self, currency: str | None) -> PlanPrice:
        """Return the price in a currency; None is the plan's first.

        Raises:
            PlanNotSoldInCurrencyError: if it has none.
        """
        for price in self.prices:
            if currency in {None, price.currency}:
                return price
        raise PlanNotSoldInCurrencyError(self.plan.title, currency=currency or "any currency")


class NewPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan to be."""

    variant_id: VariantId
    title: str
    interval: Interval
    prices: tuple[tuple[str, int], ...]
    trial_days: int = 0
    coupon_periods: int | None = 1
    entitlements: tuple[str, ...] = ()
    id: PlanId | None = None
