"""What the rest of commerce may ask of payments.

To be paid: `open_attempt` in a transaction; when it has committed, `submit`, outside of any; then
`record` what came of it in another. Whatever breaks in between is found by `unsettled` and asked
after with `ask_after`, which repeats the call under the same key or looks the intent up.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from commerce.foundation.database import Database, Transaction
from commerce.foundation.invariants import Invariant
from commerce.payments import repository
from commerce.payments.errors import (
    LiveAttemptExistsError,
    PaymentMethodNotFoundError,
    PaymentNotOpenError,
)
from commerce.payments.model import (
    AWAITS_ANSWER,
    Attempt,
    Charge,
    Outcome,
    Refused,
    Setup,
    Snapshot,
    StoredMethod,
    show,
    take_in,
)
from commerce.payments.ports import PaymentGateway
from protocol.events import PaymentChanged
from protocol.ids import OrderId, PaymentId, UserId
from protocol.topics import order_topic, user_topic
from protocol.views import PaymentState

ATTEMPTS_SHOWN_MAX: Final = 20
UNSETTLED_AT_ONCE_MAX: Final = 100
_BREACHES_MAX: Final = 20


async def open_attempt(tx: Transaction, charge: Charge) -> Attempt:
    """Write down that a charge is about to be made; submit it once this has committed.

    Raises:
        LiveAttemptExistsError: if another attempt for the order is not over.
    """
    attempt = Attempt(
        id=PaymentId(tx.mint("pay")),
        order_id=charge.order,
        buyer_id=charge.buyer,
        version=1,
        state="submitting",
        amount_minor=charge.amount.amount_minor,
        currency=charge.amount.currency,
        captured_minor=0,
        off_session=charge.off_session,
        saves_method=charge.saves_method,
        method_id=charge.method,
        submissions=1,
        submitted_at=tx.now,
        intent_id=None,
        client_secret=None,
        charge_id=None,
        failure=None,
        observed_at=None,
        created_by_run=charge.created_by_run,
        created_at=tx.now,
    )
    if not await repository.add(tx, attempt):
        raise LiveAttemptExistsError(charge.order)
    await _tell(tx, attempt)
    return attempt


async def try_again(tx: Transaction, payment: PaymentId, method: str) -> Attempt:
    """Write down that an attempt is about to be submitted with another method.

    Raises:
        PaymentNotOpenError: if it is over, or does not wait for a method.
    """
    held = await _locked(tx, payment)
    if held.state != "requires_method":
        raise PaymentNotOpenError(held.state)
    return await _save(tx, held, held.submitted_again(method, tx.now))


async def submit(gateway: PaymentGateway, attempt: Attempt, *, customer: str | None) -> Outcome:
    """Hand an attempt to the gateway; never within a transaction. Safe to repeat."""
    return await gateway.submit(attempt, customer=customer)


async def ask_after(
    gateway: PaymentGateway, attempt: Attempt, *, customer: str | None, now: datetime
) -> Outcome:
    """Find out what became of an attempt; never within a transaction.

    What nobody heard of is repeated under its own key while Stripe remembers that, and looked up
    afterwards: it is never charged a second time.
    """
    if attempt.state in AWAITS_ANSWER and attempt.may_repeat(now):
        return await gateway.submit(attempt, customer=customer)
    return await gateway.look_up(attempt)


async def cancel(gateway: PaymentGateway, attempt: Attempt) -> Outcome:
    """Have an attempt take no money any more, if it did not already; never in a transaction.

    An attempt whose submission was never heard of must be asked after first.
    """
    return await gateway.cancel(attempt)


async def record(tx: Transaction, payment: PaymentId, outcome: Outcome) -> Attempt:
    """Write down what became of an attempt, and return it as it is now.

    The same outcome again, or older news, changes nothing.

    Raises:
        WrongMoneyError: if Stripe's intent is over another sum, or is another attempt's.
    """
    held = await _locked(tx, payment)
    return await _save(tx, held, take_in(held, outcome))


async def give_up(tx: Transaction, payment: PaymentId, outcome: Outcome) -> Attempt:
    """Write down what became of canceling an attempt; one that no intent was made for is over."""
    held = await _locked(tx, payment)
    if isinstance(outcome, Refused) and held.intent_id is None and not held.is_final:
        return await _save(tx, held, held.refused(outcome.reason))
    return await _save(tx, held, take_in(held, outcome))


async def attempt(tx: Transaction, payment: PaymentId) -> Attempt:
    """Return an attempt that there is, held until the transaction ends."""
    return await _locked(tx, payment)


async def attempt_of_intent(tx: Transaction, seen: Snapshot) -> Attempt | None:
    """Return the attempt that an intent was made for; None if it was made elsewhere."""
    known = await repository.by_intent(tx, seen.intent_id)
    if known is None and seen.payment is not None:
        known = await repository.find(tx, seen.payment)
    return known


async def attempt_named(
    tx: Transaction, intent_id: str, payment: PaymentId | None
) -> Attempt | None:
    """Return the attempt of an intent that may say which it is; None if it was made elsewhere."""
    known = await repository.by_intent(tx, intent_id)
    if known is None and payment is not None:
        known = await repository.find(tx, payment)
    return known


async def attempt_of_charge(tx: Transaction, charge: str) -> Attempt | None:
    """Return the attempt that a charge of Stripe's came of."""
    return await repository.by_charge(tx, charge)


