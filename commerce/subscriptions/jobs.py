"""What the clock does to subscriptions."""

from collections.abc import Sequence
from typing import Final

from commerce.foundation.database import Database
from commerce.foundation.jobs import Errand, Job
from commerce.payments.ports import PaymentGateway
from commerce.subscriptions import service

JOBS: Final = (
    Job(name="subscriptions.turn", every_seconds=30, run=service.turn),
    Job(name="subscriptions.catch_up", every_seconds=60, run=service.catch_up),
)


def errands(gateway: PaymentGateway) -> Sequence[Errand]:
    """Return what calls the outside: charging stored methods, and canceling."""

    async def collect(database: Database) -> None:
        await service.collect(database, gateway)

    async def cancel(database: Database) -> None:
        await service.cancel_unwanted(database, gateway)

    return (
        Errand(name="subscriptions.collect", every_seconds=10, run=collect),
        Errand(name="subscriptions.cancel", every_seconds=60, run=cancel),
    )
