"""Failures on demand: what the next calls run into."""

import asyncio
from typing import Annotated, Literal, TypeVar

import msgspec

from deploy.stripe_standin.limits import FAULT_SILENCE_SECONDS_MAX, FAULTS_COUNT_MAX

FaultKind = Literal[
    "hold",
    "timeout_before",
    "timeout_after",
    "error",
    "error_after",
    "overload",
    "rate_limit",
    "cut_before",
    "cut_after",
]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One kind of failure, for the next `count` calls that match.

    - hold: the call waits, its idempotency key in use, until the control endpoint releases it;
    - timeout_before, timeout_after: silence for `seconds`, then the connection is cut; before or
      after the call was carried out;
    - error, error_after: 500; the idempotency key remembers it, as Stripe's does;
    - overload: 500 with `Stripe-Should-Retry: true`, before anything began;
    - rate_limit: 429 with `Retry-After`;
    - cut_before, cut_after: the answer breaks off.

    A path matches if it begins with `path`; an empty method matches every one.
    """

    kind: FaultKind
    count: Annotated[int, msgspec.Meta(ge=1, le=FAULTS_COUNT_MAX)] = 1
    skip: Annotated[int, msgspec.Meta(ge=0, le=FAULTS_COUNT_MAX)] = 0
    method: Literal["", "GET", "POST", "DELETE"] = ""
    path: str = "/v1/"
    seconds: Annotated[float, msgspec.Meta(ge=0, le=FAULT_SILENCE_SECONDS_MAX)] = 30.0
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 1


Result = TypeVar("Result")


class Faults:
    """The failures that wait for their calls, in the order they were ordered."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._held = 0
        self._released = asyncio.Event()
        self._changed = asyncio.Condition()

    @property
    def waiting(self) -> list[Fault]:
        """What was ordered and not met yet."""
        return list(self._waiting)

    @property
    def held(self) -> int:
        """How many calls are held."""
        return self._held

    def order(self, fault: Fault) -> None:
        """Let a failure wait for its calls."""
        self._waiting = [*self._waiting, fault][-FAULTS_COUNT_MAX:]

    def clear(self) -> None:
        """Forget what waits, and let go what is held."""
        self._waiting.clear()
        self.release()

    def release(self) -> None:
        """Let the calls go on that are held."""
        self._released.set()
        self._released = asyncio.Event()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the failure that a call runs into, and count it."""
        for fault in self._waiting:
            if fault.method not in ("", method) or not path.startswith(fault.path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.count -= 1
            if fault.count == 0:
                self._waiting.remove(fault)
            return fault
        return None

    async def hold(self) -> None:
        """Wait until `release`."""
        released = self._released
        self._held += 1
        await self._tell()
        try:
            await released.wait()
        finally:
            self._held -= 1

    async def wait_held(self, count: int) -> None:
        """Wait until so many calls are held."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._held >= count)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
