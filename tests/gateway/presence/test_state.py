"""The union of what workers say."""

from gateway.presence.messages import PresentUsers
from gateway.presence.state import LIST_SECONDS_MAX, OtherWorkers, unite
from protocol.signals import Presence, Present


def user(name, state="online"):
    return Present(id=f"usr_{name}", name=name, state=state)


def said(worker, *users, version=1, count=None):
    return PresentUsers(
        worker=worker,
        version=version,
        users=list(users),
        count=len(users) if count is None else count,
    )


class TestTheUnion:
    def test_of_nothing_is_nobody(self):
        assert unite([]) == Presence(count=0, users=[])

    def test_has_everybody_once(self):
        union = unite([said("a", user("Ada"), user("Bob")), said("b", user("Bob"))])

        assert union == Presence(count=2, users=[user("Ada"), user("Bob")])

    def test_takes_online_over_away_whoever_says_it(self):
        away, online = said("a", user("Ada", "away")), said("b", user("Ada", "online"))

        assert unite([away, online]) == unite([online, away])
        assert unite([away, online]).users == [user("Ada", "online")]

    def test_counts_those_who_are_not_listed(self):
        union = unite([said("a", user("Ada"), count=1000), said("b", user("Bob"))])

        assert union == Presence(count=1001)


class TestWhatOtherWorkersSay:
    def test_is_news_only_if_it_differs(self):
        others = OtherWorkers()

        assert others.hear(said("a", user("Ada")), 0)
        assert not others.hear(said("a", user("Ada"), version=2), 1)
        assert others.hear(said("a", version=3), 2)

    def test_is_not_undone_by_what_they_said_before(self):
        others = OtherWorkers()
        others.hear(said("a", version=2), 0)

        assert not others.hear(said("a", user("Ada"), version=1), 1)
        assert unite(others.lists()).count == 0

    def test_is_kept_for_a_while_when_redis_has_lost_it(self):
        others = OtherWorkers()
        others.hear(said("a", user("Ada")), 0)

        assert not others.load({}, asked_at=1, now=2)

        assert others.silent_since(2 - LIST_SECONDS_MAX) == set()
        assert others.silent_since(19 - LIST_SECONDS_MAX) == {"a"}

    def test_is_not_doubted_if_it_came_after_we_asked(self):
        others = OtherWorkers()
        others.hear(said("a", user("Ada")), 50)

        others.load({}, asked_at=49, now=51)

        assert others.silent_since(50) == set()

    def test_ends_when_they_are_forgotten(self):
        others = OtherWorkers()
        others.hear(said("a", user("Ada")), 0)

        assert others.forget(["a", "b"])
        assert not others.forget(["a"])
