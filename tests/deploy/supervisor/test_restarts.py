"""A process that dies is started again, but not for ever at full speed."""

from deploy.supervisor.restarts import RestartBudget, RestartRule

RULE = RestartRule(
    restarts_max=3,
    window_seconds=10,
    pause_seconds_first=1,
    pause_seconds_max=3,
    pause_seconds_loop=30,
)


class TestARestartBudget:
    def test_doubles_the_pause_up_to_a_limit(self):
        budget = RestartBudget(RULE)

        pauses = [budget.after_death(second) for second in (0, 1, 2)]

        assert [pause.seconds for pause in pauses] == [1, 2, 3]
        assert not any(pause.is_crash_loop for pause in pauses)

    def test_calls_one_death_too_many_a_crash_loop(self):
        budget = RestartBudget(RULE)

        last = [budget.after_death(second) for second in (0, 1, 2, 3)][-1]

        assert last.is_crash_loop
        assert last.seconds == 30

    def test_forgives_deaths_that_are_far_apart(self):
        budget = RestartBudget(RULE)

        pauses = [budget.after_death(second) for second in (0, 11, 22, 33, 44)]

        assert {pause.seconds for pause in pauses} == {1}

    def test_forgives_when_asked(self):
        budget = RestartBudget(RULE)
        for second in (0, 1, 2, 3):
            budget.after_death(second)

        budget.forgive()

        assert budget.after_death(4).seconds == 1

    def test_does_not_try_the_hopeless_again_soon(self):
        assert RestartBudget(RULE).after_death(0, is_hopeless=True).is_crash_loop
