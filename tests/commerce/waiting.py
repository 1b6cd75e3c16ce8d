"""Waiting for what another task does: a condition and a deadline, never a fixed pause."""

import asyncio

POLL_SECONDS = 0.01


async def until(condition, *, seconds_max=20):
    """Wait until `await condition()` is true; return what it gave."""
    async with asyncio.timeout(seconds_max):
        while not (found := await condition()):  # noqa: ASYNC110 - other processes ring no bell
            await asyncio.sleep(POLL_SECONDS)
        return found
