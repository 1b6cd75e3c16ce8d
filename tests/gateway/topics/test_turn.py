from gateway.limits import AUDIT_SECONDS
from gateway.topics.turn import AuditTurn


def taken_in_a_minute(topics, *, since):
    turn_seconds = int(AUDIT_SECONDS)
    turn = AuditTurn()
    return [
        turn.take(topics, now=since + second, passed_seconds=1)
        for second in range(2 * turn_seconds)
    ]


class TestTheTurn:
    def test_comes_to_every_topic_once_and_to_few_of_them_at_a_time(self):
        topics = [f"room:{number}" for number in range(6000)]

        taken = taken_in_a_minute(topics, since=1000)

        assert sorted(topic for batch in taken for topic in batch) == sorted(topics)
        assert max(map(len, taken)) == 100

    def test_comes_to_nobody_before_the_first_minute_is_over(self):
        taken = taken_in_a_minute(["room:1"], since=1000)

        assert [second for second, batch in enumerate(taken) if batch] == [AUDIT_SECONDS]

    def test_comes_to_nobody_where_there_is_none(self):
        assert not any(taken_in_a_minute([], since=0))
