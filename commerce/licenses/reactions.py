"""What licences hear: orders that are fulfilled."""

from commerce.foundation.database import Transaction
from commerce.foundation.reactions import Reaction
from commerce.licenses import service
from commerce.licenses.ports import LicenseKeys
from protocol.events import OrderFulfilled


def reactions(keys: LicenseKeys) -> tuple[Reaction, ...]:
    """Return the reactions of licences, which make keys with `keys`."""

    async def issue_what_was_bought(tx: Transaction, event: OrderFulfilled) -> None:
        await service.issue(tx, event.order, keys=keys)

    return (
        Reaction(name="licenses.order_fulfilled", event=OrderFulfilled, run=issue_what_was_bought),
    )
