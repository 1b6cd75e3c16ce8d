"""Products, prices, coupons and promotion codes."""

import secrets

import pytest

from tests.contracts.stripe.account import refused


class TestAProduct:
    async def test_can_be_made_changed_and_put_away(self, api):
        product = await api.products.create_async({"name": "A game"})

        changed = await api.products.update_async(
            product.id, {"description": "For two", "active": False}
        )

        assert product.id.startswith("prod_")
        assert (product.active, changed.active) == (True, False)
        assert changed.description == "For two"

    async def test_may_come_with_its_price(self, api):
        product = await api.products.create_async(
            {
                "name": "A game",
                "default_price_data": {"currency": "eur", "unit_amount": 1900},
                "expand": ["default_price"],
            }
        )

        assert (product.default_price.unit_amount, product.default_price.type) == (1900, "one_time")


class TestAPrice:
    async def test_is_for_once_or_for_every_period(self, api):
        product = await api.products.create_async({"name": "A magazine"})
        once = await api.prices.create_async(
            {"product": product.id, "currency": "eur", "unit_amount": 900}
        )
        monthly = await api.prices.create_async(
            {
                "product": product.id,
                "currency": "eur",
                "unit_amount": 500,
                "recurring": {"interval": "month"},
            }
        )

        listed = await api.prices.list_async({"product": product.id, "type": "recurring"})

        assert (once.type, once.recurring) == ("one_time", None)
        assert (monthly.type, monthly.recurring.interval) == ("recurring", "month")
        assert monthly.recurring.interval_count == 1
        assert [each.id for each in listed.data] == [monthly.id]

    async def test_is_found_by_its_look_up_key(self, api):
        key = f"key_{secrets.token_hex(8)}"
        asked = {
            "currency": "eur",
            "unit_amount": 900,
            "lookup_key": key,
            "product_data": {"name": "A game"},
        }
        price = await api.prices.create_async(asked)

        found = await api.prices.list_async({"lookup_keys": [key]})
        error = await refused(api.prices.create_async(asked))
        successor = await api.prices.create_async({**asked, "transfer_lookup_key": True})
        moved = await api.prices.list_async({"lookup_keys": [key]})

        assert [each.id for each in found.data] == [price.id]
        assert error.http_status == 400
        assert [each.id for each in moved.data] == [successor.id]

    async def test_cannot_be_deleted_only_put_away(self, api):
        price = await api.prices.create_async(
            {"currency": "eur", "unit_amount": 900, "product_data": {"name": "A game"}}
        )

        put_away = await api.prices.update_async(price.id, {"active": False})
        error = await refused(api.products.delete_async(price.product))

        assert put_away.active is False
        assert error.http_status == 400


class TestACoupon:
    async def test_takes_off_a_part_or_an_amount(self, api):
        part = await api.coupons.create_async({"percent_off": 12.5, "duration": "once"})
        amount = await api.coupons.create_async(
            {"amount_off": 300, "currency": "eur", "duration": "forever"}
        )

        assert (part.percent_off, part.valid) == (12.5, True)
        assert (amount.amount_off, amount.currency) == (300, "eur")

    @pytest.mark.parametrize(
        "asked",
        [
            {"duration": "once"},
            {"duration": "once", "percent_off": 10, "amount_off": 10, "currency": "eur"},
            {"duration": "once", "amount_off": 10},
            {"duration": "repeating", "percent_off": 10},
            {"duration": "once", "percent_off": 101},
        ],
    )
    async def test_that_makes_no_sense_is_refused(self, api, asked):
        error = await refused(api.coupons.create_async(asked))

        assert error.http_status == 400

    async def test_may_have_a_code_people_type(self, api):
        coupon = await api.coupons.create_async({"percent_off": 10, "duration": "once"})
        code = f"SAVE{secrets.token_hex(4).upper()}"

        made = await api.promotion_codes.create_async(
            {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": code}
        )
        found = await api.promotion_codes.list_async({"code": code})

        assert made.promotion.coupon == coupon.id
        assert [each.id for each in found.data] == [made.id]
