"""Plans and subscriptions over HTTP."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from commerce.foundation.errors import InvalidRequestError
from commerce.subscriptions.model import (
    Charge,
    ChargeKind,
    ChargeState,
    Interval,
    IntervalUnit,
    NewPlan,
    PricedPlan,
)
from commerce.subscriptions.service import Preview, StepTaken
from commerce.taxes.model import COUNTRY_PATTERN, HOME_COUNTRY
from protocol import views
from protocol.ids import OrderId, PlanId, SubscriptionId, VariantId
from protocol.money import CurrencyCode, Money
from shared.clock import unix_ms

AnyPlanId = Annotated[PlanId, msgspec.Meta(pattern=r"^pln_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
AnyVariantId = Annotated[VariantId, msgspec.Meta(pattern=r"^var_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
Country = Annotated[str, msgspec.Meta(pattern=COUNTRY_PATTERN)]
StripeId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]{1,255}$(?!\n)")]
Entitlement = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.-]{0,63}$(?!\n)")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
When = Literal["now", "at_period_end"]


class PlansAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where the list of plans goes on."""

    id: PlanId


class SubscriptionsAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of subscriptions goes on."""

    id: SubscriptionId


class PlanView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be subscribed to: so much for `every` days, weeks, months or years."""

    id: PlanId
    title: str
    unit: IntervalUnit
    every: int
    prices: list[Money]
    entitlements: list[str]
    trial_days: int = 0
    active: bool = True


class PriceOfPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a period costs in a currency."""

    currency: CurrencyCode
    amount_minor: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)]


class NewPlanBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan to be. A code is taken off `coupon_periods` charges; null is all of them."""

    variant: AnyVariantId
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    unit: IntervalUnit
    prices: Annotated[list[PriceOfPlan], msgspec.Meta(min_length=1, max_length=50)]
    every: Annotated[int, msgspec.Meta(ge=1, le=24)] = 1
    trial_days: Annotated[int, msgspec.Meta(ge=0, le=90)] = 0
    coupon_periods: Annotated[int, msgspec.Meta(ge=1, le=1200)] | None = 1
    entitlements: Annotated[list[Entitlement], msgspec.Meta(max_length=50)] = []

    def plan(self) -> NewPlan:
        """Return it as the service takes it.

        Raises:
            InvalidRequestError: if a currency is named twice.
        """
        currencies = [price.currency for price in self.prices]
        if len(set(currencies)) < len(currencies):
            raise InvalidRequestError("A plan has one price in each currency.")
        return NewPlan(
            variant_id=self.variant,
            title=self.title,
            interval=Interval(unit=self.unit, count=self.every),
            prices=tuple((price.currency, price.amount_minor) for price in self.prices),
            trial_days=self.trial_days,
            coupon_periods=self.coupon_periods,
            entitlements=tuple(self.entitlements),
        )


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to subscribe to. A trial needs a stored `method`, which is charged when it is over."""

    plan: AnyPlanId
    currency: CurrencyCode | None = None
    country: Country = HOME_COUNTRY
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    method: StripeId | None = None
    trial: bool = False


class StartedView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A new subscription; it begins when `order` is paid. A trial has none."""

    subscription: views.Subscription
    order: OrderId | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another plan of the same product, now or from the next period on."""

    plan: AnyPlanId
    when: When = "now"


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would come to: `due` is to be paid now, with its tax.

    `unused` is what is left of this period, `charge` what the new plan costs for the rest of it;
    `credit_after` is kept for later.
    """

    plan: PlanId
    when: When
    unused: Money
    charge: Money
    due: Money
    tax: Money
    credit_after: Money
    price: Money
    takes_effect_at_ms: int
    period_ends_at_ms: int


class ChangedView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subscription after a change; if there is an `order`, the plan changes when it is paid."""

    subscription: views.Subscription
    order: OrderId | None = None


class Pause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to go on by itself; null is never."""

    resumes_at: Moment | None = None


class Cancel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to end."""

    when: When = "at_period_end"


class PayWith(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stored method to charge from now on; null is one's default."""

    method: StripeId | None


class ChargeView(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a subscription, and what it is for."""

    order: OrderId
    kind: ChargeKind
    period: int
    state: ChargeState
    at_ms: int


class StepView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to a subscription."""

    version: int
    fact: str
    state: str
    at_ms: int
    detail: str = ""


class SubscriptionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription, what it was charged (the newest first), and what happened to it."""

    subscription: views.Subscription
    charges: list[ChargeView]
    steps: list[StepView]


class Entitlements(msgspec.Struct, frozen=True, kw_only=True):
    """What one's subscriptions entitle to."""

    items: list[str]


def view_plan(priced: PricedPlan) -> PlanView:
    """Show a plan."""
    plan = priced.plan
    return PlanView(
        id=plan.id,
        title=plan.title,
        unit=plan.interval_unit,
        every=plan.interval_count,
        prices=[
            Money(amount_minor=price.amount_minor, currency=price.currency)
            for price in priced.prices
        ],
        entitlements=list(plan.entitlements),
        trial_days=plan.trial_days,
        active=plan.active,
    )


def view_preview(found: Preview) -> PreviewView:
    """Show what a change would come to."""

    def money(amount_minor: int) -> Money:
        return Money(amount_minor=amount_minor, currency=found.currency)

    return PreviewView(
        plan=found.plan.plan.id,
        when=found.when,
        unused=money(found.proration.unused_minor),
        charge=money(found.proration.charge_minor),
        due=money(found.total_minor),
        tax=money(found.tax_minor),
        credit_after=money(found.proration.credit_after_minor),
        price=money(found.price_minor),
        takes_effect_at_ms=unix_ms(found.takes_effect_at),
        period_ends_at_ms=unix_ms(found.period_ends_at),
    )


def view_details(
    sub: views.Subscription, charges: list[Charge], steps: list[StepTaken]
) -> SubscriptionDetails:
    """Show a subscription with its past."""
    return SubscriptionDetails(
        subscription=sub,
        charges=[
            ChargeView(
                order=charge.order_id,
                kind=charge.kind,
                period=charge.number,
                state=charge.state,
                at_ms=unix_ms(charge.created_at),
            )
            for charge in charges
        ],
        steps=[
            StepView(
                version=step.version,
                fact=step.fact,
                state=step.to_state,
                at_ms=unix_ms(step.at),
                detail=step.detail,
            )
            for step in steps
        ],
    )
