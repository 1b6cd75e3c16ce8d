"""Keeps Python's cycle collector brief in a program that lives long and holds much.

A full look at the objects of some thousand connections takes most of a second, in which nobody is
served, and Python takes one whenever a quarter has been added. So what has lived for a while is
set aside and not looked at. Cycles among what has died meanwhile stay until everything is looked
at again. That is when the number set aside has doubled, and so much time has passed that the look
takes a thousandth of it: a crowd that has just come is not garbage.
"""

import gc
from typing import Final

LOOK_SECONDS: Final = 20.0
"""How often `look` is to be called."""

_YOUNG_OBJECTS_MAX: Final = 10_000
"""New objects before the collector looks at them; Python's own 700 is for small programs."""

_OLD_OBJECTS_MIN: Final = 500_000
"""Fewer than these are never worth a full look: it takes a quarter of a second."""

_OLD_OBJECTS_A_LOOK: Final = 30_000
"""Old objects that can be looked at in a thousandth of the time between two calls of `look`."""

_YOUNG_GENERATIONS: Final = 1


class Collector:
    """The one collector of this process; make it once everything is imported."""

    def __init__(self) -> None:
        gc.set_threshold(_YOUNG_OBJECTS_MAX, 20, 10)
        gc.freeze()
        self._kept_count = gc.get_freeze_count()
        self._looks_count = 0

    def look(self) -> bool:
        """Set aside what there is; tell whether everything was looked at, because it doubled."""
        gc.collect(_YOUNG_GENERATIONS)
        gc.freeze()
        self._looks_count += 1
        old_count = gc.get_freeze_count()
        if old_count < max(2 * self._kept_count, _OLD_OBJECTS_MIN):
            return False
        if old_count > self._looks_count * _OLD_OBJECTS_A_LOOK:
            return False
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._kept_count = gc.get_freeze_count()
        self._looks_count = 0
        return True
