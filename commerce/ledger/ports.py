"""What the ledger asks of the outside: what the processor says it moved."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from commerce.ledger.model import Movement


class Processor(Protocol):
    """Whoever moves the money. None is called within a transaction."""

    def movements(self, *, since: datetime, until: datetime) -> AsyncIterator[Sequence[Movement]]:
        """Yield what was moved from `since` up to `until`, a page at a time."""
        ...
