"""The account under test: the stand-in's, or a test account of Stripe itself."""

import secrets

import httpx
import pytest
import stripe

CONTROL_TOKEN = "control-token-of-the-tests"
SECRET_KEY = "sk_test_contracts"
RETURN_URL = "https://shop.example/orders/1"
WAIT_SECONDS_MAX = 30.0


class Account:
    """The official client, and the stand-in's knobs where there are any."""

    def __init__(self, *, url, secret_key):
        self.url = url
        self.secret_key = secret_key
        self._closing = []
        self.client = self.client_with(max_network_retries=0)
        self.api = self.client.v1

    @property
    def is_real(self):
        return self.url is None

    def client_with(self, *, timeout=WAIT_SECONDS_MAX, **options):
        """Return another client of the same account, by its own connections."""
        http_client = stripe.HTTPXClient(timeout=timeout)
        self._closing.append(http_client)
        if not self.is_real:
            options["base_addresses"] = {"api": self.url}
        return stripe.StripeClient(self.secret_key, http_client=http_client, **options)

    async def control(self, knob, *, verb="POST", **body):
        """Turn a knob of the stand-in; Stripe has none."""
        if self.is_real:
            pytest.skip("it needs a knob, and Stripe itself has none")
        headers = {"Authorization": f"Bearer {CONTROL_TOKEN}"}
        async with httpx.AsyncClient(timeout=WAIT_SECONDS_MAX, trust_env=False) as client:
            answer = await client.request(
                verb,
                f"{self.url}/_control/{knob}",
                headers=headers,
                json=body if verb == "POST" else None,
            )
        assert answer.is_success, answer.text
        return answer.json()

    async def close(self):
        for each in self._closing:
            await each.close_async()

    async def intent(self, **fields):
        """Create a payment intent over 12.50 EUR that takes cards, without leaving the page."""
        asked = {"amount": 1250, "currency": "eur", "payment_method_types": ["card"], **fields}
        return await self.api.payment_intents.create_async(asked)

    async def paid(self, card="pm_card_visa", **fields):
        """Create a payment intent and pay it at once."""
        return await self.intent(payment_method=card, confirm=True, **fields)

    async def customer(self, **fields):
        return await self.api.customers.create_async(fields)

    async def customer_with_card(self, card="pm_card_visa", **fields):
        """Return a customer whose invoices are paid with a card."""
        customer = await self.customer(**fields)
        method = await self.api.payment_methods.attach_async(card, {"customer": customer.id})
        settings = {"default_payment_method": method.id}
        return await self.api.customers.update_async(customer.id, {"invoice_settings": settings})

    async def events_about(self, identity, *, types=None):
        """Return the types of the events about an object, oldest first."""
        asked = {"limit": 100, **({"types": types} if types else {})}
        events = await self.api.events.list_async(asked)
        return [each.type for each in reversed(events.data) if told_of(each) == identity]


def told_of(event):
    """Return the id of what an event is about; some things have none."""
    return getattr(event.data.object, "id", None)


def new_key():
    return f"contract-{secrets.token_hex(12)}"


async def refused(call, kind=stripe.StripeError):
    """Return the error that a call ends with."""
    with pytest.raises(kind) as caught:
        await call
    return caught.value
