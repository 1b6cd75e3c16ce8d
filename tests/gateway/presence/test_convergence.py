"""Whatever happens in whatever order, in the end every worker knows who is here."""

import trio
from hypothesis import given, settings, strategies as st

from tests.fakes.redis import FakeRedis
from tests.gateway.presence.cluster import ROOM, start_worker
from tests.gateway.virtual_time import run_in_virtual_time

WORKERS = st.integers(0, 2)
USERS = st.sampled_from(["Ada", "Bob", "Eve"])
TABS = st.sampled_from(["one", "two"])
PAUSES = st.sampled_from([0, 0.1, 1, 4, 12])
STEPS = st.one_of(
    st.tuples(st.just("enter"), WORKERS, USERS, TABS, st.booleans()),
    st.tuples(st.just("leave"), WORKERS, USERS, TABS),
    st.tuples(st.just("close"), WORKERS, USERS, TABS),
    st.tuples(st.just("look"), WORKERS, USERS, TABS, st.booleans()),
    st.tuples(st.just("die"), WORKERS),
    st.tuples(st.just("reopen"), WORKERS),
    st.tuples(st.just("outage"), PAUSES, st.booleans()),
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
        return await start_worker(self.nursery, self.redis, name, seed=self.born_count)

    async def step(self, verb, *words):
        await getattr(self, verb)(*words)

    async def enter(self, place, user, tab, visible):
        self.workers[place].enter(user, tab, visible=visible)
        self.tabs[place, user, tab] = visible

    async def leave(self, place, user, tab):
        self.workers[place].leave(user, tab)
        self.tabs.pop((place, user, tab), None)

    async def close(self, place, user, tab):
        self.workers[place].leave(user, tab, closing=True)
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


async def tell(steps):
    async with trio.open_nursery() as nursery:
        story = Story(nursery)
        story.workers = [await story.start() for _ in range(3)]

        for step in steps:
            await story.step(*step)
        await trio.sleep(LONG_ENOUGH)

        for worker in story.workers:
            assert worker.present() == story.truth()
            told = worker.told[-1][1].users if worker.told else []
            assert {user.name: user.state for user in told} == story.truth()
        nursery.cancel_scope.cancel()
