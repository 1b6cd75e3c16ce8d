"""Presence over several workers, in virtual time."""

import pytest
import trio

from protocol.signals import Presence
from protocol.stream_names import topic_presence
from protocol.topics import Topic
from tests.gateway.presence.cluster import ROOM, start_worker
from tests.gateway.virtual_time import IN_VIRTUAL_TIME

pytestmark = IN_VIRTUAL_TIME
SOON = 2.5
"""Seconds within which a change must have reached every worker."""


class TestAUserWhoEnters:
    async def test_is_here_at_once_and_soon_everywhere(self, left, right):
        left.enter("Ada")

        assert left.present() == {"Ada": "online"}
        await trio.sleep(SOON)
        assert right.present() == {"Ada": "online"}
        assert left.told[-1][1] == right.told[-1][1]

    async def test_is_known_to_a_worker_that_comes_later(self, left, nursery, redis):
        left.enter("Ada")
        await trio.sleep(SOON)

        late = await start_worker(nursery, redis, "wrk_late")

        assert late.present() == {"Ada": "online"}

    async def test_with_a_hidden_page_is_away(self, left, right):
        left.enter("Ada", visible=False)
        await trio.sleep(SOON)
        assert right.present() == {"Ada": "away"}

        left.look("Ada", visible=True)
        await trio.sleep(SOON)
        assert right.present() == {"Ada": "online"}


class TestAUserWithTwoTabs:
    async def test_stays_when_one_is_closed(self, left, right):
        left.enter("Ada", "one")
        left.enter("Ada", "two")
        await trio.sleep(SOON)

        left.leave("Ada", "one")
        await trio.sleep(20)

        assert left.present() == right.present() == {"Ada": "online"}

    async def test_is_away_only_when_both_are_hidden(self, left, right):
        left.enter("Ada", "one")
        left.enter("Ada", "two")

        left.look("Ada", "one", visible=False)
        await trio.sleep(SOON)
        assert right.present() == {"Ada": "online"}

        left.look("Ada", "two", visible=False)
        await trio.sleep(SOON)
        assert right.present() == {"Ada": "away"}

    async def test_on_two_workers_stays_when_one_is_closed(self, left, right):
        left.enter("Ada", "one", visible=False)
        right.enter("Ada", "two", visible=True)
        await trio.sleep(SOON)
        assert left.present() == right.present() == {"Ada": "online"}

        right.leave("Ada", "two", closing=True)
        await trio.sleep(15 + SOON)

        assert left.present() == right.present() == {"Ada": "away"}


class TestAUserWhoUnsubscribes:
    async def test_is_gone_at_once(self, left, right):
        left.enter("Ada")
        await trio.sleep(SOON)

        left.leave("Ada")

        assert left.present() == {}
        await trio.sleep(SOON)
        assert right.present() == {}

    async def test_though_a_closed_tab_is_still_in_its_grace(self, left):
        left.enter("Ada", "one")
        left.enter("Ada", "two")
        left.leave("Ada", "one", closing=True)

        left.leave("Ada", "two")

        assert left.present() == {}


class TestAUserWhoseSocketCloses:
    async def test_is_here_for_fifteen_seconds_more(self, left, right):
        left.enter("Ada")
        await trio.sleep(SOON)

        left.leave("Ada", closing=True)

        await trio.sleep(14)
        assert left.present() == right.present() == {"Ada": "online"}
        await trio.sleep(1 + SOON)
        assert left.present() == right.present() == {}

    async def test_was_never_gone_if_they_come_back_in_time(self, left, right):
        left.enter("Ada", "before")
        await trio.sleep(SOON)
        left.told.clear()
        right.told.clear()

        left.leave("Ada", "before", closing=True)
        await trio.sleep(10)
        right.enter("Ada", "after")
        await trio.sleep(30)

        assert left.present() == right.present() == {"Ada": "online"}
        assert left.told == right.told == []

    async def test_keeps_the_grace_when_nobody_hears_the_room_any_more(self, left, right):
        left.enter("Ada")
        await trio.sleep(SOON)

        left.leave("Ada", closing=True)
        await left.tracker.close(ROOM)

        await trio.sleep(12)
        assert right.present() == {"Ada": "online"}
        await trio.sleep(3 + SOON)
        assert right.present() == {}


