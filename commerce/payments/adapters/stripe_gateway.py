"""The payment gateway that is Stripe, by its own client; the stand-in answers it as well.

Payment intents: https://docs.stripe.com/payments/paymentintents/lifecycle.
"""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from commerce.foundation.errors import StripeRefusedError, StripeUnheardError
from commerce.foundation.stripe_api import StripeApi, from_stripe, heard, plain, to_stripe
from commerce.payments.model import (
    ORDER_METADATA,
    PAYMENT_METADATA,
    Attempt,
    Outcome,
    Refused,
    Setup,
    Snapshot,
    StoredMethod,
    Unheard,
)
from protocol.ids import PaymentId, UserId
from protocol.views import PaymentState
from shared.clock import Clock, unix_ms

EVENTS_SWEPT_MAX: Final = 1_000
_LOOKED_THROUGH_MAX: Final = 300
_PAGE: Final = 100
_NOT_FOUND: Final = 404
_CLOCK_SKEW_SECONDS: Final = 120

_STATES: Final[dict[str, PaymentState]] = {
    "requires_payment_method": "requires_method",
    "requires_confirmation": "requires_method",
    "requires_action": "requires_action",
    "processing": "processing",
    "requires_capture": "processing",
    "succeeded": "succeeded",
    "canceled": "canceled",
}
"""What an intent's status means to us; we never ask for a capture by hand."""


