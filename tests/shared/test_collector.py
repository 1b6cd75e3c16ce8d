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

    def test_finds_young_cycles_before_they_are_old(self):
        keeper = Collector()
        young = Ring()
        gone = weakref.ref(young)
        del young

        assert not keeper.look()

        assert gone() is None

    def test_takes_a_full_look_only_once_it_is_a_small_part_of_the_time(self, monkeypatch):
        monkeypatch.setattr(collector, "_OLD_OBJECTS_MIN", 0)
        keeper = Collector()
        more = [[] for _ in range(gc.get_freeze_count() + 1000)]
        monkeypatch.setattr(collector, "_OLD_OBJECTS_A_LOOK", gc.get_freeze_count())

        looks = [keeper.look() for _ in range(3)]

        assert looks == [False, False, True]
        assert len(more) > 0

    def test_finds_old_cycles_once_there_is_twice_as_much(self, monkeypatch):
        monkeypatch.setattr(collector, "_OLD_OBJECTS_MIN", 0)
        monkeypatch.setattr(collector, "_OLD_OBJECTS_A_LOOK", 100_000_000)
        keeper = Collector()
        old = Ring()
        keeper.look()
        gone = weakref.ref(old)
        del old
        more = [[] for _ in range(gc.get_freeze_count() + 1000)]

        assert keeper.look()

        assert gone() is None
        assert len(more) > 0
