"""The schedule of retry pauses, as a pure iterator."""

import random
from collections.abc import Iterator


def full_jitter(
    *, base_seconds: float, cap_seconds: float, source: random.Random | None = None
) -> Iterator[float]:
    """Yield pauses drawn evenly from 0 to a ceiling that doubles from `base_seconds` to the cap.

    After Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), "full jitter".
    """
    dice = source or random.SystemRandom()
    ceiling = base_seconds
    while True:
        yield dice.uniform(0, ceiling)
        ceiling = min(cap_seconds, ceiling * 2)
