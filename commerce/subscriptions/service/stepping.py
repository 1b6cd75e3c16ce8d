"""Taking a step: the subscription's row, one row in its log, one event, all or nothing."""

from commerce.foundation.database import Transaction
from commerce.subscriptions.errors import SubscriptionNotFoundError
from commerce.subscriptions.model import Step, Subscription, show
from commerce.subscriptions.repository import charges, subscriptions as repository
from protocol.events import SubscriptionChanged
from protocol.ids import SubscriptionId, UserId
from protocol.topics import user_topic


async def hold(tx: Transaction, subscription: SubscriptionId) -> Subscription:
    """Return a subscription as it is now, and keep everybody else from it."""
    held = await repository.lock(tx, subscription)
    assert held is not None
    return held


async def hold_own(tx: Transaction, user: UserId, subscription: SubscriptionId) -> Subscription:
    """Hold a subscription for its subscriber.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
    """
    held = await repository.lock(tx, subscription)
    if held is None or held.user_id != user:
        raise SubscriptionNotFoundError(subscription)
    return held


async def take(tx: Transaction, step: Step | None, *, otherwise: Subscription) -> Subscription:
    """Take a step on a subscription that is held; without one it is as it was."""
    if step is None:
        return otherwise
    assert await repository.move(tx, step.after)
    await tell(tx, step)
    return step.after


async def tell(tx: Transaction, step: Step) -> None:
    """Write a step into the log, and tell the subscriber."""
    await repository.add_step(tx, step)
    waiting = await charges.open_one(tx, step.after.id)
    shown = show(step.after, order=None if waiting is None else waiting.order_id)
    await tx.emit(user_topic(step.after.user_id), SubscriptionChanged(subscription=shown))