class StripeGateway:
    """Moves money at Stripe. Banks send buyers back to the order's page below `shop_url`."""

    def __init__(self, api: StripeApi, clock: Clock, *, shop_url: str) -> None:
        self._api = api
        self._clock = clock
        self._shop_url = shop_url

    async def submit(self, attempt: Attempt, *, customer: str | None) -> Outcome:
        """Make the attempt's intent, or confirm it with another method, under `attempt.key`."""
        intents = self._api.v1.payment_intents
        options = {"idempotency_key": attempt.key}
        if attempt.intent_id is None:
            asked = _new_intent(attempt, customer)
            if attempt.method_id is not None:
                asked |= {"confirm": True, **self._confirmation(attempt)}
            return await self._outcome(intents.create_async(asked, options))
        if attempt.method_id is None:
            return await self.look_up(attempt)
        asked = {"payment_method": attempt.method_id, **self._confirmation(attempt)}
        return await self._outcome(intents.confirm_async(attempt.intent_id, asked, options))

    async def look_up(self, attempt: Attempt) -> Outcome:
        """Say what became of an attempt; `Refused` if no intent was ever made for it."""
        asked_at = self._clock.now()
        try:
            intent_id = attempt.intent_id or await self._find(attempt)
        except StripeUnheardError:
            return Unheard()
        if intent_id is None:
            return Refused("never_submitted")
        call = self._api.v1.payment_intents.retrieve_async(intent_id)
        return await self._outcome(call, asked_at=asked_at)

    async def cancel(self, attempt: Attempt) -> Outcome:
        """Have the attempt's intent take no money any more; what it says if it did already."""
        intent_id = attempt.intent_id
        if intent_id is None:
            found = await self.look_up(attempt)
            if not isinstance(found, Snapshot):
                return found
            intent_id = found.intent_id
        options = {"idempotency_key": f"{attempt.key}:cancel"}
        asked = {"cancellation_reason": "abandoned"}
        call = self._api.v1.payment_intents.cancel_async(intent_id, asked, options)
        outcome = await self._outcome(call)
        if isinstance(outcome, Refused):
            known = msgspec.structs.replace(attempt, intent_id=intent_id)
            return await self.look_up(known)
        return outcome

    async def new_customer(self, user: UserId) -> str:
        """Return the customer made for a user; the same one each time."""
        asked = {"metadata": {"rialto_user": user}}
        options = {"idempotency_key": f"customer:{user}"}
        made = await heard(self._api.v1.customers.create_async(asked, options))
        return str(made.id)

    async def begin_setup(self, customer: str, *, key: str) -> Setup:
        """Let a customer keep another method, in the browser."""
        asked = {"customer": customer, "usage": "off_session"}
        options = {"idempotency_key": f"setup:{key}"}
        made = await heard(self._api.v1.setup_intents.create_async(asked, options))
        return Setup(intent_id=made.id, client_secret=made.client_secret)

    async def methods(self, customer: str) -> Sequence[StoredMethod]:
        """Return what a customer keeps, the newest first, up to 100."""
        asked = {"limit": _PAGE, "expand": ["data.customer"]}
        kept = await heard(self._api.v1.customers.payment_methods.list_async(customer, asked))
        return [_stored(plain(each)) for each in kept.data]

    async def set_default(self, customer: str, method: str) -> None:
        """Pay with `method` unless told otherwise."""
        asked = {"invoice_settings": {"default_payment_method": method}}
        await heard(self._api.v1.customers.update_async(customer, asked))

    async def detach(self, method: str) -> None:
        """Forget a method; that it is gone already is fine."""
        await heard(self._api.v1.payment_methods.detach_async(method))

    async def undelivered(self, *, since: datetime) -> Sequence[bytes]:
        """Return, as JSON, the events since then that no endpoint of ours has taken."""
        asked: dict[str, Any] = {
            "delivery_success": False,
            "created": {"gte": unix_ms(since) // 1000},
            "limit": _PAGE,
        }
        found: list[bytes] = []
        while len(found) < EVENTS_SWEPT_MAX:
            page = await heard(self._api.v1.events.list_async(asked))
            found.extend(msgspec.json.encode(plain(each)) for each in page.data)
            if not page.has_more:
                break
            asked["starting_after"] = page.data[-1].id
        return found

    async def event(self, event_id: str) -> bytes:
        """Return one event, as JSON."""
        found = await heard(self._api.v1.events.retrieve_async(event_id))
        return msgspec.json.encode(plain(found))

    def _confirmation(self, attempt: Attempt) -> dict[str, Any]:
        if attempt.off_session:
            return {"off_session": True}
        return {"return_url": f"{self._shop_url}/orders/{attempt.order_id}"}

    async def _find(self, attempt: Attempt) -> str | None:
        """Look through the intents made since the attempt was submitted for its own."""
        since = unix_ms(attempt.created_at) // 1000 - _CLOCK_SKEW_SECONDS
        asked: dict[str, Any] = {"created": {"gte": since}, "limit": _PAGE}
        seen = 0
        while seen < _LOOKED_THROUGH_MAX:
            page = await heard(self._api.v1.payment_intents.list_async(asked))
            for each in page.data:
                if plain(each).get("metadata", {}).get(PAYMENT_METADATA) == attempt.id:
                    return str(each.id)
            if not page.has_more:
                return None
            seen += len(page.data)
            asked["starting_after"] = page.data[-1].id
        raise StripeUnheardError  # Not seen is not the same as not there.

    async def _outcome(self, call: Awaitable[Any], *, asked_at: datetime | None = None) -> Outcome:
        asked_at = asked_at or self._clock.now()
        try:
            intent = plain(await heard(call))
        except StripeUnheardError:
            return Unheard()
        except StripeRefusedError as refused:
            declined = refused.details.get("payment_intent")
            if isinstance(declined, dict):
                return snapshot_of(declined, asked_at=asked_at)
            if refused.status == _NOT_FOUND:
                return Refused("never_submitted")
            return Refused(refused.reason)
        return snapshot_of(intent, asked_at=asked_at)


def snapshot_of(intent: dict[str, Any], *, asked_at: datetime) -> Snapshot:
    """Return what an intent says, as Stripe's JSON has it."""
    problem = intent.get("last_payment_error") or {}
    charge = intent.get("latest_charge")
    method = intent.get("payment_method")
    metadata = intent.get("metadata") or {}
    payment = metadata.get(PAYMENT_METADATA)
    return Snapshot(
        intent_id=intent["id"],
        payment=None if payment is None else PaymentId(payment),
        state=_STATES[intent["status"]],
        amount=from_stripe(intent["amount"], intent["currency"]),
        captured_minor=from_stripe(
            intent.get("amount_received") or 0, intent["currency"]
        ).amount_minor,
        asked_at=asked_at,
        client_secret=intent.get("client_secret"),
        charge_id=charge["id"] if isinstance(charge, dict) else charge,
        method_id=method["id"] if isinstance(method, dict) else method,
        failure=problem.get("decline_code") or problem.get("code"),
    )


def _new_intent(attempt: Attempt, customer: str | None) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "amount": to_stripe(attempt.amount),
        "currency": attempt.currency.lower(),
        "metadata": {PAYMENT_METADATA: attempt.id, ORDER_METADATA: attempt.order_id},
    }
    if customer is not None:
        asked["customer"] = customer
    if attempt.saves_method:
        asked["setup_future_usage"] = "off_session"
    if attempt.method_id is None:
        asked["automatic_payment_methods"] = {"enabled": True}
        return asked
    return asked | {"payment_method": attempt.method_id, "payment_method_types": ["card"]}


def _stored(told: dict[str, Any]) -> StoredMethod:
    """Read a method that is told with its owner, who prefers one."""
    settings = (told.get("customer") or {}).get("invoice_settings") or {}
    card = told.get(told["type"]) or {}
    month, year = card.get("exp_month"), card.get("exp_year")
    return StoredMethod(
        id=told["id"],
        kind=told["type"],
        brand=card.get("brand") or told["type"],
        last4=card.get("last4") or "",
        expires=f"{month:02d}/{year % 100:02d}" if month and year else "",
        fingerprint=card.get("fingerprint"),
        is_default=told["id"] == settings.get("default_payment_method"),
    )
