"""Chance that always falls the same way: ids, moments and choices from a name."""

import random
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.ids import make_id

SEED_DAY: Final = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
"""Everything that was seeded happened before this."""


class Fate:
    """The dice of one seeded thing: the same name throws the same."""

    def __init__(self, name: str) -> None:
        self.dice = random.Random(name)  # noqa: S311 - the same every time is the point

    def id(self, prefix: str, moment: datetime) -> str:
        """Return an id minted at `moment`."""
        return make_id(prefix, moment, randomness=self.dice.getrandbits(80))

    def moment(self, *, days_before_max: float, days_before_min: float = 1) -> datetime:
        """Return a moment in the time before `SEED_DAY`."""
        days = self.dice.uniform(days_before_min, days_before_max)
        return SEED_DAY - timedelta(seconds=round(days * 86_400))

    def later(self, moment: datetime, *, seconds_max: int) -> datetime:
        """Return a moment shortly after another."""
        return moment + timedelta(seconds=self.dice.randint(5, seconds_max))
