import pytest

from loadtest.buying import SaleLedger
from loadtest.outstanding import GivenCommand
from loadtest.rest import ListedVariant, ProductDetails
from loadtest.sale import (
    NothingScarceError,
    Purchase,
    Sale,
    SaleCounts,
    choose_sale,
    judge_sale,
)
from protocol.commands import OrderResult, PlaceOrder
from protocol.events import CommandCommitted, CommandRejected, ProductChanged
from protocol.money import Money
from protocol.views import Product

SALE = Sale(product="prd_1", slug="lamp", variant="var_1", stock=3)
EURO = Money(amount_minor=100, currency="EUR")


def counts(orders, *, buyers=5, least=0):
    purchases = [Purchase(user_number=at, order=order) for at, order in enumerate(orders)]
    return SaleCounts(buyers=buyers, purchases=purchases, least_stock_seen=least)


def found(*parts, left=0):
    return [violation.kind.value for violation in judge_sale(SALE, parts, left=left)]


class TestASale:
    def test_is_right_when_everything_is_sold_once(self):
        assert found(counts(["a", "b"]), counts(["c"])) == []

    def test_is_right_when_fewer_wanted_one_than_there_were(self):
        assert found(counts(["a", "b"], buyers=2), left=1) == []

    @pytest.mark.parametrize(
        ("parts", "left", "expected"),
        [
            pytest.param([counts(["a", "b", "c", "d"])], 0, ["oversold", "unsold"], id="too many"),
            pytest.param([counts(["a", "b", "c"])], 1, ["oversold"], id="stock that does not fit"),
            pytest.param([counts(["a", "b"])], 1, ["unsold"], id="one left that was wanted"),
            pytest.param([counts(["a", "b", "c"], least=-1)], 0, ["oversold"], id="below zero"),
            pytest.param([counts(["a", "b", "b"])], 0, ["doubled"], id="one order of two"),
            pytest.param([counts(["a", "b", "c"])], None, ["oversold"], id="a product gone"),
        ],
    )
    def test_is_wrong_otherwise(self, parts, left, expected):
        assert found(*parts, left=left) == expected


class Shelf:
    """A shop's catalogue: slug, price and stock of each product."""

    def __init__(self, **products):
        self._products = products

    async def product_details(self, slug):
        price, stock = self._products[slug]
        variant = ListedVariant(
            id=f"var_{slug}", price=Money(amount_minor=price, currency="EUR"), stock=stock
        )
        return ProductDetails(id=f"prd_{slug}", variants=[variant])


@pytest.mark.trio
class TestTheChoice:
    async def test_is_what_most_but_not_all_can_buy(self):
        shelf = Shelf(rare=(5, 1), scarce=(5, 9), plenty=(5, 500), free=(0, 10), any=(5, None))

        sale = await choose_sale(shelf, ["rare", "scarce", "plenty", "free", "any"], 20)

        assert (sale.slug, sale.stock) == ("scarce", 9)

    async def test_is_the_scarcest_if_all_could_buy_anything(self):
        shelf = Shelf(plenty=(5, 500), some=(5, 60))

        assert (await choose_sale(shelf, ["plenty", "some"], 20)).slug == "some"

    async def test_is_explained_if_there_is_none(self):
        with pytest.raises(NothingScarceError, match="nothing scarce"):
            await choose_sale(Shelf(free=(0, 10)), ["free"], 20)


class Finished(GivenCommand):
    def __init__(self, outcome):
        self.body = PlaceOrder(cart_version=1)
        self.outcome = outcome


class TestTheLedger:
    def test_tells_buyers_from_those_who_were_too_late(self):
        ledger = SaleLedger(SALE)
        bought = CommandCommitted(key="a", result=OrderResult(order="ord_1", number="1", version=1))
        late = CommandRejected(key="b", code="out_of_stock", message="None left.")
        other = CommandRejected(key="c", code="internal", message="A bug.")

        taken = [ledger.finishes(7, Finished(outcome)) for outcome in (bought, late, other)]

        assert taken == [True, True, False]
        assert ledger.counts().purchases == [Purchase(user_number=7, order="ord_1")]
        assert ledger.counts().sold_out == 1

    def test_keeps_the_least_stock_that_a_page_was_told(self):
        ledger = SaleLedger(SALE)
        for product, stock in (("prd_1", 2), ("prd_1", -1), ("prd_1", 1), ("prd_2", -9)):
            shown = Product(id=product, version=1, slug="x", title="X", price=EURO, stock=stock)
            ledger.sees(ProductChanged(product=shown))

        assert ledger.counts().least_stock_seen == -1
