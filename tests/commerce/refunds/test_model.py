"""The algebra of refunds: whatever is given back, in whatever parts and currency, adds up."""

import pytest
from hypothesis import given, strategies as st

from commerce.refunds.errors import NothingToRefundError, RefundTooLargeError
from commerce.refunds.model import TRANSITIONS, LineLeft, Part, dispute_state, left_of, split
from protocol.ids import OrderLineId
from tests.builders import a_refund

SMALLEST_UNITS = {"JPY": 1, "EUR": 100, "KWD": 1000}


def a_line(place, total_minor, quantity=1):
    return LineLeft(
        line_id=OrderLineId(f"lin_{place}"),
        quantity=quantity,
        total_minor=total_minor,
        left_minor=total_minor,
        quantity_left=quantity,
    )


@st.composite
def orders(draw):
    unit = draw(st.sampled_from(sorted(SMALLEST_UNITS.values())))
    prices = st.integers(0, 50 * unit)
    lines = draw(st.lists(st.tuples(prices, st.integers(1, 5)), min_size=1, max_size=5))
    return [a_line(place, price, quantity) for place, (price, quantity) in enumerate(lines)]


def total(lines):
    return sum(line.amount_minor for line in lines)


class TestASum:
    @given(orders(), st.lists(st.integers(1, 60_000), max_size=8))
    def test_is_laid_upon_the_lines_to_the_last_unit_and_never_exceeds_them(self, lines, sums):
        refunds = []
        for amount in sums:
            left = left_of(lines, refunds)
            there = sum(line.left_minor for line in left)
            if amount > there:
                with pytest.raises(RefundTooLargeError):
                    split(left, amount_minor=amount)
                continue
            given_back = split(left, amount_minor=amount)
            assert total(given_back) == amount
            refunds.append(a_refund(lines=given_back))

        left = left_of(lines, refunds)
        assert all(0 <= line.left_minor <= line.total_minor for line in left)
        assert all(0 <= line.quantity_left <= line.quantity for line in left)

    @given(orders(), st.lists(st.integers(1, 9_000), max_size=6))
    def test_of_all_that_is_left_empties_every_line_whatever_went_before(self, lines, sums):
        refunds = []
        for amount in sums:
            left = left_of(lines, refunds)
            if amount <= sum(line.left_minor for line in left):
                refunds.append(a_refund(lines=split(left, amount_minor=amount)))
        left = left_of(lines, refunds)
        if any(line.left_minor for line in left):
            refunds.append(a_refund(lines=split(left)))

        assert [line.left_minor for line in left_of(lines, refunds)] == [0] * len(lines)
        assert sum(total(refund.lines) for refund in refunds) == sum(
            line.total_minor for line in lines
        )

    @given(orders(), st.data())
    def test_that_failed_leaves_everything_as_it_was(self, lines, data):
        there = sum(line.left_minor for line in lines)
        if not there:
            return
        amount = data.draw(st.integers(1, there))
        state = data.draw(st.sampled_from(["failed", "canceled"]))

        failed = a_refund(lines=split(lines, amount_minor=amount), state=state)

        assert left_of(lines, [failed]) == lines

    def test_of_nothing_is_no_refund(self):
        with pytest.raises(NothingToRefundError):
            split([a_line(1, 0)])
        with pytest.raises(NothingToRefundError):
            split([a_line(1, 100)], amount_minor=0)


class TestAPart:
    @given(orders(), st.data())
    def test_gives_back_the_price_of_so_many_and_the_last_takes_the_rest(self, lines, data):
        line = data.draw(st.sampled_from(lines))
        refunds = []
        while (left := left_of([line], refunds)[0]).left_minor:
            quantity = data.draw(st.integers(1, max(1, left.quantity_left)))
            try:
                given_back = split([left], parts=[Part(line=line.line_id, quantity=quantity)])
            except NothingToRefundError:
                break
            refunds.append(a_refund(lines=given_back))

        (left,) = left_of([line], refunds)
        assert left.quantity_left >= 0
        assert left.left_minor == 0 or left.quantity_left > 0

    def test_by_name_takes_all_that_is_left_of_the_line(self):
        (found,) = split([a_line(1, 999, 3), a_line(2, 5)], parts=[Part(line="lin_1")])

        assert (found.line_id, found.amount_minor, found.quantity) == ("lin_1", 999, 3)

    @pytest.mark.parametrize(
        "part",
        [
            Part(line="lin_9"),
            Part(line="lin_1", amount_minor=1000),
            Part(line="lin_1", amount_minor=-1),
            Part(line="lin_1", quantity=4),
        ],
    )
    def test_that_does_not_fit_is_refused(self, part):
        with pytest.raises(RefundTooLargeError):
            split([a_line(1, 999, 3)], parts=[part])

    def test_named_twice_is_refused(self):
        twice = [Part(line="lin_1", amount_minor=1)] * 2

        with pytest.raises(RefundTooLargeError):
            split([a_line(1, 999)], parts=twice)


class TestTheStates:
    def test_of_a_refund_end_where_nothing_leads_on(self):
        assert {state for state, after in TRANSITIONS.items() if not after} == {
            "failed",
            "canceled",
        }

    @pytest.mark.parametrize(
        ("statuses", "state"),
        [
            ([], "none"),
            (["warning_needs_response"], "none"),
            (["warning_closed"], "none"),
            (["needs_response"], "open"),
            (["under_review", "won"], "open"),
            (["won"], "won"),
            (["won", "lost"], "lost"),
            (["lost", "needs_response"], "open"),
            (["prevented"], "won"),
        ],
    )
    def test_of_disputes_come_to_one_for_their_order(self, statuses, state):
        assert dispute_state(statuses) == state
