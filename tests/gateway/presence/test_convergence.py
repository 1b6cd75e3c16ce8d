"""Whatever happens in whatever order, in the end every worker knows who is here."""

import trio
from hypothesis import given, settings, strategies as st

from tests.fakes.redis import FakeRedis
from tests.gateway.presence.cluster import ROOM, own_topic, start_worker
from tests.gateway.virtual_time import run_in_virtual_time

WORKERS = st.integers(0, 2)
NAMES = ("Ada", "Bob", "Eve")
USERS = st.sampled_from(NAMES)
TABS = st.sampled_from(["one", "two"])
PAUSES = st.sampled_from([0, 0.1, 1, 4, 12, 25])
STEPS = st.one_of(
    st.tuples(st.just("enter"), WORKERS, USERS, TABS, st.booleans()),
    st.tuples(st.just("leave"), WORKERS, USERS, TABS),
    st.tuples(st.just("close"), WORKERS, USERS, TABS),
    st.tuples(st.just("look"), WORKERS, USERS, TABS, st.booleans()),
    st.tuples(st.just("die"), WORKERS),
    st.tuples(st.just("reopen"), WORKERS),
    st.tuples(st.just("outage"), PAUSES, st.booleans()),
    st.tuples(st.just("partition"), WORKERS, PAUSES),
    st.tuples(st.just("flap"), WORKERS, USERS, TABS),
    st.tuples(st.just("wait"), PAUSES),
)
LONG_ENOUGH = 45
"""Seconds after which nothing that happened before may still be seen."""


class Story:
    """Three places for workers, what happens to them, and what is true."""

    def __init__(self, nursery):
        self.nursery = nursery
        self.redis = FakeRedis()
        self.workers = []
        self.tabs = {}  # (place, user, tab) -> visible
        self.born_count = 0

    async def start(self):
        self.born_count += 1
        name = f"wrk_{self.born_count}"
        worker = await start_worker(self.nursery, self.redis, name, seed=self.born_count)
        for user in NAMES:
            await worker.tracker.open(own_topic(user))
        return worker

    async def step(self, verb, *words):
        await getattr(self, verb)(*words)

    async def enter(self, place, user, tab, visible):
        self.workers[place].enter(user, tab, visible=visible)
        self.workers[place].enter(user, tab, visible=visible, topic=own_topic(user))
        self.tabs[place, user, tab] = visible

    async def leave(self, place, user, tab):
        self.workers[place].leave(user, tab)
        self.workers[place].leave(user, tab, topic=own_topic(user))
        self.tabs.pop((place, user, tab), None)

    async def close(self, place, user, tab):
        self.workers[place].leave(user, tab, closing=True)
        self.workers[place].leave(user, tab, closing=True, topic=own_topic(user))
        self.tabs.pop((place, user, tab), None)

    async def look(self, place, user, tab, visible):
        self.workers[place].look(user, tab, visible=visible)
        if (place, user, tab) in self.tabs:
            self.tabs[place, user, tab] = visible

    async def die(self, place):
        self.workers[place].kill()
        self.workers[place] = await self.start()
        self.tabs = {where: seen for where, seen in self.tabs.items() if where[0] != place}

    async def reopen(self, place):
        await self.workers[place].tracker.close(ROOM)
        await self.workers[place].tracker.open(ROOM)

    async def outage(self, seconds, lose_everything):
        self.redis.fail()
        await trio.sleep(seconds)
        self.redis.recover(lose_everything=lose_everything)

    async def partition(self, place, seconds):
        """Cut one worker off while the others go on, and heal it some time later."""
        self.workers[place].cut()
        self.nursery.start_soon(self.heal_after, self.workers[place], seconds)

    async def heal_after(self, worker, seconds):
        await trio.sleep(seconds)
        worker.heal()

    async def flap(self, place, user, tab):
        """Close and come back just when the grace is over, again and again."""
        for late in (-0.01, 0, 0.01, 0.3):
            await self.close(place, user, tab)
            await trio.sleep(15 + late)
            await self.step("enter", place, user, tab, late < 1)

    async def wait(self, seconds):
        await trio.sleep(seconds)

    def truth(self):
        present = {}
        for (_, user, _), visible in self.tabs.items():
            present[user] = "online" if visible or present.get(user) == "online" else "away"
        return present


class TestPresence:
    @settings(max_examples=25, deadline=None)
    @given(steps=st.lists(STEPS, max_size=20))
    def test_converges_to_the_truth(self, steps):
        run_in_virtual_time(lambda: tell(steps))


class TestPresenceAfterEverybodyHasGone:
    @settings(max_examples=10, deadline=None)
    @given(steps=st.lists(STEPS, max_size=15))
    def test_is_kept_nowhere(self, steps):
        run_in_virtual_time(lambda: tell_and_leave(steps))


async def tell_and_leave(steps):
    async with trio.open_nursery() as nursery:
        story = Story(nursery)
        story.workers = [await story.start() for _ in range(3)]
        for step in steps:
            await story.step(*step)
        for place, user, tab in list(story.tabs):
            await story.close(place, user, tab)
        for worker in story.workers:
            worker.heal()
            for topic in (ROOM, *map(own_topic, NAMES)):
                await worker.tracker.close(topic)
        await trio.sleep(LONG_ENOUGH)

        for worker in story.workers:
            left = worker.tracker.statistics()
            assert (left.people_count, left.rooms_count, left.kept_count) == (0, 0, 0)
        nursery.cancel_scope.cancel()


async def tell(steps):
    async with trio.open_nursery() as nursery:
        story = Story(nursery)
        story.workers = [await story.start() for _ in range(3)]

        for step in steps:
            await story.step(*step)
        for worker in story.workers:
            worker.heal()
        await trio.sleep(LONG_ENOUGH)

        for worker in story.workers:
            assert worker.present() == story.truth()
            of_room = [view for topic, view in worker.told if topic == ROOM]
            told = of_room[-1].users if of_room else []
            assert {user.name: user.state for user in told} == story.truth()
            for name in NAMES:
                state = story.truth().get(name)
                assert worker.present(own_topic(name)) == ({name: state} if state else {})
        nursery.cancel_scope.cancel()
