"""What the doors of settlement do."""

from commerce.settlement.service.inbox import accept, count_waiting, forget_old, replay
from commerce.settlement.service.settling import Standing, apply, settle_due
from commerce.settlement.service.watching import (
    OPEN_SECONDS,
    UNHEARD_SECONDS,
    reconcile,
    sweep,
    sweep_in,
)

__all__ = [
    "OPEN_SECONDS",
    "UNHEARD_SECONDS",
    "Standing",
    "accept",
    "apply",
    "count_waiting",
    "forget_old",
    "reconcile",
    "replay",
    "settle_due",
    "sweep",
    "sweep_in",
]
