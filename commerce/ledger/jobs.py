"""What the clock does for the ledger: every night it is held beside the processor's word."""

from commerce.foundation.database import Database
from commerce.foundation.jobs import Errand
from commerce.ledger import service
from commerce.ledger.ports import Processor


def errands(processor: Processor) -> tuple[Errand, ...]:
    """Return the errands of the ledger."""

    async def reconcile(database: Database) -> None:
        await service.reconcile(database, processor)

    return (Errand(name="ledger.reconcile", every_seconds=24 * 3600, run=reconcile),)
