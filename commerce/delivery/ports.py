"""What delivery asks of whatever has to be made ready before a grant is worth something."""

from collections.abc import Mapping
from typing import Protocol

from commerce.delivery.model import Grant
from commerce.foundation.database import Transaction
from protocol.views import Benefit


class Preparation(Protocol):
    """Makes ready what a grant promises, such as files to download. It may run twice for one grant.

    Whatever it raises is one failed try; it is tried again later.
    """

    async def __call__(self, tx: Transaction, grant: Grant) -> None:
        """Make it ready, in the transaction that grants it."""
        ...


Preparations = Mapping[Benefit, Preparation]
"""Benefits that are not among these need nothing."""
