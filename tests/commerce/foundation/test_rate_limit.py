"""Limits on how often something may be tried."""

import asyncio

from commerce.foundation.rate_limit import RateLimit, RateLimiter, refusal
from tests.commerce.waiting import until

LIMIT = RateLimit(name="tries", count=3, per_seconds=60)


class TestALimit:
    async def test_lets_exactly_so_many_through_at_once(self, redis):
        limiter = RateLimiter(redis)

        allowances = await asyncio.gather(*(limiter.take(LIMIT, "ada") for _ in range(40)))

        assert sum(allowance.allowed for allowance in allowances) == 3

    async def test_is_each_subjects_own(self, redis):
        limiter = RateLimiter(redis)
        for _ in range(3):
            await limiter.take(LIMIT, "ada")

        assert not (await limiter.take(LIMIT, "ada")).allowed
        assert (await limiter.take(LIMIT, "ben")).allowed

    async def test_says_what_is_left_and_when_to_try_again(self, redis):
        limiter = RateLimiter(redis)

        first = await limiter.take(LIMIT, "ada")
        await limiter.take(LIMIT, "ada")
        await limiter.take(LIMIT, "ada")
        refused = await limiter.take(LIMIT, "ada")

        assert first.headers()["ratelimit"] == '"tries";r=2;t=20'
        assert first.headers()["ratelimit-policy"] == '"tries";q=3;w=60'
        assert 19_000 < refused.retry_after_ms <= 20_000
        assert refusal(refused).retry_after_seconds == 20

    async def test_refills_with_time(self, redis):
        limiter = RateLimiter(redis)
        quick = RateLimit(name="quick", count=1, per_seconds=1)
        assert (await limiter.take(quick, "ada")).allowed
        assert not (await limiter.take(quick, "ada")).allowed

        async def allowed():
            return (await limiter.take(quick, "ada")).allowed

        assert await until(allowed)
