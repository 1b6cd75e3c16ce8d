"""Payment gateways that are not Stripe: none at all, and one that does as a test says."""

import asyncio
import itertools

from commerce.foundation.errors import PaymentsClosedError
from commerce.payments.model import FINAL, Refused, Snapshot, Unheard
from shared.clock import Clock


class NoGateway:
    """A shop without an account: nothing can be asked."""

    def __getattr__(self, name):
        async def closed(*_args, **_named):
            raise PaymentsClosedError

        return closed


class ScriptedGateway:
    """Keeps one intent an attempt, as Stripe would; tests move it on, hold calls and lose answers.

    `held` names calls that wait at their gate, before or after they had their effect; `reached` is
    set when one does.
    """

    def __init__(self, clock: Clock):
        self.clock = clock
        self.intents = {}
        self.calls = []
        self.answer = "requires_method"
        self.lost = set()
        self.gates = {}
        self._numbers = itertools.count(1)

    def hold(self, call, moment="before"):
        """Have the next `call` wait; return the events (reached, go)."""
        gate = (asyncio.Event(), asyncio.Event())
        self.gates[call, moment] = gate
        return gate

    def lose(self, call):
        """Have the answers of `call` be lost, after its effect."""
        self.lost.add(call)

    def move(self, payment, state, failure=None):
        """Have the buyer or the bank bring an intent on."""
        self.intents[payment] |= {"state": state, "failure": failure}

    async def submit(self, attempt, *, customer):
        return await self._call("submit", attempt, self._submit)

    async def look_up(self, attempt):
        return await self._call("look_up", attempt, lambda _attempt: None)

    async def cancel(self, attempt):
        return await self._call("cancel", attempt, self._cancel)

    async def new_customer(self, user):
        return f"cus_{user}"

    async def methods(self, customer):
        return []

    def _submit(self, attempt):
        intent = self.intents.setdefault(
            attempt.id,
            {
                "id": f"pi_{next(self._numbers)}",
                "amount": attempt.amount,
                "state": "",
                "failure": None,
                "keys": set(),
            },
        )
        if attempt.key not in intent["keys"]:
            intent["keys"].add(attempt.key)
            intent["state"] = self.answer

    def _cancel(self, attempt):
        intent = self.intents.get(attempt.id)
        if intent and intent["state"] not in {*FINAL, "processing"}:
            intent["state"] = "canceled"

    async def _call(self, name, attempt, effect):
        self.calls.append((name, attempt.id))
        await self._wait(name, "before")
        effect(attempt)
        await self._wait(name, "after")
        if name in self.lost:
            return Unheard()
        return self.seen(attempt)

    async def _wait(self, name, moment):
        gate = self.gates.pop((name, moment), None)
        if gate is not None:
            reached, go = gate
            reached.set()
            await go.wait()

    def seen(self, attempt):
        """Return what the gateway has of an attempt now."""
        intent = self.intents.get(attempt.id)
        if intent is None:
            return Refused("never_submitted")
        paid = intent["state"] == "succeeded"
        return Snapshot(
            intent_id=intent["id"],
            payment=attempt.id,
            state=intent["state"],
            amount=intent["amount"],
            captured_minor=intent["amount"].amount_minor if paid else 0,
            asked_at=self.clock.now(),
            client_secret=f"{intent['id']}_secret",
            failure=intent["failure"],
        )
