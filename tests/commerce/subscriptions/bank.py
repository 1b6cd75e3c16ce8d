"""A bank that does as it is told, and remembers what it was asked under which key."""

import msgspec

from commerce.payments.model import Refused, Setup, Snapshot, StoredMethod, Unheard


class KilledError(BaseException):
    """The process is gone."""


class Bank:
    """A payment gateway. `answers` are used up one a submission; then the card is good."""

    def __init__(self, clock):
        self.clock = clock
        self.answers = []
        self.stored = [a_method("pm_1")]
        self.intents = {}
        self.by_key = {}
        self.charged = []
        self.is_deaf = False
        self.kills_before = False
        self.kills_after = False
        self.meanwhile = None

    async def submit(self, attempt, *, customer):
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        if self.kills_before:
            raise KilledError
        if attempt.key not in self.by_key:
            self.by_key[attempt.key] = self._charge(attempt)
        outcome = self.by_key[attempt.key]
        if self.kills_after:
            raise KilledError
        return Unheard() if self.is_deaf else outcome

    async def look_up(self, attempt):
        found = self.intents.get(attempt.id)
        if found is None:
            return Refused("never_submitted")
        return msgspec.structs.replace(found, asked_at=self.clock.now())

    async def cancel(self, attempt):
        found = self.intents.get(attempt.id)
        if found is None:
            return Refused("never_submitted")
        if found.state != "succeeded":
            found = msgspec.structs.replace(found, state="canceled", asked_at=self.clock.now())
            self.intents[attempt.id] = found
        return found

    def pay(self, attempt):
        """Let the buyer pay an intent in the browser."""
        self.intents[attempt.id] = self._snapshot(attempt, "succeeded", None)
        self.charged.append((attempt.order_id, attempt.amount_minor))
        return self.intents[attempt.id]

    async def methods(self, customer):
        return self.stored

    async def new_customer(self, user):
        return f"cus_{user}"

    async def begin_setup(self, customer, *, key):
        return Setup(intent_id="seti_1", client_secret="secret")

    async def set_default(self, customer, method):
        raise NotImplementedError

    async def detach(self, method):
        raise NotImplementedError

    async def undelivered(self, *, since):
        return []

    async def event(self, event_id):
        raise NotImplementedError

    def _charge(self, attempt):
        known = self.intents.get(attempt.id)
        if known is not None and known.state in {"succeeded", "canceled"}:
            return known
        failure = self.answers.pop(0) if self.answers else None
        state = "succeeded" if failure is None else "requires_method"
        if failure is None:
            self.charged.append((attempt.order_id, attempt.amount_minor))
        self.intents[attempt.id] = self._snapshot(attempt, state, failure)
        return self.intents[attempt.id]

    def _snapshot(self, attempt, state, failure):
        return Snapshot(
            intent_id=f"pi_{attempt.id}",
            payment=attempt.id,
            state=state,
            amount=attempt.amount,
            captured_minor=attempt.amount_minor if state == "succeeded" else 0,
            asked_at=self.clock.now(),
            client_secret="secret",
            charge_id=f"ch_{attempt.id}" if state == "succeeded" else None,
            method_id=attempt.method_id,
            failure=failure,
        )


def a_method(identity, *, fingerprint="fp_1", is_default=True):
    return StoredMethod(
        id=identity,
        kind="card",
        brand="visa",
        last4="4242",
        expires="12/30",
        fingerprint=fingerprint,
        is_default=is_default,
    )
