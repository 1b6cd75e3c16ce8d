"""What the tests of subscriptions and invoices start from."""

import asyncio
from calendar import timegm

DAY = 24 * 3600
START = timegm((2027, 1, 31, 12, 0, 0))
POLL_SECONDS = 0.5


class Subscriber:
    """A customer on a test clock, who pays with one card."""

    def __init__(self, account, clock, customer):
        self.api = account.api
        self.clock_id = clock.id
        self.customer = customer
        self.id = customer.id

    async def price(self, amount=1000, interval="month", **fields):
        return await self.api.prices.create_async(
            {
                "currency": "usd",
                "unit_amount": amount,
                "recurring": {"interval": interval},
                "product_data": {"name": "A magazine"},
                **fields,
            }
        )

    async def subscribe(self, price=None, **fields):
        price = price or await self.price()
        return await self.api.subscriptions.create_async(
            {"customer": self.id, "items": [{"price": price.id}], **fields}
        )

    async def advance(self, moment):
        """Let time pass up to a unix second, and wait until all that it brings is done."""
        clocks = self.api.test_helpers.test_clocks
        clock = await clocks.advance_async(self.clock_id, {"frozen_time": moment})
        while clock.status != "ready":
            clock = await clocks.retrieve_async(self.clock_id)
            if clock.status != "ready":
                await asyncio.sleep(POLL_SECONDS)

    async def pay_with(self, card):
        method = await self.api.payment_methods.attach_async(card, {"customer": self.id})
        await self.api.customers.update_async(
            self.id, {"invoice_settings": {"default_payment_method": method.id}}
        )
        return method.id

    async def found(self, subscription):
        return await self.api.subscriptions.retrieve_async(subscription.id)

    async def invoices(self, subscription):
        """Return the subscription's invoices, oldest first."""
        listed = await self.api.invoices.list_async({"subscription": subscription.id, "limit": 100})
        return listed.data[::-1]


async def new_subscriber(account, *, card="pm_card_visa", start=START):
    clock = await account.api.test_helpers.test_clocks.create_async({"frozen_time": start})
    customer = await account.customer(test_clock=clock.id, email="reader@example.com")
    subscriber = Subscriber(account, clock, customer)
    if card is not None:
        await subscriber.pay_with(card)
    return subscriber


def item_of(subscription):
    return subscription["items"].data[0]


def period_of(subscription):
    item = item_of(subscription)
    return item.current_period_start, item.current_period_end
