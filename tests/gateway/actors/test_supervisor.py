import pytest
import trio

from gateway.actors.mailbox import Mailbox, MailboxFullError
from gateway.actors.supervisor import RestartBudget, RestartBudgetSpentError, supervise

BUDGET = RestartBudget(restarts_max=3, window_seconds=60, pause_seconds=1)


class CrashingWork:
    """Work that crashes a set number of times before it succeeds."""

    def __init__(self, *, crashes, every_seconds=0.0):
        self.crashes = crashes
        self.every_seconds = every_seconds
        self.attempts = 0

    async def __call__(self):
        self.attempts += 1
        await trio.sleep(self.every_seconds)
        if self.attempts <= self.crashes:
            raise OSError


class TestSupervision:
    async def test_restarts_work_that_crashes(self):
        work = CrashingWork(crashes=2)

        await supervise(work, name="work", budget=BUDGET)

        assert work.attempts == 3

    async def test_gives_up_on_a_crash_loop(self):
        work = CrashingWork(crashes=100)

        with pytest.raises(RestartBudgetSpentError):
            await supervise(work, name="work", budget=BUDGET)

        assert work.attempts == BUDGET.restarts_max + 1

    async def test_forgives_crashes_that_are_far_apart(self):
        work = CrashingWork(crashes=100, every_seconds=BUDGET.window_seconds)

        await supervise(work, name="work", budget=BUDGET)

        assert work.attempts == 101

    async def test_lets_cancellation_through(self):
        with trio.move_on_after(1) as scope:
            await supervise(trio.sleep_forever, name="work", budget=BUDGET)

        assert scope.cancelled_caught


class TestAMailbox:
    @pytest.fixture
    def mailbox(self):
        return Mailbox(capacity_messages=2, urgent_capacity_messages=3)

    def test_gives_messages_in_the_order_they_were_left(self, mailbox):
        mailbox.put("first")
        mailbox.put("second")

        assert [mailbox.take(), mailbox.take()] == ["first", "second"]

    def test_tells_the_sender_at_once_when_it_is_full(self, mailbox):
        mailbox.put("first")
        mailbox.put("second")

        with pytest.raises(MailboxFullError):
            mailbox.put("third")

    def test_keeps_room_for_what_is_urgent_but_not_without_end(self, mailbox):
        mailbox.put("first")
        mailbox.put("second")
        mailbox.put_urgent("third")

        with pytest.raises(MailboxFullError):
            mailbox.put_urgent("fourth")
