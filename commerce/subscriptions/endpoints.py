"""The HTTP door of plans and subscriptions. What is charged is an order, and paid as any other."""

from collections.abc import Mapping
from typing import Final

from commerce.accounts.model import STAFF_ROLE
from commerce.catalog.errors import VariantNotFoundError
from commerce.discounts.errors import (
    DiscountUsedBeforeError,
    DiscountUsedUpError,
    UnknownCodeError,
)
from commerce.foundation.database import Transaction
from commerce.foundation.errors import ForbiddenError, InvalidRequestError
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from commerce.payments import service as payments
from commerce.payments.errors import PaymentMethodNotFoundError
from commerce.subscriptions import service
from commerce.subscriptions.errors import (
    AlreadySubscribedError,
    ChargePendingError,
    IllegalSubscriptionStepError,
    PlanNotFoundError,
    PlanNotSoldInCurrencyError,
    SamePlanError,
    SubscriptionNotFoundError,
    TooManyTriesError,
    TrialMethodNeededError,
    TrialUsedError,
)
from commerce.subscriptions.model import Subscription
from commerce.subscriptions.ports import Bank
from commerce.subscriptions.schemas import (
    Cancel,
    Change,
    ChangedView,
    Entitlements,
    NewPlanBody,
    NewSubscription,
    Pause,
    PayWith,
    PlansAfter,
    PlanView,
    PreviewView,
    StartedView,
    SubscriptionDetails,
    SubscriptionsAfter,
    view_details,
    view_plan,
    view_preview,
)
from protocol import views
from protocol.ids import PlanId, SubscriptionId

door: Final = Door("subscriptions")

_STEP: Final = (SubscriptionNotFoundError, IllegalSubscriptionStepError)
_CHANGE: Final = (
    *_STEP,
    ChargePendingError,
    PlanNotFoundError,
    PlanNotSoldInCurrencyError,
    SamePlanError,
)


