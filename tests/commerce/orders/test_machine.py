from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from commerce.orders.errors import (
    IllegalTransitionError,
    NotForThisStateError,
    RefundsDoNotFitError,
)
from commerce.orders.model import (
    STATES,
    STAYS,
    TRANSITIONS,
    FactName,
    PaymentTold,
    fact_of,
    machine,
)
from tests.commerce.orders.builders import NOW, a_line, an_order

REFUSALS = (IllegalTransitionError, NotForThisStateError, RefundsDoNotFitError)
DECLINED = PaymentTold(
    payment="pay_1",
    version=1,
    state="failed",
    amount_minor=5000,
    currency="EUR",
    failure="card_declined",
)
SHARES = st.integers(-1, 5001)

ACTS = st.one_of(
    st.builds(lambda: lambda order: machine.place(order, NOW)),
    st.builds(lambda: lambda order: machine.pay(order, NOW)),
    st.builds(lambda: lambda order: machine.pay_late(order, NOW)),
    st.builds(lambda: lambda order: machine.process(order, NOW)),
    st.builds(lambda: lambda order: machine.fail(order, NOW, DECLINED)),
    st.builds(lambda: machine.cancel),
    st.builds(lambda: machine.expire),
    st.builds(lambda: lambda order: machine.fulfil(order, NOW)),
    st.builds(
        lambda one, two: lambda order: machine.refund(order, {"lin_1": one, "lin_2": two}),
        SHARES,
        SHARES,
    ),
    st.builds(
        lambda state: lambda order: machine.dispute(order, state),
        st.sampled_from(["open", "won", "lost"]),
    ),
    st.builds(
        lambda held: lambda order: machine.hold(order, held=held, reason="odd"), st.booleans()
    ),
    st.builds(
        lambda delivery: lambda order: machine.deliver(order, delivery),
        st.sampled_from(["pending", "delivered", "suspended", "revoked"]),
    ),
)


def two_lines():
    return an_order(lines=[a_line(1, price=3000), a_line(2, price=2000)])


def paid():
    return machine.pay(machine.place(two_lines(), NOW).after, NOW).after


class TestTheTransitionTable:
    def test_says_something_of_every_state(self):
        assert set(TRANSITIONS) == set(STATES)

    def test_leads_only_to_states_there_are(self):
        assert frozenset().union(*TRANSITIONS.values()) <= set(STATES)

    def test_tells_every_fact_there_is_somewhere(self):
        told = {fact for edges in TRANSITIONS.values() for fact in edges.values()} | set(STAYS)

        assert told == set(get_args(FactName))

    def test_says_in_words_what_is_not_possible(self):
        with pytest.raises(IllegalTransitionError, match="is paid cannot become canceled"):
            machine.cancel(paid())


class TestAnyHistory:
    @given(acts=st.lists(ACTS, max_size=30))
    def test_never_leaves_the_table_and_keeps_its_money_straight(self, acts):
        order = two_lines()
        for act in acts:
            before = order
            try:
                step = act(order)
            except REFUSALS:
                continue
            if step is None:
                continue
            order = step.after
            assert step.before is before
            assert order.version == before.version + 1
            if order.state == before.state:
                assert before.state in STAYS[step.fact]
            else:
                assert TRANSITIONS[before.state][order.state] == step.fact
            assert 0 <= order.refunded_minor <= order.captured_minor
            assert order.captured_minor in {0, order.total_minor}
            assert (order.captured_minor > 0) == (order.payment not in {"unpaid", "processing"})
            assert (order.state == "refunded") == (order.payment == "refunded")
            assert (order.state == "partially_refunded") == (order.payment == "partially_refunded")
            assert order.state not in {"awaiting_payment", "processing"} or order.pay_until
            assert fact_of(step, NOW).order.state == order.state


class TestMoneyThatGoesBack:
    def test_makes_the_order_partly_and_then_wholly_refunded(self):
        partly = machine.refund(paid(), {"lin_1": 1000}).after
        wholly = machine.refund(partly, {"lin_1": 3000, "lin_2": 2000}).after

        assert (partly.state, partly.payment) == ("partially_refunded", "partially_refunded")
        assert (wholly.state, wholly.payment) == ("refunded", "refunded")

    @pytest.mark.parametrize("fulfilled", [True, False])
    def test_folds_back_to_where_the_order_was_when_it_never_arrives(self, fulfilled):
        order = machine.fulfil(paid(), NOW).after if fulfilled else paid()
        refunded = machine.refund(order, {"lin_1": 3000, "lin_2": 2000}).after

        back = machine.refund(refunded, {}).after

        assert (back.state, back.payment) == (order.state, "paid")

    def test_is_told_again_only_when_it_is_another_sum(self):
        partly = machine.refund(paid(), {"lin_1": 1000}).after

        assert machine.refund(partly, {"lin_1": 1000}) is None
        assert machine.refund(partly, {"lin_1": 1001}).fact == "order_refunded"

    @pytest.mark.parametrize("by_line", [{"lin_1": 3001}, {"lin_9": 1}, {"lin_1": -1}])
    def test_is_never_more_than_came(self, by_line):
        with pytest.raises(RefundsDoNotFitError):
            machine.refund(paid(), by_line)

    def test_cannot_come_from_an_order_that_was_never_paid(self):
        with pytest.raises(RefundsDoNotFitError):
            machine.refund(machine.place(two_lines(), NOW).after, {"lin_1": 1})


class TestMoneyThatComesLate:
    def test_goes_back_by_the_same_fold(self):
        canceled = machine.cancel(machine.place(two_lines(), NOW).after).after
        late = machine.pay_late(canceled, NOW).after

        refunded = machine.refund(late, {"lin_1": 3000, "lin_2": 2000}).after
        back = machine.refund(refunded, {}).after

        assert (late.state, refunded.state, back.state) == ("paid_late", "refunded", "paid_late")

    def test_never_makes_the_order_fulfilled_unless_it_could_be_kept(self):
        canceled = machine.cancel(machine.place(two_lines(), NOW).after).after

        with pytest.raises(IllegalTransitionError):
            machine.fulfil(machine.pay_late(canceled, NOW).after, NOW)
        assert machine.fulfil(machine.pay(canceled, NOW).after, NOW).after.state == "fulfilled"


class TestAHeldOrder:
    def test_is_not_fulfilled_before_it_is_released(self):
        held = machine.hold(paid(), held=True, reason="looks odd").after

        assert machine.fulfil(held, NOW) is None
        released = machine.hold(held, held=False, reason="looked at").after
        assert machine.fulfil(released, NOW).after.state == "fulfilled"


class TestADispute:
    def test_lies_over_the_state_until_the_bank_decides(self):
        opened = machine.dispute(paid(), "open").after
        won = machine.dispute(opened, "won").after

        assert (opened.state, opened.is_disputed) == ("paid", True)
        assert (won.state, won.is_disputed) == ("paid", False)
        assert machine.dispute(won, "won") is None


def test_the_table_in_the_documentation_is_the_table():
    page = Path(__file__).parents[3] / "docs" / "orders.md"
    rows = [line.strip("| ").split(" | ") for line in page.read_text().splitlines()]
    told = {tuple(row) for row in rows if len(row) == 3 and row[0] in STATES}

    assert told == {
        (state, to, fact) for state, edges in TRANSITIONS.items() for to, fact in edges.items()
    }
