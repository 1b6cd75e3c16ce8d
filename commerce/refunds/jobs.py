"""What the clock does to refunds."""

from typing import Final

from commerce.foundation.database import Database
from commerce.foundation.jobs import Errand, Job
from commerce.refunds import service
from commerce.refunds.ports import RefundGateway

JOBS: Final = (Job(name="refunds.sweep_late", every_seconds=60, run=service.sweep_late),)


def errands(gateway: RefundGateway) -> tuple[Errand, ...]:
    """Return the errands of refunds, which give money back at `gateway`."""

    async def submit_due(database: Database) -> int:
        return await service.submit_due(database, gateway)

    return (Errand(name="refunds.submit", every_seconds=1, run=submit_due),)
