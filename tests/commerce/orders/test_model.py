import pytest
from hypothesis import given, strategies as st

from commerce.orders.errors import IllegalTransitionError
from commerce.orders.model import (
    STATES,
    TRANSITIONS,
    Order,
    OrderLine,
    event_type,
    fact_of,
    order_number,
    show,
)
from protocol.ids import OrderId, OrderLineId, ProductId, VariantId
from tests.commerce.shop import ADA
from tests.fakes.clock import SettableClock

NOW = SettableClock().now()


def a_line(number=1, *, quantity=1, price=1900, takes_stock=False):
    return OrderLine(
        id=OrderLineId(f"lin_{number}"),
        variant_id=VariantId(f"var_{number}"),
        product_id=ProductId(f"prd_{number}"),
        title="Halden",
        quantity=quantity,
        unit_price_minor=price,
        currency="EUR",
        takes_stock=takes_stock,
    )


def an_order(*, state="draft", lines=None):
    return Order(
        id=OrderId("ord_1"),
        number="R-2026-000001",
        buyer_id=ADA,
        cart_id=None,
        state=state,
        version=0,
        currency="EUR",
        placed_at=NOW,
        lines=tuple(lines or [a_line()]),
    )


class TestTheTransitionTable:
    def test_says_something_of_every_state(self):
        assert set(TRANSITIONS) == set(STATES)

    def test_leads_only_to_states_there_are(self):
        assert frozenset().union(*TRANSITIONS.values()) <= set(STATES)

    @given(asked=st.lists(st.sampled_from(STATES), max_size=12))
    def test_is_never_left_whatever_is_asked(self, asked):
        order = an_order()
        for state in asked:
            before = order
            try:
                order = order.moved_to(state)
            except IllegalTransitionError:
                assert state not in TRANSITIONS[before.state]
                assert order is before
            else:
                assert state in TRANSITIONS[before.state]
                assert order.version == before.version + 1

    @given(asked=st.lists(st.sampled_from(STATES), min_size=1, max_size=40))
    def test_has_no_way_round_in_a_circle(self, asked):
        order = an_order()
        seen = [order.state]
        for state in asked:
            if state in TRANSITIONS[order.state]:
                order = order.moved_to(state)
                seen.append(order.state)

        assert len(seen) == len(set(seen))

    @pytest.mark.parametrize("state", ["fulfilled", "canceled", "expired"])
    def test_ends_in_states_that_nothing_follows(self, state):
        assert TRANSITIONS[state] == frozenset()

    def test_says_in_words_what_is_not_possible(self):
        with pytest.raises(IllegalTransitionError, match="is paid cannot become canceled"):
            an_order(state="paid").moved_to("canceled")


class TestTheTotalOfAnOrder:
    @given(
        bought=st.lists(
            st.tuples(st.integers(1, 99), st.integers(0, 10**12)), min_size=1, max_size=50
        )
    )
    def test_is_the_sum_of_its_lines_to_the_cent(self, bought):
        lines = [a_line(at, quantity=many, price=price) for at, (many, price) in enumerate(bought)]
        shown = show(an_order(lines=lines))

        assert shown.total.amount_minor == sum(many * price for many, price in bought)
        assert shown.total.amount_minor == sum(line.total.amount_minor for line in shown.lines)

    def test_is_free_only_when_everything_in_it_is(self):
        assert an_order(lines=[a_line(1, price=0), a_line(2, price=0)]).is_free
        assert not an_order(lines=[a_line(1, price=0), a_line(2, price=1)]).is_free


class TestWhatAnOrderTells:
    @pytest.mark.parametrize("state", [state for state in STATES if state != "draft"])
    def test_is_an_event_of_its_own_for_each_state(self, state):
        told = fact_of(an_order(state=state), NOW)

        assert told.order.state == state
        assert event_type(state) == type(told).__struct_config__.tag

    def test_never_calls_two_states_the_same(self):
        names = [event_type(state) for state in STATES if state != "draft"]

        assert len(names) == len(set(names))


class TestTheNumberOfAnOrder:
    def test_can_be_read_out(self):
        assert order_number(2026, 123) == "R-2026-000123"

    def test_outgrows_its_zeros(self):
        assert order_number(2026, 1_234_567) == "R-2026-1234567"
