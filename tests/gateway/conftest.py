"""Most gateway tests run in virtual time, where an hour's sleep costs nothing."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

HERE = Path(__file__).parent
IN_VIRTUAL_TIME = {"actors", "connections", "operators", "topics"}


def run_in_virtual_time(work, *, clock=None, instruments=()):
    return trio.run(work, clock=clock or MockClock(autojump_threshold=0), instruments=instruments)


def pytest_collection_modifyitems(items):
    for item in items:
        is_ours = item.path.is_relative_to(HERE) and item.get_closest_marker("trio")
        if is_ours and item.path.relative_to(HERE).parts[0] in IN_VIRTUAL_TIME:
            item.add_marker(pytest.mark.trio(run=run_in_virtual_time), append=False)
