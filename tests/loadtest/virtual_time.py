"""Run trio tests on a clock that jumps to the next deadline as soon as nothing can happen.

pytest-trio takes a clock only from a test's own arguments; as a mark it serves a whole module.
"""

import pytest
import trio
from trio.testing import MockClock


def run(function, *, clock=None, instruments=()):
    """Run like `trio.run`, in virtual time."""
    return trio.run(
        function, clock=clock or MockClock(autojump_threshold=0), instruments=instruments
    )


in_virtual_time = pytest.mark.trio(run=run)
