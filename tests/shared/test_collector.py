import gc
import weakref

import pytest

from shared import collector
from shared.collector import Collector


class Ring:
    def __init__(self):
        self.me = self


@pytest.fixture(autouse=True)
def usual_collector():
    usual = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*usual)


class TestTheCollector:
    def test_leaves_what_has_lived_for_a_while_alone(self):
        keeper = Collector()
        old = Ring()

        assert not keeper.look()

        gone = weakref.ref(old)
        del old
        gc.collect()
        assert gone() is not None

    def test_finds_old_cycles_once_there_is_twice_as_much(self, monkeypatch):
        monkeypatch.setattr(collector, "_OLD_OBJECTS_MIN", 0)
        keeper = Collector()
        old = Ring()
        gone = weakref.ref(old)
        del old
        more = [[] for _ in range(gc.get_freeze_count() + 1000)]

        assert keeper.look()

        assert gone() is None
        assert len(more) > 0
