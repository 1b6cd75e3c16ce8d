"""Limits on how often something may be tried, shared by all processes and atomic."""

import math
from pathlib import Path
from typing import Final

import msgspec
from redis.asyncio import Redis

from commerce.foundation.errors import RateLimitedError

_SCRIPT: Final = (Path(__file__).parent / "rate_limit.lua").read_text("utf-8")


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """At most `count` within any `per_seconds`, spent at once or evenly."""

    name: str
    count: int
    per_seconds: int


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one more was allowed, and what is left."""

    limit: RateLimit
    allowed: bool
    remaining: int
    retry_after_ms: int
    full_after_ms: int

    def headers(self) -> dict[str, str]:
        """Return the RateLimit headers (draft-ietf-httpapi-ratelimit-headers)."""
        name, count, window = self.limit.name, self.limit.count, self.limit.per_seconds
        reset = math.ceil(self.full_after_ms / 1000)
        return {
            "ratelimit-policy": f'"{name}";q={count};w={window}',
            "ratelimit": f'"{name}";r={self.remaining};t={reset}',
        }


class RateLimiter:
    """The generic cell rate algorithm (ITU-T I.371) in one Redis script."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(_SCRIPT)

    async def take(self, limit: RateLimit, subject: str) -> Allowance:
        """Count one try of `subject` and say whether it is allowed."""
        allowed, remaining, retry_after_ms, full_after_ms = await self._take(
            keys=[f"rate:{{{limit.name}:{subject}}}"],
            args=[limit.count, limit.per_seconds * 1000],
        )
        return Allowance(
            limit=limit,
            allowed=bool(allowed),
            remaining=remaining,
            retry_after_ms=retry_after_ms,
            full_after_ms=full_after_ms,
        )


def refusal(allowance: Allowance) -> RateLimitedError:
    """Return the error that tells when to try again."""
    return RateLimitedError(retry_after_seconds=max(1, math.ceil(allowance.retry_after_ms / 1000)))
