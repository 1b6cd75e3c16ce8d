import pytest
from hypothesis import given, strategies as st

from commerce.cart.errors import CartFullError, MixedCurrenciesError, NotForSaleError
from commerce.cart.model import CART_LINES_MAX, Cart, show
from commerce.catalog.errors import OutOfStockError
from commerce.catalog.model import Offer
from protocol.ids import CartId, PriceId, ProductId, VariantId
from protocol.money import Money
from tests.commerce.shop import ADA


def an_offer(number=1, *, price=1900, stock=None, published=True, currency="EUR", variant="Web"):
    return Offer(
        variant=VariantId(f"var_{number}"),
        product=ProductId(f"prd_{number}"),
        slug=f"thing-{number}",
        product_title="Thing",
        variant_title=variant,
        price_id=PriceId(f"prc_{number}"),
        price_minor=price,
        currency=currency,
        stock=stock,
        cover="covers/a.svg",
        published=published,
    )


EMPTY = Cart(id=CartId("crt_1"), owner=ADA, version=0)


class TestACart:
    def test_grows_by_one_version_with_each_change(self):
        cart = EMPTY.with_line(an_offer(1), 1).with_line(an_offer(2), 1).with_line(an_offer(1), 3)

        assert cart.version == 3
        assert [(line.variant, line.quantity) for line in cart.lines] == [
            ("var_1", 3),
            ("var_2", 1),
        ]

    def test_stays_itself_when_nothing_changes(self):
        cart = EMPTY.with_line(an_offer(), 2)

        assert cart.with_line(an_offer(), 2) is cart
        assert cart.without(VariantId("var_9")) is cart
        assert cart.repriced({VariantId("var_1"): an_offer()}) is cart

    def test_loses_a_line_that_is_taken_out(self):
        assert EMPTY.with_line(an_offer(), 2).without(VariantId("var_1")).lines == ()

    def test_shows_the_price_of_today(self):
        cart = EMPTY.with_line(an_offer(price=1900), 2)
        dearer = cart.repriced({VariantId("var_1"): an_offer(price=2000)})

        assert dearer.version == cart.version + 1
        assert dearer.total == Money(amount_minor=4000, currency="EUR")

    def test_holds_fifty_different_things_and_no_more(self):
        cart = EMPTY
        for number in range(CART_LINES_MAX):
            cart = cart.with_line(an_offer(number), 1)

        with pytest.raises(CartFullError, match="at most 50"):
            cart.with_line(an_offer(99), 1)
        assert cart.with_line(an_offer(7), 2).lines[7].quantity == 2

    def test_refuses_what_is_not_published(self):
        with pytest.raises(NotForSaleError):
            EMPTY.with_line(an_offer(published=False), 1)

    def test_refuses_more_than_is_left(self):
        assert EMPTY.with_line(an_offer(stock=2), 2).version == 1
        with pytest.raises(OutOfStockError, match=r"Only 2 of Thing \(Web\) are left"):
            EMPTY.with_line(an_offer(stock=2), 3)

    def test_refuses_a_second_currency(self):
        with pytest.raises(MixedCurrenciesError, match="EUR"):
            EMPTY.with_line(an_offer(1), 1).with_line(an_offer(2, currency="USD"), 1)

    @given(
        wanted=st.lists(
            st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(0, 10**9)), max_size=40
        )
    )
    def test_always_costs_what_its_lines_cost(self, wanted):
        cart, offers = EMPTY, {}
        for number, quantity, price in wanted:
            offer = an_offer(number, price=price)
            offers[offer.variant] = offer
            cart = cart.with_line(offer, quantity) if quantity else cart.without(offer.variant)
            cart = cart.repriced(offers)
        shown = show(cart, offers)

        assert shown.total.amount_minor == sum(line.total.amount_minor for line in shown.lines)
        assert all(
            line.total.amount_minor == line.quantity * offers[line.variant].price_minor
            for line in shown.lines
        )
        assert len({line.variant for line in shown.lines}) == len(shown.lines)
