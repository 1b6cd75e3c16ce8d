import pytest

from loadtest.model import ReferenceModel
from loadtest.verdict import judge
from loadtest.violations import Kind
from protocol.topics import Position
from tests.loadtest.builders import ROOM, TOPIC, a_message, a_sighting, message_id

HERE, THERE = 1, 2
KEY = "key-00000001"


@pytest.fixture
def model():
    """Two listeners stand at the beginning of a room."""
    model = ReferenceModel()
    model.starts(HERE, TOPIC, Position("e1", 0))
    model.starts(THERE, TOPIC, Position("e1", 0))
    return model


def see_all(model, listener, offsets):
    for offset in offsets:
        model.sees(listener, a_sighting(offset))


def violations(model, heads=None):
    return model.finish(model.heads() if heads is None else heads).violations.counts


def verdict_on(*models, stored):
    heads = {TOPIC: Position("e1", 3)}
    return judge([model.finish(heads) for model in models], {TOPIC: stored})


class TestAHealthyRoom:
    def test_breaks_no_promise(self, model):
        see_all(model, HERE, [1, 2, 3])
        see_all(model, THERE, [1, 2, 3])

        assert violations(model) == {}

    def test_may_be_entered_by_latecomers(self, model):
        see_all(model, HERE, [1, 2])
        see_all(model, THERE, [1, 2])
        model.starts(3, TOPIC, Position("e1", 2))
        for listener in (HERE, THERE, 3):
            see_all(model, listener, [3])

        assert violations(model) == {}


class TestABrokenRoom:
    def test_is_caught_losing_an_event_in_the_middle(self, model):
        see_all(model, HERE, [1, 3])

        assert violations(model, heads={}) == {Kind.LOST: 1}

    def test_is_caught_losing_the_last_event_for_one_listener(self, model):
        see_all(model, HERE, [1, 2, 3])
        see_all(model, THERE, [1, 2])

        assert violations(model) == {Kind.LOST: 1}

    def test_is_caught_telling_an_event_twice(self, model):
        see_all(model, HERE, [1, 2, 2])

        assert violations(model, heads={}) == {Kind.DOUBLED: 1}

    def test_is_caught_swapping_two_events(self, model):
        see_all(model, HERE, [1, 3, 2])

        assert violations(model, heads={}) == {Kind.LOST: 1, Kind.REORDERED: 1}

    def test_is_caught_telling_two_listeners_different_things(self, model):
        model.sees(HERE, a_sighting(1, event="evt_one"))
        model.sees(THERE, a_sighting(1, event="evt_other"))

        assert violations(model, heads={}) == {Kind.CONFLICTING: 1}

    def test_is_caught_storing_a_message_under_two_numbers(self, model):
        model.sees(HERE, a_sighting(1, seq=1))
        model.sees(HERE, a_sighting(2, seq=1, identity=message_id(9)))

        assert violations(model, heads={}) == {Kind.MISNUMBERED: 1, Kind.CONFLICTING: 1}

    def test_is_caught_skipping_a_message_number(self, model):
        model.sees(HERE, a_sighting(1, seq=1))
        model.sees(HERE, a_sighting(2, seq=3))

        assert violations(model, heads={}) == {Kind.MISNUMBERED: 1}

    def test_is_caught_talking_to_somebody_who_did_not_ask(self, model):
        model.stops(HERE, TOPIC)
        see_all(model, HERE, [1])

        assert violations(model, heads={}) == {Kind.UNASKED: 1}

    def test_is_caught_when_it_admits_a_gap(self, model):
        model.meets_gap(HERE, TOPIC, Position("e2", 40), "epoch")
        see_all(model, HERE, [41])

        assert violations(model, heads={}) == {Kind.GAP: 1}


class TestCommands:
    def test_without_an_outcome_are_caught(self, model):
        model.gives(KEY)

        assert violations(model) == {Kind.UNANSWERED: 1}

    def test_that_are_refused_are_caught(self, model):
        model.gives(KEY)
        model.rejects(KEY, "internal")

        assert violations(model) == {Kind.REJECTED: 1}

    def test_are_outstanding_until_their_outcome(self, model):
        model.gives(KEY)
        outstanding_before = model.commands_outstanding
        model.commits(KEY)

        assert (outstanding_before, model.commands_outstanding) == (1, 0)


class TestTheVerdict:
    def commit(self, model, seq):
        model.gives(f"key-{seq}")
        model.commits_message(f"key-{seq}", ROOM, message_id(seq), seq)

    def test_is_perfect_when_all_that_was_committed_was_seen_and_stored(self, model):
        for listener in (HERE, THERE):
            see_all(model, listener, [1, 2, 3])
        self.commit(model, 2)

        verdict = verdict_on(model, stored={2: a_message(2)})

        assert verdict.perfect
        assert verdict.messages_stored_checked == 1

    def test_tells_of_a_committed_message_that_is_not_stored(self, model):
        for listener in (HERE, THERE):
            see_all(model, listener, [1, 2, 3])
        self.commit(model, 2)

        verdict = verdict_on(model, stored={})

        assert verdict.violations.counts == {Kind.NOT_STORED: 1}

    def test_tells_of_a_message_that_is_stored_as_another_one(self, model):
        for listener in (HERE, THERE):
            see_all(model, listener, [1, 2, 3])
        self.commit(model, 2)

        verdict = verdict_on(model, stored={2: a_message(2, identity=message_id(7))})

        assert verdict.violations.counts == {Kind.NOT_STORED: 1}

    def test_tells_of_a_committed_message_that_nobody_saw(self, model):
        for listener in (HERE, THERE):
            see_all(model, listener, [1, 2, 3])
        self.commit(model, 4)

        verdict = verdict_on(model, stored={4: a_message(4)})

        assert model.committed_unseen == 1
        assert verdict.violations.counts == {Kind.UNSEEN: 1}

    def test_compares_what_different_processes_saw(self, model):
        other = ReferenceModel()
        other.starts(HERE, TOPIC, Position("e1", 2))
        other.sees(HERE, a_sighting(3, event="evt_other"))
        for listener in (HERE, THERE):
            see_all(model, listener, [1, 2, 3])

        verdict = verdict_on(model, other, stored={})

        assert verdict.violations.counts == {Kind.CONFLICTING: 1}

    def test_notices_when_processes_are_in_different_epochs(self, model):
        other = ReferenceModel()
        other.starts(HERE, TOPIC, Position("e2", 3))
        for listener in (HERE, THERE):
            see_all(model, listener, [1, 2, 3])

        verdict = verdict_on(model, other, stored={})

        assert verdict.violations.counts == {Kind.CONFLICTING: 1}

    def test_keeps_only_the_first_hundred_violations_but_counts_all(self, model):
        see_all(model, HERE, [1] * 501)

        verdict = verdict_on(model, stored={})

        assert verdict.violations.counts[Kind.DOUBLED] == 500
        assert len(verdict.violations.told) == 100
