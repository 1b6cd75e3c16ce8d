"""A subscription as its subscriber sees it. Pure."""

from commerce.subscriptions.model.subscription import Subscription
from protocol import views
from protocol.ids import OrderId
from protocol.money import Money
from shared.clock import unix_ms


def show(sub: Subscription, *, order: OrderId | None) -> views.Subscription:
    """Return the subscription on the wire; `order` is the one that waits for its money."""
    credit = sub.credit_minor
    tries_again = sub.state == "past_due" and sub.next_try_at is not None
    return views.Subscription(
        id=sub.id,
        version=sub.version,
        plan=sub.plan_id,
        title=sub.title,
        state=sub.state,
        price=Money(amount_minor=sub.price_minor, currency=sub.currency),
        period_ends_at_ms=unix_ms(sub.period_ends_at),
        cancels_at_period_end=sub.cancels_at_period_end,
        next_plan=sub.next_plan_id,
        order=order,
        failures=sub.failures,
        next_try_at_ms=unix_ms(sub.next_try_at) if tries_again and sub.next_try_at else None,
        resumes_at_ms=None if sub.resumes_at is None else unix_ms(sub.resumes_at),
        credit=Money(amount_minor=credit, currency=sub.currency) if credit else None,
    )
