"""Subscriptions as subscribers and staff see them."""

from commerce.foundation.database import Transaction
from commerce.subscriptions.errors import SubscriptionNotFoundError
from commerce.subscriptions.model import Charge, Subscription, show
from commerce.subscriptions.repository import charges, subscriptions as repository
from commerce.subscriptions.repository.subscriptions import StepTaken
from protocol import views
from protocol.ids import SubscriptionId, UserId

CHARGES_SHOWN_MAX = 100


async def of_user(
    tx: Transaction, user: UserId, *, after: SubscriptionId | None = None, limit: int
) -> list[Subscription]:
    """Return a user's subscriptions, the newest first."""
    return await repository.of_user(tx, user, after=after, limit=limit)


async def shown(tx: Transaction, found: list[Subscription]) -> list[views.Subscription]:
    """Return subscriptions as their subscriber sees them."""
    waiting = await charges.open_of(tx, [sub.id for sub in found])
    return [
        show(sub, order=waiting[sub.id].order_id if sub.id in waiting else None) for sub in found
    ]


async def holder(tx: Transaction, subscription: SubscriptionId) -> UserId:
    """Return whose subscription it is.

    Raises:
        SubscriptionNotFoundError: if there is none.
    """
    found = await repository.find(tx, subscription)
    if found is None:
        raise SubscriptionNotFoundError(subscription)
    return found.user_id


async def view(
    tx: Transaction, user: UserId, subscription: SubscriptionId
) -> tuple[Subscription, list[Charge], list[StepTaken]]:
    """Return one of a user's subscriptions, what it was charged, and what happened to it.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
    """
    found = await repository.find(tx, subscription)
    if found is None or found.user_id != user:
        raise SubscriptionNotFoundError(subscription)
    return (
        found,
        await charges.of(tx, subscription, limit=CHARGES_SHOWN_MAX),
        await repository.steps(tx, subscription),
    )
