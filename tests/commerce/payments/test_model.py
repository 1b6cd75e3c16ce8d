"""What an attempt makes of what Stripe says of it."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import given, strategies as st

from commerce.payments.model import (
    FINAL,
    TRANSITIONS,
    Attempt,
    Refused,
    Snapshot,
    Unheard,
    WrongMoneyError,
    take_in,
)
from protocol.money import Money
from protocol.views import PaymentState

AT = datetime(2026, 11, 25, tzinfo=UTC)
STATES = get_args(PaymentState)
SEEN_STATES = [
    "requires_method",
    "requires_action",
    "processing",
    "succeeded",
    "canceled",
]


def an_attempt(**facts):
    return Attempt(
        **{
            "id": "pay_1",
            "order_id": "ord_1",
            "buyer_id": "usr_1",
            "version": 1,
            "state": "submitting",
            "amount_minor": 1900,
            "currency": "EUR",
            "captured_minor": 0,
            "off_session": False,
            "saves_method": False,
            "method_id": None,
            "submissions": 1,
            "submitted_at": AT,
            "intent_id": None,
            "client_secret": None,
            "charge_id": None,
            "failure": None,
            "observed_at": None,
            "created_by_run": "run",
            "created_at": AT,
            **facts,
        }
    )


def seen(state, *, after_seconds=1, **facts):
    return Snapshot(
        **{
            "intent_id": "pi_1",
            "payment": "pay_1",
            "state": state,
            "amount": Money(amount_minor=1900, currency="EUR"),
            "captured_minor": 1900 if state == "succeeded" else 0,
            "asked_at": AT + timedelta(seconds=after_seconds),
            **facts,
        }
    )


class TestTheTable:
    def test_knows_every_state(self):
        assert set(TRANSITIONS) == set(STATES)

    def test_leads_nowhere_from_a_final_state(self):
        assert all(TRANSITIONS[state] == frozenset() for state in FINAL)


class TestWhatStripeSays:
    def test_moves_the_attempt(self):
        paid = an_attempt().folded(seen("succeeded", charge_id="ch_1"))

        assert (paid.state, paid.captured_minor, paid.charge_id) == ("succeeded", 1900, "ch_1")
        assert (paid.version, paid.intent_id) == (2, "pi_1")

    def test_said_twice_changes_nothing(self):
        once = an_attempt().folded(seen("requires_action"))

        assert once.folded(seen("requires_action")) == once

    def test_of_before_does_not_count(self):
        now = an_attempt().folded(seen("requires_action", after_seconds=5))

        assert now.folded(seen("requires_method", after_seconds=4)) == now

    def test_that_is_final_counts_however_late_it_comes(self):
        now = an_attempt().folded(seen("processing", after_seconds=5))

        assert now.folded(seen("succeeded", after_seconds=4)).state == "succeeded"

    @pytest.mark.parametrize("late", SEEN_STATES)
    def test_never_takes_a_payment_back(self, late):
        paid = an_attempt().folded(seen("succeeded"))

        assert paid.folded(seen(late, after_seconds=9)) == paid

    def test_of_a_payment_that_is_over_changes_nothing_of_it(self):
        paid = an_attempt().folded(seen("succeeded", charge_id="ch_1"))

        assert paid.folded(seen("succeeded", after_seconds=9, charge_id="ch_2")) == paid

    @pytest.mark.parametrize(
        "facts",
        [
            {"amount": Money(amount_minor=1, currency="EUR")},
            {"amount": Money(amount_minor=1900, currency="USD")},
            {"payment": "pay_2"},
            {"captured_minor": 1},
        ],
    )
    def test_of_other_money_is_an_alarm_and_not_recorded(self, facts):
        with pytest.raises(WrongMoneyError):
            an_attempt().folded(seen("succeeded", **facts))

    def test_of_another_intent_is_an_alarm(self):
        known = an_attempt().folded(seen("requires_method"))

        with pytest.raises(WrongMoneyError):
            known.folded(seen("succeeded", intent_id="pi_2"))

    def test_that_nobody_heard_leaves_it_unknown(self):
        assert take_in(an_attempt(), Unheard()).state == "unknown"
        waiting = an_attempt().folded(seen("requires_action"))
        assert take_in(waiting, Unheard()) == waiting

    def test_that_no_intent_was_made_ends_the_attempt(self):
        failed = take_in(an_attempt(), Refused("amount_too_small"))

        assert (failed.state, failed.failure) == ("failed", "amount_too_small")

    @given(
        st.lists(
            st.tuples(st.sampled_from(SEEN_STATES), st.integers(0, 20)) | st.just("unheard"),
            max_size=30,
        )
    )
    def test_in_any_order_and_number_only_goes_along_the_table(self, told):
        attempt = an_attempt()
        for each in told:
            after = take_in(
                attempt,
                Unheard() if each == "unheard" else seen(each[0], after_seconds=each[1]),
            )
            assert after.state == attempt.state or after.state in TRANSITIONS[attempt.state]
            assert after.version == attempt.version + (after != attempt)
            attempt = after
        if any(each != "unheard" and each[0] == "succeeded" for each in told):
            assert attempt.state in {"succeeded", "canceled"}

    @given(st.permutations([("processing", 3), ("requires_action", 2), ("succeeded", 4)] * 2))
    def test_shuffled_and_doubled_comes_to_the_same_end(self, told):
        attempt = an_attempt()
        for state, second in told:
            attempt = attempt.folded(seen(state, after_seconds=second))

        assert attempt.state == "succeeded"


class TestTryingAgain:
    def test_is_a_call_with_a_key_of_its_own(self):
        declined = an_attempt().folded(seen("requires_method", failure="card_declined"))

        again = declined.submitted_again("pm_2", AT)

        assert (again.state, again.failure, again.method_id) == ("submitting", None, "pm_2")
        assert (declined.key, again.key) == ("pay_1:1", "pay_1:2")

    def test_the_same_call_is_given_up_before_stripe_forgets_its_key(self):
        attempt = msgspec.structs.replace(an_attempt(), submitted_at=AT)

        assert attempt.may_repeat(AT + timedelta(hours=19))
        assert not attempt.may_repeat(AT + timedelta(hours=20))
