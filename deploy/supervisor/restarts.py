"""How soon a process that died is started again, as a pure rule."""

from collections import deque
from typing import Final

import msgspec


class RestartRule(msgspec.Struct, frozen=True, kw_only=True):
    """The budget and the pauses.

    Pauses double from the first to the last with each death in the window. More deaths than
    `restarts_max` in one window are a crash loop: then there is only one try a `loop` pause.
    """

    restarts_max: int = 5
    window_seconds: float = 60.0
    pause_seconds_first: float = 0.2
    pause_seconds_max: float = 5.0
    pause_seconds_loop: float = 30.0


DEFAULT_RULE: Final = RestartRule()


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait before the next start, and whether this is a crash loop."""

    seconds: float
    is_crash_loop: bool


class RestartBudget:
    """Remembers the deaths of one process."""

    def __init__(self, rule: RestartRule = DEFAULT_RULE) -> None:
        self._rule = rule
        self._died_at: deque[float] = deque(maxlen=rule.restarts_max + 1)

    def after_death(self, now_seconds: float, *, is_hopeless: bool = False) -> Pause:
        """Note a death at `now_seconds` and return what is to be done about it.

        If it is known to be hopeless, the budget is not spent first.
        """
        self._died_at.append(now_seconds)
        while self._died_at[0] < now_seconds - self._rule.window_seconds:
            self._died_at.popleft()
        deaths = len(self._died_at)
        if is_hopeless or deaths > self._rule.restarts_max:
            return Pause(seconds=self._rule.pause_seconds_loop, is_crash_loop=True)
        seconds = self._rule.pause_seconds_first * 2 ** (deaths - 1)
        return Pause(seconds=min(seconds, self._rule.pause_seconds_max), is_crash_loop=False)

    def forgive(self) -> None:
        """Forget every death, because somebody asked for a new start."""
        self._died_at.clear()
