"""Passwords hashed with argon2id, a few at a time, beside the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from typing_extensions import override

from commerce.accounts.errors import PasswordsBusyError
from commerce.accounts.ports import Passwords

THREADS: Final = 2
WAITING_MAX: Final = 64
"""Hashing takes some 25 ms: whoever came later than this would wait a second or more."""


class Argon2Passwords(Passwords):
    """Holds two threads; argon2 lets go of the interpreter while it works."""

    def __init__(self, *, memory_kib: int, rounds: int) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody: str | None = None

    @override
    async def hash(self, password: str) -> str:
        """Return what to keep in place of `password`."""
        return await self._beside(password, None)

    @override
    async def matches(self, password: str, kept: str | None) -> bool:
        """Say whether `kept` was made of `password`; takes as long when there is none."""
        if kept is None:
            self._nobody = self._nobody or await self.hash("nobody's password")
        found = await self._beside(password, kept or self._nobody)
        return found == "match" and kept is not None

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _beside(self, password: str, kept: str | None) -> str:
        if self._waiting >= WAITING_MAX:
            raise PasswordsBusyError
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._work, password, kept)
        finally:
            self._waiting -= 1

    def _work(self, password: str, kept: str | None) -> str:
        if kept is None:
            return self._hasher.hash(password)
        try:
            self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return "mismatch"
        return "match"
