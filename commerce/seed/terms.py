"""On what terms the seeded shop sells: prices abroad, discount codes, and plans to subscribe to.

Tax rates come with the migrations, as they are facts and not examples.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from commerce.catalog.model import NewProduct, Price
from commerce.discounts import service as discounts
from commerce.discounts.errors import CodeTakenError
from commerce.discounts.model import NewDiscount
from commerce.foundation.database import Transaction
from commerce.seed.fate import SEED_DAY, Fate
from commerce.subscriptions import service as subscriptions
from commerce.subscriptions.model import Interval, IntervalUnit, NewPlan
from protocol.ids import PlanId, PriceId

ABROAD: Final = (
    ("USD", 110, 100, 100),
    ("GBP", 86, 100, 100),
    ("JPY", 165, 100, 10),
    ("KWD", 340, 100, 250),
)
"""Currencies, what a euro cent is in their minor units (a fraction), and to what they round."""

SUBSCRIBED: Final = "courses"
"""The shelf whose first product is what one subscribes to."""

CODES: Final = (
    NewDiscount(code="WELCOME10", title="A tenth off", percent_ppm=100_000, once_a_customer=True),
    NewDiscount(code="FIVER", title="Five euros off", amount_minor=500, currency="EUR"),
    NewDiscount(code="FIRST100", title="A quarter off", percent_ppm=250_000, redemptions_max=100),
    NewDiscount(
        code="AUTUMN",
        title="Was a third off",
        percent_ppm=333_333,
        starts_at=datetime(2026, 9, 1, tzinfo=SEED_DAY.tzinfo),
        ends_at=datetime(2026, 10, 31, tzinfo=SEED_DAY.tzinfo),
    ),
)

_PLANS: Final[tuple[tuple[str, IntervalUnit, int, int], ...]] = (
    ("Course pass", "month", 1_200, 14),
    ("Course pass for a year", "year", 12_000, 14),
    ("Studio pass", "month", 3_900, 0),
)
"""Title, length, price in euro cents, days of trial."""

_ENTITLEMENTS: Final = {"Studio pass": ("courses", "live-sessions")}


def prices(products: Iterable[NewProduct]) -> Iterator[Price]:
    """Yield what each variant costs in every currency but its own."""
    for product in products:
        for variant in product.variants:
            fate = Fate(f"prices/{variant.id}")
            for currency, *_ in ABROAD:
                yield Price(
                    id=PriceId(fate.id("prc", product.created_at)),
                    variant_id=variant.id,
                    currency=currency,
                    amount_minor=abroad(variant.price_minor, currency),
                    version=1,
                    active=True,
                )


def abroad(cents: int, currency: str) -> int:
    """Return about what euro cents are in another currency, rounded as a shop would."""
    for code, numerator, denominator, step in ABROAD:
        if code == currency:
            return (cents * numerator // denominator + step // 2) // step * step
    return cents


async def offer(tx: Transaction, products: Sequence[NewProduct]) -> None:
    """Have the codes and the plans; what is there already stays as it is."""
    for code in CODES:
        with suppress(CodeTakenError):
            await discounts.create(tx, code)
    subscribed = next(product for product in products if product.category == SUBSCRIBED)
    for title, unit, cents, trial_days in _PLANS:
        fate = Fate(f"plan/{title}")
        await subscriptions.create_plan(
            tx,
            NewPlan(
                id=PlanId(fate.id("pln", SEED_DAY)),
                variant_id=subscribed.variants[0].id,
                title=title,
                interval=Interval(unit=unit, count=1),
                prices=(
                    ("EUR", cents),
                    *((code, abroad(cents, code)) for code, *_ in ABROAD),
                ),
                trial_days=trial_days,
                entitlements=_ENTITLEMENTS.get(title, ("courses",)),
            ),
        )
