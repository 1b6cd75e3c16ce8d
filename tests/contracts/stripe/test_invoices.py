"""Invoices that a seller writes: from the draft to being paid, void or given up."""

import pytest
import stripe

from tests.contracts.stripe.account import refused


async def drafted(account, *, card="pm_card_visa", amounts=(1200, 800)):
    """Return a customer and a draft with these lines."""
    customer = await account.customer_with_card(card)
    for amount in amounts:
        await account.api.invoice_items.create_async(
            {
                "customer": customer.id,
                "amount": amount,
                "currency": "usd",
                "description": "Work",
            }
        )
    invoice = await account.api.invoices.create_async(
        {
            "customer": customer.id,
            "currency": "usd",
            "pending_invoice_items_behavior": "include",
            "auto_advance": False,
        }
    )
    return customer, invoice


class TestADraft:
    async def test_takes_the_items_that_wait(self, account, api):
        customer, invoice = await drafted(account)

        waiting = await api.invoice_items.list_async({"customer": customer.id, "pending": True})

        assert (invoice.status, invoice.total, invoice.number) == ("draft", 2000, None)
        assert sorted(line.amount for line in invoice.lines.data) == [800, 1200]
        assert waiting.data == []

    async def test_takes_more_items_until_it_is_final(self, account, api):
        customer, invoice = await drafted(account)
        extra = {"customer": customer.id, "invoice": invoice.id, "amount": 50, "currency": "usd"}

        await api.invoice_items.create_async(extra)
        final = await api.invoices.finalize_invoice_async(invoice.id)
        error = await refused(api.invoice_items.create_async(extra))

        assert final.total == 2050
        assert error.http_status == 400

    async def test_can_be_thrown_away(self, account, api):
        _, invoice = await drafted(account)

        gone = await api.invoices.delete_async(invoice.id)
        error = await refused(api.invoices.retrieve_async(invoice.id))

        assert gone.deleted is True
        assert error.code == "resource_missing"

    async def test_may_have_a_discount(self, account, api):
        coupon = await api.coupons.create_async({"percent_off": 10, "duration": "once"})
        customer, _ = await drafted(account, amounts=())
        await api.invoice_items.create_async(
            {"customer": customer.id, "amount": 1999, "currency": "usd"}
        )

        invoice = await api.invoices.create_async(
            {
                "customer": customer.id,
                "currency": "usd",
                "pending_invoice_items_behavior": "include",
                "discounts": [{"coupon": coupon.id}],
            }
        )

        assert (invoice.subtotal, invoice.total) == (1999, 1799)
        assert sum(each.amount for each in invoice.total_discount_amounts) == 200


class TestAFinalInvoice:
    async def test_has_a_number_and_a_payment_intent(self, account, api):
        _, invoice = await drafted(account)

        final = await api.invoices.finalize_invoice_async(invoice.id, {"expand": ["payments"]})
        error = await refused(api.invoices.finalize_invoice_async(invoice.id))

        assert (final.status, final.amount_due) == ("open", 2000)
        assert final.number
        assert final.payments.data[0].payment.payment_intent.startswith("pi_")
        assert error.http_status == 400

    async def test_can_be_paid(self, account, api):
        _, invoice = await drafted(account)
        await api.invoices.finalize_invoice_async(invoice.id)

        paid = await api.invoices.pay_async(invoice.id)
        payments = await api.invoice_payments.list_async({"invoice": invoice.id})
        again = await refused(api.invoices.pay_async(invoice.id))

        assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 2000, 0)
        assert [each.status for each in payments.data] == ["paid"]
        assert again.http_status == 400

    async def test_stays_open_if_the_card_is_refused(self, account, api):
        _, invoice = await drafted(account, card="pm_card_chargeCustomerFail")
        await api.invoices.finalize_invoice_async(invoice.id)

        error = await refused(api.invoices.pay_async(invoice.id), stripe.CardError)
        after = await api.invoices.retrieve_async(invoice.id)

        assert error.code == "card_declined"
        assert (after.status, after.attempted) == ("open", True)

    async def test_can_be_paid_elsewhere(self, account, api):
        _, invoice = await drafted(account)
        await api.invoices.finalize_invoice_async(invoice.id)

        paid = await api.invoices.pay_async(invoice.id, {"paid_out_of_band": True})

        assert paid.status == "paid"

    @pytest.mark.parametrize(
        ("verb", "status"),
        [("void_invoice_async", "void"), ("mark_uncollectible_async", "uncollectible")],
    )
    async def test_can_be_taken_back_or_given_up(self, account, api, verb, status):
        _, invoice = await drafted(account)
        await api.invoices.finalize_invoice_async(invoice.id)

        ended = await getattr(api.invoices, verb)(invoice.id)

        assert ended.status == status

    async def test_that_is_void_is_never_paid(self, account, api):
        _, invoice = await drafted(account)
        await api.invoices.finalize_invoice_async(invoice.id)
        await api.invoices.void_invoice_async(invoice.id)

        error = await refused(api.invoices.pay_async(invoice.id))

        assert error.http_status == 400

    async def test_below_zero_becomes_a_credit(self, account, api):
        customer, invoice = await drafted(account, amounts=(-700,))

        final = await api.invoices.finalize_invoice_async(invoice.id)
        credited = await api.customers.retrieve_async(customer.id)

        assert (final.status, final.amount_due) == ("paid", 0)
        assert credited.balance == -700

    async def test_tells_every_step(self, account, api):
        _, invoice = await drafted(account)
        await api.invoices.finalize_invoice_async(invoice.id)
        await api.invoices.pay_async(invoice.id)

        told = await account.events_about(invoice.id)

        for name in ("invoice.created", "invoice.finalized", "invoice.paid"):
            assert told.count(name) == 1
        assert told.index("invoice.created") < told.index("invoice.finalized")
