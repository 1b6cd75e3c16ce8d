"""Typing over several workers, in virtual time."""

import trio

from protocol.signals import Typing
from tests.gateway.presence.cluster import ROOM, person
from tests.gateway.virtual_time import IN_VIRTUAL_TIME

pytestmark = IN_VIRTUAL_TIME
SOON = 1.6


def write(worker, name, *, on=True):
    worker.board.set(ROOM, person(name), on=on)


class TestSomebodyWhoWrites:
    async def test_is_shown_everywhere_soon(self, left, right):
        write(left, "Ada")

        assert left.writing() == ["Ada"]
        await trio.sleep(SOON)
        assert right.writing() == ["Ada"]
        shown = Typing(users=[person("Ada")], count=1)
        assert left.told_typing == right.told_typing == [(ROOM, shown)]

    async def test_is_shown_as_long_as_they_say_so(self, left, right):
        for _ in range(20):
            write(left, "Ada")
            await trio.sleep(3)

        assert left.writing() == right.writing() == ["Ada"]
        assert len(left.told_typing) == len(right.told_typing) == 1

    async def test_is_not_shown_ten_seconds_after_the_last_word(self, left, right):
        write(left, "Ada")
        await trio.sleep(9.5)
        assert left.writing() == right.writing() == ["Ada"]

        await trio.sleep(0.5 + SOON)

        assert left.writing() == right.writing() == []
        assert right.told_typing[-1] == (ROOM, Typing(users=[], count=0))

    async def test_is_not_shown_once_they_say_that_they_stopped(self, left, right):
        write(left, "Ada")
        await trio.sleep(SOON)

        write(left, "Ada", on=False)
        await trio.sleep(SOON)

        assert left.writing() == right.writing() == []

    async def test_is_not_shown_once_they_are_stopped_everywhere(self, left, right):
        write(left, "Ada")
        write(left, "Bob")
        await trio.sleep(SOON)

        left.board.stop(person("Ada").id, None)
        await trio.sleep(SOON)

        assert left.writing() == right.writing() == ["Bob"]

    async def test_on_two_workers_is_one(self, left, right):
        write(left, "Ada")
        write(right, "Ada")
        await trio.sleep(SOON)

        assert left.board.current(ROOM).count == 1


class TestSomebodyWhoSendsWhatTheyWrote:
    async def test_is_shown_until_the_message_is_there(self, left, right):
        write(left, "Ada")
        await trio.sleep(SOON)

        left.board.finish(person("Ada").id, ROOM)
        await trio.sleep(0.6)
        shown_before = (len(left.told_typing), len(right.told_typing))
        ends = [worker.board.end_by_message(ROOM, person("Ada").id) for worker in (left, right)]
        await trio.sleep(5)

        assert shown_before == (1, 1)
        assert ends == [Typing(users=[], count=0)] * 2
        assert (len(left.told_typing), len(right.told_typing)) == (1, 1)
        assert left.writing() == right.writing() == []

    async def test_is_not_shown_for_long_if_the_message_does_not_come(self, left, right):
        write(left, "Ada")
        await trio.sleep(SOON)

        left.board.finish(person("Ada").id, ROOM)
        await trio.sleep(1.0 + SOON)

        assert left.told_typing[-1] == right.told_typing[-1] == (ROOM, Typing(users=[], count=0))

    async def test_leaves_the_others_writing(self, left, right):
        write(left, "Ada")
        write(left, "Bob")
        write(right, "Cleo")
        await trio.sleep(SOON)

        left.board.finish(person("Ada").id, ROOM)
        ends = [worker.board.end_by_message(ROOM, person("Ada").id) for worker in (left, right)]

        assert [{user.name for user in end.users} for end in ends] == [{"Bob", "Cleo"}] * 2

    async def test_who_was_not_shown_changes_nothing(self, left):
        write(left, "Bob")
        await trio.sleep(SOON)

        assert left.board.end_by_message(ROOM, person("Ada").id) is None

    async def test_may_write_again_at_once(self, left, right):
        write(left, "Ada")
        await trio.sleep(SOON)
        left.board.finish(person("Ada").id, ROOM)
        for worker in (left, right):
            worker.board.end_by_message(ROOM, person("Ada").id)

        write(left, "Ada")
        await trio.sleep(1.0 + SOON)

        assert left.writing() == right.writing() == ["Ada"]
        assert left.told_typing[-1][1].count == right.told_typing[-1][1].count == 1


class TestManyWhoWrite:
    async def test_are_named_longest_first_and_counted(self, left, right):
        for number in range(7):
            write(left if number % 2 else right, f"user {number}")
            await trio.sleep(0.5)
        await trio.sleep(SOON)

        for worker in (left, right):
            assert worker.writing() == [f"user {number}" for number in range(5)]
            assert worker.board.current(ROOM).count == 7

    async def test_cause_at_most_one_signal_a_second(self, left, right):
        for number in range(60):
            write(left, f"user {number}")
            await trio.sleep(0.1)

        assert len(left.told_typing) <= 8
        assert len(right.told_typing) <= 8


class TestACrowd:
    async def test_shows_nobody_writing(self, left, right):
        for number in range(60):
            left.enter(f"left {number}")
            right.enter(f"right {number}")
        await trio.sleep(2.5)

        write(left, "Ada")
        await trio.sleep(SOON)

        assert left.writing() == right.writing() == []
        assert left.told_typing == right.told_typing == []

    async def test_that_gathers_ends_what_is_shown(self, left, right):
        write(left, "Ada")
        await trio.sleep(SOON)

        for number in range(101):
            right.enter(f"right {number}")
        await trio.sleep(2.5 + SOON)

        assert left.writing() == right.writing() == []
        assert left.told_typing[-1][1].count == 0


class TestAKilledWorker:
    async def test_leaves_nobody_writing(self, left, right):
        write(left, "Ada")
        await trio.sleep(SOON)

        left.kill()
        await trio.sleep(12)

        assert right.writing() == []
        assert right.told_typing[-1][1].count == 0


class TestAnOutageOfRedis:
    async def test_does_not_touch_what_this_worker_shows(self, left, right, redis):
        redis.fail()
        write(left, "Ada")
        await trio.sleep(SOON)
        assert left.told_typing[-1][1].count == 1

        redis.recover()
        write(left, "Ada")
        await trio.sleep(6)

        assert right.writing() == ["Ada"]


class TestABoardNobodyWritesOn:
    async def test_holds_nothing(self, left, right):
        write(left, "Ada")
        await trio.sleep(30)

        assert left.board._rooms == right.board._rooms == {}
        assert left.board._topics.of(person("Ada").id) == []

    async def test_goes_on_when_the_listener_fails(self, left):
        def fail(_topic, _signal):
            raise RuntimeError("a mistake")

        left.board.on_change, listen = fail, left.board.on_change
        write(left, "Ada")
        await trio.sleep(SOON)
        left.board.on_change = listen
        write(left, "Bob")
        await trio.sleep(SOON)

        assert left.told_typing[-1][1].count == 2
