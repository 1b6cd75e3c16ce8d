"""What settlement does by itself: settle what came in, and look for what did not."""

import asyncio
from typing import Final

from commerce.foundation.database import Database
from commerce.foundation.jobs import Errand, Job
from commerce.payments.model import AWAITS_ANSWER, AWAITS_BUYER
from commerce.settlement import service
from commerce.settlement.service import Standing

_POLL_SECONDS: Final = 0.2
"""How long to wait when nothing is due; a commit elsewhere rings no bell here."""

JOBS: Final = (Job(name="settlement.forget", every_seconds=86_400, run=service.forget_old),)


async def settle_for_ever(standing: Standing) -> None:
    """Settle events as they come. Runs in every worker at once: they share the work."""
    while True:
        if not await service.settle_due(standing):
            await asyncio.sleep(_POLL_SECONDS)


def errands(standing: Standing, *, is_live: bool) -> tuple[Errand, ...]:
    """Return what the clock sends out."""

    async def sweep(_database: Database) -> None:
        await service.sweep(standing, is_live=is_live)

    async def ask_after_the_unheard(_database: Database) -> None:
        await service.reconcile(standing, AWAITS_ANSWER, older_than_seconds=service.UNHEARD_SECONDS)

    async def ask_after_the_open(_database: Database) -> None:
        await service.reconcile(standing, AWAITS_BUYER, older_than_seconds=service.OPEN_SECONDS)

    return (
        Errand(name="settlement.sweep", every_seconds=3_600, run=sweep),
        Errand(name="settlement.unheard", every_seconds=30, run=ask_after_the_unheard),
        Errand(name="settlement.open", every_seconds=3_600, run=ask_after_the_open),
    )
