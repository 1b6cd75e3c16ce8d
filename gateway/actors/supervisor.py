"""Keep work alive through crashes, but not through a crash loop."""

from collections import deque
from collections.abc import Awaitable, Callable

import msgspec
import trio
from prometheus_client import Counter

from shared.logging import get_logger

_log = get_logger("gateway.actors")
_crashes = Counter(
    "rialto_gateway_work_crashes_total", "Crashes of the worker's own tasks, by task.", ["work"]
)


class RestartBudgetSpentError(Exception):
    """The work crashed too often; the parent must decide."""


class RestartBudget(msgspec.Struct, frozen=True, kw_only=True):
    """How much crashing is forgiven: `restarts_max` within `window_seconds`."""

    restarts_max: int
    window_seconds: float
    pause_seconds: float


class CrashRecord:
    """The crashes of one thing, as far as they count."""

    __slots__ = ("_crashed_at",)

    def __init__(self) -> None:
        self._crashed_at: deque[float] = deque()

    def note(self, *, window_seconds: float) -> int:
        """Add a crash; return how many there were within the window."""
        self._crashed_at.append(trio.current_time())
        return self.count(window_seconds=window_seconds)

    def count(self, *, window_seconds: float) -> int:
        """Return how many there were within the window."""
        bound = trio.current_time() - window_seconds
        while self._crashed_at and self._crashed_at[0] <= bound:
            self._crashed_at.popleft()
        return len(self._crashed_at)


async def supervise(
    work: Callable[[], Awaitable[None]], *, name: str, budget: RestartBudget
) -> None:
    """Run `work` until it returns, starting it again whenever it crashes.

    Cancellation is not a crash and always passes through.

    Raises:
        RestartBudgetSpentError: from the last crash, once the budget is spent.
    """
    record = CrashRecord()
    while True:
        try:
            await work()
        except Exception as crash:
            _crashes.labels(work=name).inc()
            _log.exception("work.crashed", work=name)
            if record.note(window_seconds=budget.window_seconds) > budget.restarts_max:
                _log.error("work.crash_loop", work=name, restarts=budget.restarts_max)
                raise RestartBudgetSpentError(name) from crash
            await trio.sleep(budget.pause_seconds)
        else:
            return
