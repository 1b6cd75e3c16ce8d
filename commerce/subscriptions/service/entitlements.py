"""What subscriptions entitle to, while they are on trial, active, or late with one payment."""

from commerce.foundation.database import Transaction
from commerce.subscriptions.repository import subscriptions as repository
from protocol.ids import UserId


async def of(tx: Transaction, user: UserId) -> list[str]:
    """Return the names of everything a user is entitled to, in the order of the alphabet."""
    return await repository.entitled(tx, user)
