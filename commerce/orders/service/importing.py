"""Orders brought in from elsewhere."""

from collections.abc import Sequence

import msgspec

from commerce.foundation.database import Transaction
from commerce.orders.model import Order, PastOrder, order_number
from commerce.orders.repository import importing as repository


async def import_past(tx: Transaction, past: Sequence[PastOrder]) -> list[PastOrder]:
    """Write many orders without telling anyone; return those that were not there.

    They get numbers of their own. Rights are not granted either, nor is stock taken.
    """
    known = await repository.known(tx, [each.order.id for each in past])
    missing = [each for each in past if each.order.id not in known]
    serials = await repository.next_serials(tx, len(missing))
    numbered = [
        msgspec.structs.replace(each, order=_numbered(each.order, serial))
        for each, serial in zip(missing, serials, strict=True)
    ]
    await repository.copy_past(tx, numbered)
    return numbered


def _numbered(order: Order, serial: int) -> Order:
    return msgspec.structs.replace(order, number=order_number(order.placed_at.year, serial))
