"""The arithmetic of money: whatever the amounts and the currency, the parts come to the whole."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import assume, given, strategies as st

from commerce.discounts.model import Discount
from commerce.pricing.errors import DiscountDoesNotApplyError
from commerce.pricing.model import Item, allocate, half_up, price_basket, tax_on
from commerce.taxes.model import NO_TAX, Rate
from protocol.ids import DiscountId, PriceId, ProductId, VariantId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CURRENCIES = ("JPY", "EUR", "KWD")
"""Of no, two and three decimals."""

amounts = st.integers(min_value=0, max_value=10**12)
ppms = st.integers(min_value=0, max_value=1_000_000)
rates = st.builds(
    Rate,
    name=st.sampled_from(("VAT", "GST", "MWST")),
    rate_ppm=ppms,
    is_inclusive=st.booleans(),
) | st.just(NO_TAX)


@st.composite
def baskets(draw):
    currency = draw(st.sampled_from(CURRENCIES))
    table = draw(st.lists(rates, min_size=1, max_size=3))
    items = [
        an_item(
            number,
            price=draw(amounts),
            quantity=draw(st.integers(min_value=1, max_value=99)),
            rate=draw(st.sampled_from(table)),
        )
        for number in range(draw(st.integers(min_value=1, max_value=8)))
    ]
    products = st.none() | st.sampled_from([item.product for item in items])
    discounts = [
        a_discount(
            f"CODE-{number}",
            percent=draw(st.integers(min_value=1, max_value=1_000_000)),
            product=draw(products),
        )
        if draw(st.booleans())
        else a_discount(
            f"CODE-{number}",
            amount=draw(st.integers(min_value=1, max_value=10**12)),
            currency=currency,
            product=draw(products),
        )
        for number in range(draw(st.integers(min_value=0, max_value=3)))
    ]
    return currency, items, discounts


class TestAllocating:
    @given(total=amounts, weights=st.lists(amounts, min_size=1, max_size=60))
    def test_gives_parts_that_come_to_the_whole(self, total, weights):
        assert sum(allocate(total, weights)) == total
        assert allocate(-total, weights) == [-part for part in allocate(total, weights)]

    @given(total=amounts, weights=st.lists(amounts, min_size=1, max_size=60))
    def test_keeps_each_part_within_one_of_its_exact_share(self, total, weights):
        assume(sum(weights) > 0)

        for part, weight in zip(allocate(total, weights), weights, strict=True):
            exact = Fraction(total * weight, sum(weights))
            assert abs(part - exact) < 1
            assert weight > 0 or part == 0

    @given(data=st.data(), weights=st.lists(amounts, min_size=1, max_size=60))
    def test_takes_no_more_from_anything_than_there_is(self, data, weights):
        total = data.draw(st.integers(min_value=0, max_value=sum(weights)))

        for part, weight in zip(allocate(total, weights), weights, strict=True):
            assert 0 <= part <= weight

    @given(data=st.data(), weights=st.lists(amounts, min_size=1, max_size=12))
    def test_bit_by_bit_takes_everything_in_the_end(self, data, weights):
        left = list(weights)
        while sum(left) > 0:
            total = data.draw(st.integers(min_value=1 + sum(left) // 2, max_value=sum(left)))
            left = [have - part for have, part in zip(left, allocate(total, left), strict=True)]
            assert all(have >= 0 for have in left)
        assert left == [0] * len(weights)

    @pytest.mark.parametrize(
        ("total", "weights", "parts"),
        [
            (100, [1, 1, 1], [34, 33, 33]),
            (1, [0, 5, 5], [0, 1, 0]),
            (7, [0, 0], [4, 3]),
            (0, [3, 4], [0, 0]),
            (0, [], []),
            (-5, [1, 1], [-3, -2]),
        ],
    )
    def test_gives_what_is_over_to_the_largest_remainders_in_order(self, total, weights, parts):
        assert allocate(total, weights) == parts


class TestRounding:
    @given(numerator=amounts, denominator=st.integers(min_value=1, max_value=10**6))
    def test_goes_to_the_nearest_and_up_from_a_half(self, numerator, denominator):
        exact = Fraction(numerator, denominator)

        assert Fraction(-1, 2) < half_up(numerator, denominator) - exact <= Fraction(1, 2)

    @given(amount=amounts, ppm=ppms)
    def test_of_an_inclusive_tax_agrees_with_the_same_tax_on_the_net_amount(self, amount, ppm):
        within = tax_on(amount, Rate(name="VAT", rate_ppm=ppm, is_inclusive=True))
        on_net = tax_on(amount - within, Rate(name="VAT", rate_ppm=ppm, is_inclusive=False))

        assert 0 <= within <= amount
        assert abs(on_net - within) <= 1


class TestABasket:
    @given(basket=baskets())
    def test_is_the_sum_of_its_lines_to_the_last_unit(self, basket):
        priced = price(basket)

        assert priced.subtotal_minor == sum(line.subtotal_minor for line in priced.lines)
        assert priced.discount_minor == sum(line.discount_minor for line in priced.lines)
        assert priced.tax_minor == sum(line.tax_minor for line in priced.lines)
        assert priced.total_minor == sum(line.total_minor for line in priced.lines)
        added = sum(line.tax_minor for line in priced.lines if not line.tax_inclusive)
        assert priced.total_minor == priced.subtotal_minor - priced.discount_minor + added

    @given(basket=baskets())
    def test_has_no_line_below_nothing(self, basket):
        for line in price(basket).lines:
            assert 0 <= line.discount_minor <= line.subtotal_minor
            assert line.tax_minor >= 0
            assert 0 <= line.net_minor <= line.subtotal_minor

    @given(basket=baskets())
    def test_pays_each_rate_on_the_whole_of_its_lines(self, basket):
        priced = price(basket)

        assert sum(share.tax.amount_minor for share in priced.taxes) == priced.tax_minor
        for share in priced.taxes:
            rate = Rate(name=share.name, rate_ppm=share.rate_ppm, is_inclusive=share.is_inclusive)
            net, tax = share.taxable.amount_minor, share.tax.amount_minor
            assert tax == tax_on(net + tax if rate.is_inclusive else net, rate)

    @given(basket=baskets(), data=st.data())
    def test_costs_the_same_in_whatever_order_codes_are_given(self, basket, data):
        currency, items, discounts = basket
        shuffled = data.draw(st.permutations(discounts))

        assert price(basket).lines == price((currency, items, shuffled)).lines


class TestDiscounts:
    def test_take_a_percentage_of_what_is_there(self):
        # Ten at 23.90 with a quarter off: 179.25, and not a cent more comes back line by line.
        items = [an_item(number, price=2390) for number in range(10)]
        priced = price_basket(items, [a_discount(percent=250_000)], currency="GBP", country="GB")

        assert (priced.subtotal_minor, priced.discount_minor) == (23900, 5975)
        assert sum(line.total_minor for line in priced.lines) == 17925

    def test_come_off_one_after_another(self):
        items = [an_item(1, price=1000), an_item(2, price=1000)]
        priced = price_basket(
            items,
            [
                a_discount("TEN", amount=1000, currency="EUR"),
                a_discount("HALF", percent=500_000),
                a_discount("FIRST", percent=1_000_000, product="prd_1"),
            ],
            currency="EUR",
            country="DE",
        )

        # First the product is free, then the rest is halved, then as much of the ten as is left.
        assert [line.total_minor for line in priced.lines] == [0, 0]

    @pytest.mark.parametrize(
        "discount",
        [
            {"amount": 500, "currency": "USD"},
            {"percent": 500_000, "product": "prd_9"},
            {"percent": 1},
        ],
    )
    def test_that_take_nothing_off_are_refused(self, discount):
        with pytest.raises(DiscountDoesNotApplyError):
            price_basket(
                [an_item(1, price=100)], [a_discount(**discount)], currency="EUR", country="DE"
            )


class TestTaxes:
    def test_are_within_prices_or_on_top_of_them(self):
        within = Rate(name="VAT", rate_ppm=200_000, is_inclusive=True)
        on_top = Rate(name="GST", rate_ppm=50_000, is_inclusive=False)
        items = [an_item(1, price=1200, rate=within), an_item(2, price=1000, rate=on_top)]
        priced = price_basket(items, [], currency="EUR", country="DE")

        assert [(line.tax_minor, line.total_minor) for line in priced.lines] == [
            (200, 1200),
            (50, 1050),
        ]
        assert [(share.name, share.taxable.amount_minor) for share in priced.taxes] == [
            ("VAT", 1000),
            ("GST", 1000),
        ]

    def test_are_left_out_where_there_are_none(self):
        priced = price_basket([an_item(1, price=1200)], [], currency="USD", country="US")

        assert (priced.taxes, priced.tax_minor, priced.total_minor) == ((), 0, 1200)


def price(basket):
    currency, items, discounts = basket
    while True:
        try:
            return price_basket(items, discounts, currency=currency, country="DE")
        except DiscountDoesNotApplyError as refused:
            discounts = [each for each in discounts if each.code not in str(refused)]


def an_item(number, *, price, quantity=1, rate=NO_TAX):
    return Item(
        variant=VariantId(f"var_{number}"),
        product=ProductId(f"prd_{number}"),
        title=f"Thing {number}",
        quantity=quantity,
        unit_price_minor=price,
        price_id=PriceId(f"prc_{number}"),
        rate=rate,
        takes_stock=False,
    )


def a_discount(code="CODE", *, percent=None, amount=None, currency=None, product=None):
    return Discount(
        id=DiscountId(f"dsc_{code}"),
        code=code,
        title="",
        kind="amount" if percent is None else "percent",
        percent_ppm=percent,
        amount_minor=amount,
        currency=currency,
        product_id=product,
        once_a_customer=False,
        redemptions_max=None,
        reserved=0,
        redeemed=0,
        starts_at=NOW,
        ends_at=None,
        created_at=NOW,
    )
