"""What payments ask of the service that moves the money."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from commerce.payments.model import Attempt, Outcome, Setup, StoredMethod
from protocol.ids import UserId


class PaymentGateway(Protocol):
    """Moves money. Every call may be repeated: the ids given make a second one harmless.

    None is made within a transaction. A call about an attempt always comes back with an outcome;
    the others raise `StripeRefusedError` or `StripeUnheardError`.
    """

    async def submit(self, attempt: Attempt, *, customer: str | None) -> Outcome:
        """Make the attempt's intent, or confirm it with another method, under `attempt.key`."""
        ...

    async def look_up(self, attempt: Attempt) -> Outcome:
        """Say what became of an attempt; `Refused` if no intent was ever made for it."""
        ...

    async def cancel(self, attempt: Attempt) -> Outcome:
        """Have the attempt's intent take no money any more; what it says if it did already."""
        ...

    async def new_customer(self, user: UserId) -> str:
        """Return the customer made for a user; the same one each time."""
        ...

    async def begin_setup(self, customer: str, *, key: str) -> Setup:
        """Let a customer keep another method, in the browser."""
        ...

    async def methods(self, customer: str) -> Sequence[StoredMethod]:
        """Return what a customer keeps, the newest first, up to 100."""
        ...

    async def set_default(self, customer: str, method: str) -> None:
        """Pay with `method` unless told otherwise."""
        ...

    async def detach(self, method: str) -> None:
        """Forget a method; that it is gone already is fine."""
        ...

    async def undelivered(self, *, since: datetime) -> Sequence[bytes]:
        """Return, as JSON, the events since then that no endpoint of ours has taken."""
        ...

    async def event(self, event_id: str) -> bytes:
        """Return one event, as JSON."""
        ...
