"""Trio's own clock that jumps: `pytestmark = IN_VIRTUAL_TIME` makes an hour's sleep cost nothing.

Only for tests without sockets: virtual time does not wait for the real world.
"""

import pytest
import trio
import trio.testing


def run_in_virtual_time(main, *, clock=None, instruments=()):
    """Run `main` as `trio.run` does, with a clock that jumps whenever every task is waiting."""
    jumping = trio.testing.MockClock(autojump_threshold=0)
    return trio.run(main, clock=clock or jumping, instruments=instruments)


IN_VIRTUAL_TIME = pytest.mark.trio(run=run_in_virtual_time)