class TestAUserWhoFlapsAtTheEndOfTheGrace:
    @pytest.mark.parametrize("late", [-0.26, -0.01, 0, 0.01, 0.24, 0.25, 0.26])
    async def test_is_here_in_the_end_whatever_was_told_between(self, left, right, late):
        left.enter("Ada")
        for _ in range(4):
            left.leave("Ada", closing=True)
            await trio.sleep(15 + late)
            left.enter("Ada")
        await trio.sleep(15 + SOON)

        assert left.present() == right.present() == {"Ada": "online"}
        assert left.told[-1] == right.told[-1]

        left.leave("Ada", closing=True)
        await trio.sleep(15 + SOON)

        assert left.present() == right.present() == {}
        assert left.told[-1][1].count == right.told[-1][1].count == 0

    async def test_on_another_tab_keeps_what_the_other_is(self, left, right):
        left.enter("Ada", "one", visible=False)
        for _ in range(3):
            left.enter("Ada", "two")
            left.leave("Ada", "two", closing=True)
            await trio.sleep(15 + SOON)

            assert left.present() == right.present() == {"Ada": "away"}


class TestAWorkerThatIsCutOff:
    async def test_loses_its_users_for_the_others_only(self, left, right):
        left.enter("Ada")
        right.enter("Bob")
        await trio.sleep(15)

        left.cut()
        await trio.sleep(30)
        assert right.present() == {"Bob": "online"}
        assert left.present() == {"Ada": "online", "Bob": "online"}
        right.leave("Bob")
        left.heal()
        await trio.sleep(6)

        assert left.present() == right.present() == {"Ada": "online"}


class TestACrowd:
    async def test_is_only_counted_and_at_most_once_in_five_seconds(self, left, right):
        for number in range(201):
            left.enter(f"user {number}")
        await trio.sleep(SOON)
        left.told.clear()
        right.told.clear()

        for number in range(201, 401):
            left.enter(f"user {number}")
            await trio.sleep(0.1)
        await trio.sleep(10)

        assert left.told[-1][1] == right.told[-1][1] == Presence(count=401)
        for worker in (left, right):
            assert all(view.users is None for _, view in worker.told)
            assert len(worker.told) <= 7

    async def test_that_is_gone_is_told_at_once(self, left):
        for number in range(201):
            left.enter(f"user {number}")
        await trio.sleep(SOON)
        assert left.told[-1][1] == Presence(count=201)

        for number in range(201):
            left.leave(f"user {number}")
        await trio.sleep(0.5)

        assert left.told[-1][1] == Presence(count=0, users=[])

    async def test_that_shrinks_is_named_again(self, left, right):
        for number in range(201):
            left.enter(f"user {number}")
        await trio.sleep(SOON)

        left.leave("user 0")
        await trio.sleep(5 + SOON)

        for worker in (left, right):
            assert worker.told[-1][1].count == len(worker.told[-1][1].users) == 200


class TestAKilledWorker:
    async def test_takes_its_users_with_it(self, left, right, redis):
        left.enter("Ada")
        right.enter("Bob")
        await trio.sleep(15)
        assert right.present() == {"Ada": "online", "Bob": "online"}

        left.kill()

        await trio.sleep(6)
        assert right.present() == {"Ada": "online", "Bob": "online"}
        await trio.sleep(10)
        assert right.present() == {"Bob": "online"}
        assert list(redis.hash(topic_presence(ROOM))) == [b"wrk_right"]

    async def test_leaves_those_who_are_on_another_worker_too(self, left, right):
        left.enter("Ada", "one")
        right.enter("Ada", "two", visible=False)
        await trio.sleep(15)

        left.kill()
        await trio.sleep(16)

        assert right.present() == {"Ada": "away"}

    async def test_and_its_successor_agree_soon(self, left, right, nursery, redis):
        left.enter("Ada")
        left.enter("Eve")
        await trio.sleep(15)

        left.kill()
        successor = await start_worker(nursery, redis, "wrk_successor")
        successor.enter("Ada", "again")
        await trio.sleep(20)

        assert right.present() == successor.present() == {"Ada": "online"}

    async def test_that_was_only_frozen_is_heard_again(self, left, right, redis):
        left.enter("Ada")
        await trio.sleep(15)

        left.link.is_dead = True
        await trio.sleep(30)
        assert right.present() == {}
        left.link.is_dead = False
        await trio.sleep(3 + SOON)

        assert right.present() == left.present() == {"Ada": "online"}


