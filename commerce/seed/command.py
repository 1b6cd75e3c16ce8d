"""`python -m commerce seed`: fill the shop, small or for benchmarks."""

import sys
from typing import Literal

from redis.exceptions import RedisError

from commerce.accounts.adapters.argon2_passwords import Argon2Passwords
from commerce.foundation.database import Database, open_database
from commerce.foundation.redis_client import open_redis
from commerce.seed.bench import LOAD_SIZE, BenchSize, seed_bench
from commerce.seed.people import DEMO_PASSWORD
from commerce.seed.small import Shop, seed_small
from commerce.settings import CommerceSettings
from protocol.stream_names import ACCESS_READY_KEY
from shared.clock import SystemClock

Scale = Literal["small", "load", "bench"]


async def run(settings: CommerceSettings, *, scale: Scale) -> None:
    """Fill the shop; a second run changes nothing."""
    async with open_database(settings.database, clock=SystemClock()) as database:
        shop = await fill(settings, database)
        _say(
            f"{shop.seeded.products} products, {shop.seeded.messages} messages and "
            f"{shop.seeded.orders} orders added"
        )
        if scale != "small":
            size = LOAD_SIZE if scale == "load" else BenchSize()
            covers = [product.cover for product in shop.products if product.cover is not None]
            await seed_bench(database, size, covers=covers, progress=_show)
            await _have_rights_rebuilt(settings)


async def fill(settings: CommerceSettings, database: Database) -> Shop:
    """Have the small shop. Its people can sign in by password in the dev profile only."""
    kept = await _hash_of_demo_password(settings) if settings.profile == "dev" else None
    async with database.transaction() as tx:
        return await seed_small(tx, files_dir=settings.catalog.files_path, password_hash=kept)


async def _hash_of_demo_password(settings: CommerceSettings) -> str:
    passwords = Argon2Passwords(
        memory_kib=settings.accounts.password_memory_kib, rounds=settings.accounts.password_rounds
    )
    try:
        return await passwords.hash(DEMO_PASSWORD)
    finally:
        passwords.close()


async def _have_rights_rebuilt(settings: CommerceSettings) -> None:
    """Have the worker write anew who may hear what, rather than tell it of a million orders."""
    async with open_redis(settings.redis) as redis:
        try:
            await redis.delete(ACCESS_READY_KEY)
        except RedisError as error:
            _say(f"Redis does not answer ({error}); a worker with an empty one rebuilds all rights")


def _show(what: str, done: int, count: int) -> None:
    sys.stderr.write(f"\r{what}: {done:,} of {count:,}{chr(10) if done == count else ''}")
    sys.stderr.flush()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
