"""A sack of tokens: so much at once, so much a second."""

import trio


class TokenBucket:
    """Holds up to `burst` tokens and gains `per_second`; each act takes one."""

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, *, per_second: float, burst: int) -> None:
        assert per_second > 0
        assert burst > 0
        self._per_second = per_second
        self._burst = burst
        self._tokens = float(burst)
        self._at = trio.current_time()

    def take(self) -> float:
        """Take a token and return 0, or return the seconds until there is one to take."""
        now = trio.current_time()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._per_second
        self._tokens -= 1
        return 0.0