class TestAnOutageOfRedis:
    @pytest.mark.parametrize("lose_everything", [False, True])
    @pytest.mark.parametrize("seconds", [1, 5, 40])
    async def test_changes_nothing_for_those_who_stay(
        self, left, right, redis, seconds, lose_everything
    ):
        left.enter("Ada")
        right.enter("Bob")
        await trio.sleep(20)
        left.told.clear()

        redis.fail()
        await trio.sleep(seconds)
        redis.recover(lose_everything=lose_everything)
        await trio.sleep(30)

        assert left.present() == right.present() == {"Ada": "online", "Bob": "online"}
        assert left.told == []

    @pytest.mark.parametrize("lose_everything", [False, True])
    async def test_is_not_held_against_a_worker_whose_heartbeat_comes_a_little_later(
        self, left, nursery, redis, lose_everything
    ):
        left.enter("Ada")
        await trio.sleep(1.5)
        later = await start_worker(nursery, redis, "wrk_later")
        later.enter("Bob")
        await trio.sleep(20)
        left.told.clear()
        later.told.clear()

        redis.fail()
        await trio.sleep(20)
        redis.recover(lose_everything=lose_everything)
        await trio.sleep(30)

        assert left.present() == later.present() == {"Ada": "online", "Bob": "online"}
        assert left.told == later.told == []

    async def test_delays_what_happens_during_it(self, left, right, redis):
        left.enter("Ada")
        await trio.sleep(SOON)

        redis.fail()
        left.enter("Bob")
        left.leave("Ada")
        await trio.sleep(5)
        assert left.present() == {"Bob": "online"}
        assert right.present() == {"Ada": "online"}
        redis.recover()
        await trio.sleep(4)

        assert left.present() == right.present() == {"Bob": "online"}

    async def test_does_not_keep_a_room_from_being_opened(self, left, redis, nursery):
        left.enter("Ada")
        await trio.sleep(SOON)
        redis.fail()

        late = await start_worker(nursery, redis, "wrk_late")
        late.enter("Bob")
        assert late.present() == {"Bob": "online"}
        redis.recover()
        await trio.sleep(4)

        assert left.present() == late.present() == {"Ada": "online", "Bob": "online"}

    async def test_never_delays_what_this_worker_tells_its_own(self, left, redis):
        redis.fail()

        left.enter("Ada")
        await trio.sleep(0.5)

        assert left.told[-1][1].count == 1


class TestWhatIsTold:
    async def test_comes_at_most_once_in_a_second_and_a_half(self, left, right, redis):
        published_before = redis.published_count
        for number in range(150):
            left.enter(f"user {number}")
            await trio.sleep(0.1)
        await trio.sleep(SOON)

        assert len(left.told) <= 15 / 1.5 + 2
        assert len(right.told) <= 15 / 1.5 + 2
        assert redis.published_count - published_before <= 15 / 1.5 + 2 + 1
        assert right.told[-1][1].count == 150

    async def test_names_two_hundred_and_only_counts_more(self, left, right):
        for number in range(200):
            left.enter(f"user {number:03}")
        await trio.sleep(SOON)
        assert len(right.told[-1][1].users) == 200

        right.enter("one more")
        await trio.sleep(SOON)

        assert left.told[-1][1] == right.told[-1][1] == Presence(count=201)

    async def test_counts_a_crowd_beyond_what_one_worker_lists(self, left, right):
        for number in range(1500):
            left.enter(f"user {number:04}")
        await trio.sleep(SOON)

        assert left.tracker.current(ROOM) == right.tracker.current(ROOM) == Presence(count=1500)

    async def test_is_sorted_by_name(self, left):
        for name in ("bob", "Ada", "Émile", "Zoë", "Carl"):
            left.enter(name)

        names = [user.name for user in left.tracker.current(ROOM).users]

        assert names == ["Ada", "bob", "Carl", "Zoë", "Émile"]

    async def test_concerns_open_rooms_only(self, left):
        other = Topic("room:rom_other")

        left.enter("Ada", topic=other)
        await trio.sleep(SOON)

        assert left.told == []

    async def test_does_not_stop_when_the_listener_fails(self, left):
        def fail(_topic, _signal):
            raise RuntimeError("a mistake")

        left.tracker.on_change, listen = fail, left.tracker.on_change
        left.enter("Ada")
        await trio.sleep(SOON)
        left.tracker.on_change = listen
        left.enter("Bob")
        await trio.sleep(SOON)

        assert left.told[-1][1].count == 2


class TestARoomNobodyIsIn:
    async def test_is_forgotten(self, left, redis):
        left.enter("Ada")
        await trio.sleep(SOON)

        left.leave("Ada")
        await left.tracker.close(ROOM)
        await trio.sleep(10)

        assert left.tracker._rooms == {}
        assert redis.hash(topic_presence(ROOM)) == {}


class TestARoomThatIsOpenedAndClosedInOneBreath:
    async def test_is_as_the_last_call_says(self, left, right):
        left.enter("Ada")
        await trio.sleep(SOON)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(right.tracker.close, ROOM)
            nursery.start_soon(right.tracker.open, ROOM)
        await right.tracker.close(ROOM)
        await right.tracker.open(ROOM)
        await trio.sleep(1)

        assert right.tracker.is_open(ROOM)
        assert right.present() == {"Ada": "online"}


class TestWhatIsNotUnderstood:
    async def test_is_passed_over(self, left, redis):
        redis.publish(f"topic:{{{ROOM}}}:signal", b"\xc1 nonsense")
        redis.hash(topic_presence(ROOM))[b"wrk_newer"] = b"\xc1 nonsense"
        left.enter("Ada")

        await left.tracker.open(ROOM)

        assert left.present() == {"Ada": "online"}
