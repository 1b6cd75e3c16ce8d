"""How long to wait before trying again, so that a crowd of clients does not come back at once."""

import random
from collections.abc import Iterator
from typing import Final

RECONNECT_BASE_SECONDS: Final = 0.25
RECONNECT_CAP_SECONDS: Final = 10.0


def full_jitter(
    dice: random.Random,
    *,
    base_seconds: float = RECONNECT_BASE_SECONDS,
    cap_seconds: float = RECONNECT_CAP_SECONDS,
) -> Iterator[float]:
    """Yield pauses drawn evenly from 0 to a ceiling that doubles from the base to the cap."""
    ceiling = base_seconds
    while True:
        yield dice.uniform(0, ceiling)
        ceiling = min(cap_seconds, ceiling * 2)