async def attempt_of_order(tx: Transaction, order: OrderId) -> Attempt | None:
    """Return the one attempt of an order that is not over; the paid one, if it is paid."""
    return await repository.live(tx, order)


async def attempts_of(tx: Transaction, order: OrderId) -> list[Attempt]:
    """Return the last `ATTEMPTS_SHOWN_MAX` attempts of an order, the newest first."""
    return await repository.of_order(tx, order, limit=ATTEMPTS_SHOWN_MAX)


async def captured(tx: Transaction, order: OrderId) -> int:
    """Return how many minor units were taken for an order."""
    paid = await repository.live(tx, order)
    return 0 if paid is None else paid.captured_minor


async def unsettled(
    tx: Transaction,
    states: Iterable[PaymentState],
    *,
    for_seconds: int,
    after: PaymentId | None = None,
) -> list[Attempt]:
    """Return attempts in these states that were submitted longer ago than that, the oldest first.

    There are `UNSETTLED_AT_ONCE_MAX` at most: ask again `after` the last of them.
    """
    before = tx.now - timedelta(seconds=for_seconds)
    limit = UNSETTLED_AT_ONCE_MAX
    return await repository.unsettled(tx, states, before=before, after=after, limit=limit)


async def customer_of(tx: Transaction, user: UserId) -> str | None:
    """Return who a user is at Stripe, if they have been there."""
    return await repository.customer(tx, user)


async def customer_for(database: Database, gateway: PaymentGateway, user: UserId) -> str:
    """Return who a user is at Stripe, made if need be; never within a transaction.

    Two at once are one: the user's id is the idempotency key of making it, and the row is unique.
    """
    async with database.transaction() as tx:
        known = await repository.customer(tx, user)
    if known is not None:
        return known
    made = await gateway.new_customer(user)
    async with database.transaction() as tx:
        await repository.add_customer(tx, user, made)
        found = await repository.customer(tx, user)
    assert found is not None
    return found


async def begin_setup(
    database: Database, gateway: PaymentGateway, user: UserId, *, key: str
) -> Setup:
    """Let a user keep another method, which they give in the browser."""
    customer = await customer_for(database, gateway, user)
    return await gateway.begin_setup(customer, key=key)


async def methods(
    database: Database, gateway: PaymentGateway, user: UserId
) -> Sequence[StoredMethod]:
    """Return the methods a user keeps, the newest first."""
    async with database.transaction() as tx:
        customer = await repository.customer(tx, user)
    return [] if customer is None else await gateway.methods(customer)


async def method(
    database: Database, gateway: PaymentGateway, user: UserId, method_id: str
) -> StoredMethod:
    """Return one method that a user keeps.

    Raises:
        PaymentMethodNotFoundError: if they keep no such method.
    """
    for each in await methods(database, gateway, user):
        if each.id == method_id:
            return each
    raise PaymentMethodNotFoundError


async def set_default(
    database: Database, gateway: PaymentGateway, user: UserId, method_id: str
) -> None:
    """Have a user pay with a method they keep, unless told otherwise.

    Raises:
        PaymentMethodNotFoundError: if they keep no such method.
    """
    await method(database, gateway, user, method_id)
    await gateway.set_default(await customer_for(database, gateway, user), method_id)


async def detach(database: Database, gateway: PaymentGateway, user: UserId, method_id: str) -> None:
    """Forget a method that a user keeps.

    Raises:
        PaymentMethodNotFoundError: if they keep no such method.
    """
    await method(database, gateway, user, method_id)
    await gateway.detach(method_id)


async def _locked(tx: Transaction, payment: PaymentId) -> Attempt:
    held = await repository.lock(tx, payment)
    assert held is not None
    return held


async def _save(tx: Transaction, before: Attempt, after: Attempt) -> Attempt:
    if after == before:
        return before
    await repository.save(tx, before, after)
    await _tell(tx, after)
    return after


async def _tell(tx: Transaction, attempt: Attempt) -> None:
    fact = PaymentChanged(payment=show(attempt))
    event_id = await tx.emit(order_topic(attempt.order_id), fact)
    await tx.emit(user_topic(attempt.buyer_id), fact, event_id=event_id)


async def _paid_twice(tx: Transaction) -> list[str]:
    return [
        f"the order {order} was paid by two attempts"
        for order in await repository.paid_twice(tx, limit=_BREACHES_MAX)
    ]


INVARIANTS: Final = (
    Invariant(
        name="payments.once",
        says="No order is paid by more than one attempt.",
        check=_paid_twice,
    ),
)
