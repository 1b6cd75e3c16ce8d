"""Plans, as staff make them."""

from commerce.catalog import service as catalog
from commerce.catalog.errors import VariantNotFoundError
from commerce.foundation.database import Transaction
from commerce.subscriptions.errors import PlanNotFoundError
from commerce.subscriptions.model import NewPlan, Plan, PlanPrice, PricedPlan
from commerce.subscriptions.repository import plans as repository
from protocol.ids import PlanId


async def create_plan(tx: Transaction, new: NewPlan) -> PricedPlan:
    """Offer a plan. One that is there under the same id stays as it is.

    Raises:
        VariantNotFoundError: if there is no such variant.
    """
    offers = await catalog.offers(tx, [new.variant_id])
    if new.variant_id not in offers:
        raise VariantNotFoundError(new.variant_id)
    identity = new.id or PlanId(tx.mint("pln"))
    plan = Plan(
        id=identity,
        product_id=offers[new.variant_id].product,
        variant_id=new.variant_id,
        title=new.title,
        interval_unit=new.interval.unit,
        interval_count=new.interval.count,
        trial_days=new.trial_days,
        coupon_periods=new.coupon_periods,
        entitlements=new.entitlements,
        active=True,
        created_at=tx.now,
    )
    prices = tuple(
        PlanPrice(plan_id=identity, currency=currency, amount_minor=amount)
        for currency, amount in new.prices
    )
    await repository.add(tx, PricedPlan(plan=plan, prices=prices))
    return await plan_of(tx, identity)


async def plan_of(tx: Transaction, plan: PlanId) -> PricedPlan:
    """Return a plan, whether it is offered or not.

    Raises:
        PlanNotFoundError: if there is none.
    """
    found = (await repository.by_ids(tx, [plan])).get(plan)
    if found is None:
        raise PlanNotFoundError(plan)
    return found


async def offered_plan(tx: Transaction, plan: PlanId) -> PricedPlan:
    """Return a plan that may be subscribed to.

    Raises:
        PlanNotFoundError: if there is none, or it is not offered any more.
    """
    found = await plan_of(tx, plan)
    if not found.plan.active:
        raise PlanNotFoundError(plan)
    return found


async def offered_plans(
    tx: Transaction, *, after: PlanId | None = None, limit: int
) -> list[PricedPlan]:
    """Return what may be subscribed to."""
    return await repository.offered(tx, after=after, limit=limit)


async def end_plan(tx: Transaction, plan: PlanId) -> PricedPlan:
    """Offer a plan no longer; who has it keeps it.

    Raises:
        PlanNotFoundError: if there is none.
    """
    await repository.end(tx, plan)
    return await plan_of(tx, plan)