@door.api("GET", "/v1/plans", query=PageQuery, out=Page[PlanView], auth="none")
async def plans(call: Call[None, PageQuery]) -> Page[PlanView]:
    """List what may be subscribed to."""
    query = call.query
    after = None if query.after is None else decode_cursor(PlansAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await service.offered_plans(tx, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda each: PlansAfter(id=each.plan.id))
    return Page(items=[view_plan(each) for each in page.items], next=page.next)


@door.api("GET", "/v1/plans/{plan}", out=PlanView, auth="none", errors=(PlanNotFoundError,))
async def plan(call: Call[None, None]) -> PlanView:
    """Show a plan."""
    async with call.database.transaction() as tx:
        return view_plan(await service.plan_of(tx, _plan(call.path)))


@door.api(
    "POST",
    "/v1/subscriptions",
    body=NewSubscription,
    out=StartedView,
    status=201,
    idempotency="required",
    calls_outside=True,
    errors=(
        AlreadySubscribedError,
        DiscountUsedBeforeError,
        DiscountUsedUpError,
        PaymentMethodNotFoundError,
        PlanNotFoundError,
        PlanNotSoldInCurrencyError,
        TrialMethodNeededError,
        TrialUsedError,
        UnknownCodeError,
    ),
)
async def start(call: Call[NewSubscription, None]) -> StartedView:
    """Subscribe. Pay the order that comes with it, and keep the method for those to come."""
    asked, user = call.body, call.principal.user
    wanted = service.Wanted(
        plan=asked.plan,
        currency=asked.currency,
        country=asked.country,
        code=asked.code,
        method=await _stored(call, asked.method),
        trial=asked.trial,
    )
    async with call.last_transaction() as tx:
        started = await service.start(tx, user, wanted)
        shown = await _shown(tx, started.subscription)
    order = started.order
    return StartedView(subscription=shown, order=None if order is None else order.id)


@door.api("GET", "/v1/subscriptions", query=PageQuery, out=Page[views.Subscription])
async def mine(call: Call[None, PageQuery]) -> Page[views.Subscription]:
    """List one's subscriptions, the newest first."""
    query = call.query
    after = None if query.after is None else decode_cursor(SubscriptionsAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await service.of_user(tx, call.principal.user, after=after, limit=query.limit + 1)
        page = page_of(found, limit=query.limit, key=lambda each: SubscriptionsAfter(id=each.id))
        return Page(items=await service.shown(tx, list(page.items)), next=page.next)


@door.api(
    "GET",
    "/v1/subscriptions/{subscription}",
    out=SubscriptionDetails,
    errors=(SubscriptionNotFoundError,),
)
async def details(call: Call[None, None]) -> SubscriptionDetails:
    """Show one of one's subscriptions, what it was charged, and what happened to it."""
    async with call.database.transaction() as tx:
        sub, charges, steps = await service.view(tx, call.principal.user, _subscription(call.path))
        return view_details(await _shown(tx, sub), charges, steps)


@door.api(
    "POST",
    "/v1/subscriptions/{subscription}/preview",
    body=Change,
    out=PreviewView,
    errors=_CHANGE,
)
async def preview(call: Call[Change, None]) -> PreviewView:
    """Say what another plan would cost, without changing anything."""
    asked, user = call.body, call.principal.user
    async with call.database.transaction() as tx:
        found = await service.preview(
            tx, user, _subscription(call.path), asked.plan, when=asked.when
        )
    return view_preview(found)


@door.api(
    "POST",
    "/v1/subscriptions/{subscription}/change",
    body=Change,
    out=ChangedView,
    idempotency="required",
    errors=_CHANGE,
)
async def change(call: Call[Change, None]) -> ChangedView:
    """Go over to another plan; what it costs is charged to the stored method within seconds."""
    asked, user = call.body, call.principal.user
    async with call.database.transaction() as tx:
        sub, order = await service.change(
            tx, user, _subscription(call.path), asked.plan, when=asked.when
        )
        return ChangedView(subscription=await _shown(tx, sub), order=order)


@door.api(
    "POST",
    "/v1/subscriptions/{subscription}/pause",
    body=Pause,
    out=views.Subscription,
    errors=(*_STEP, ChargePendingError),
)
async def pause(call: Call[Pause, None]) -> views.Subscription:
    """Stop a subscription; what is left of its period is kept."""
    resumes_at = call.body.resumes_at
    if resumes_at is not None and resumes_at <= call.clock.now():
        raise InvalidRequestError("A pause ends later than now.")
    async with call.database.transaction() as tx:
        sub = await service.pause(
            tx, call.principal.user, _subscription(call.path), resumes_at=resumes_at
        )
        return await _shown(tx, sub)


@door.api("POST", "/v1/subscriptions/{subscription}/resume", out=views.Subscription, errors=_STEP)
async def resume(call: Call[None, None]) -> views.Subscription:
    """Let a paused subscription go on."""
    async with call.database.transaction() as tx:
        sub = await service.resume(tx, call.principal.user, _subscription(call.path))
        return await _shown(tx, sub)


@door.api(
    "POST",
    "/v1/subscriptions/{subscription}/cancel",
    body=Cancel,
    out=views.Subscription,
    errors=_STEP,
)
async def cancel(call: Call[Cancel, None]) -> views.Subscription:
    """End a subscription with its period, or now."""
    user, wanted = call.principal.user, _subscription(call.path)
    async with call.database.transaction() as tx:
        if call.body.when == "now":
            sub = await service.cancel_now(tx, user, wanted)
        else:
            sub = await service.set_cancel(tx, user, wanted, cancels=True)
        return await _shown(tx, sub)


@door.api("POST", "/v1/subscriptions/{subscription}/keep", out=views.Subscription, errors=_STEP)
async def keep(call: Call[None, None]) -> views.Subscription:
    """Go on after all with a subscription that was to end with its period."""
    async with call.database.transaction() as tx:
        sub = await service.set_cancel(
            tx, call.principal.user, _subscription(call.path), cancels=False
        )
        return await _shown(tx, sub)


@door.api(
    "POST",
    "/v1/subscriptions/{subscription}/retry",
    out=views.Subscription,
    idempotency="required",
    errors=(*_STEP, TooManyTriesError),
)
async def retry(call: Call[None, None]) -> views.Subscription:
    """Have what is not paid charged to the stored method once more, within seconds."""
    async with call.database.transaction() as tx:
        sub = await service.retry(tx, call.principal.user, _subscription(call.path))
        return await _shown(tx, sub)


@door.api(
    "PUT",
    "/v1/subscriptions/{subscription}/method",
    calls_outside=True,
    body=PayWith,
    out=views.Subscription,
    errors=(*_STEP, PaymentMethodNotFoundError),
)
async def pay_with(call: Call[PayWith, None]) -> views.Subscription:
    """Charge another stored method from now on."""
    stored = await _stored(call, call.body.method)
    async with call.last_transaction() as tx:
        sub = await service.pay_with(
            tx, call.principal.user, _subscription(call.path), None if stored is None else stored.id
        )
        return await _shown(tx, sub)


@door.api("GET", "/v1/entitlements", out=Entitlements)
async def entitlements(call: Call[None, None]) -> Entitlements:
    """List what one's subscriptions entitle to."""
    async with call.database.transaction() as tx:
        return Entitlements(items=await service.entitlements.of(tx, call.principal.user))


@door.api(
    "POST",
    "/v1/admin/plans",
    body=NewPlanBody,
    out=PlanView,
    status=201,
    errors=(ForbiddenError, VariantNotFoundError),
)
async def create_plan(call: Call[NewPlanBody, None]) -> PlanView:
    """Offer a plan; staff only."""
    call.require_role(STAFF_ROLE)
    new = call.body.plan()
    async with call.database.transaction() as tx:
        return view_plan(await service.create_plan(tx, new))


@door.api(
    "POST",
    "/v1/admin/plans/{plan}/end",
    out=PlanView,
    errors=(ForbiddenError, PlanNotFoundError),
)
async def end_plan(call: Call[None, None]) -> PlanView:
    """Offer a plan no longer; staff only. Who has it keeps it."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        return view_plan(await service.end_plan(tx, _plan(call.path)))


async def _stored(
    call: Call[NewSubscription, None] | Call[PayWith, None], method: str | None
) -> service.Method | None:
    """Return a stored method of the caller; never asked for within a transaction."""
    if method is None:
        return None
    gateway = call.service(Bank).gateway
    found = await payments.method(call.database, gateway, call.principal.user, method)
    return service.Method(id=found.id, fingerprint=found.fingerprint)


async def _shown(tx: Transaction, sub: Subscription) -> views.Subscription:
    return (await service.shown(tx, [sub]))[0]


def _subscription(path: Mapping[str, str]) -> SubscriptionId:
    return SubscriptionId(path["subscription"])


def _plan(path: Mapping[str, str]) -> PlanId:
    return PlanId(path["plan"])
