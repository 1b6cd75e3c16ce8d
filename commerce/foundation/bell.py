"""The bell by which a commit wakes the outbox relay, wherever the relay runs."""

import asyncio
from typing import Final

OUTBOX_CHANNEL: Final = "outbox"
"""The Postgres channel on which other processes ring."""


class Bell:
    """Rung after each commit that left rows in the outbox.

    If the relay runs in this process it hears the bell itself; else `wait_to_announce` wakes
    whoever carries the ringing to Postgres. Any number of rings before anyone listens are one.
    """

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._to_announce = asyncio.Event()
        self.heard_here = False

    def ring(self) -> None:
        """Say that there is something to relay."""
        self._rung.set()
        if not self.heard_here:
            self._to_announce.set()

    async def wait_rung(self, *, seconds_max: float) -> None:
        """Wait until the bell rings, or `seconds_max` have passed; then start anew."""
        try:
            async with asyncio.timeout(seconds_max):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()

    async def wait_to_announce(self) -> None:
        """Wait until other processes ought to hear of a ring."""
        await self._to_announce.wait()
        self._to_announce.clear()
