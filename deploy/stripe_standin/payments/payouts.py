"""Payouts: from the balance to the bank."""

from typing import Final, Literal

from deploy.stripe_standin.errors import InvalidRequestError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.money import check_currency
from deploy.stripe_standin.payments import ledger
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged


class CreatePayout(Retrieve, frozen=True, kw_only=True):
    """How much."""

    amount: int
    currency: str
    description: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    statement_descriptor: str | None = None


class ListPayouts(Page, frozen=True, kw_only=True):
    """Which payouts."""

    status: str | None = None


def _create(world: World, asked: CreatePayout, _: str) -> Document:
    currency = check_currency(asked.currency)
    if asked.amount < 1 or asked.amount > ledger.available_minor(world, currency):
        raise InvalidRequestError(
            "You have insufficient funds in your Stripe account for this transfer.",
            code="balance_insufficient",
        )
    payout = world.new(
        "po",
        "payout",
        amount=asked.amount,
        arrival_date=world.now() + ledger.PENDING_SECONDS,
        automatic=False,
        balance_transaction=None,
        currency=currency,
        description=asked.description,
        destination=None,
        failure_balance_transaction=None,
        failure_code=None,
        failure_message=None,
        metadata=merged({}, asked.metadata),
        method="standard",
        reconciliation_status="not_applicable",
        source_type="card",
        statement_descriptor=asked.statement_descriptor,
        status="pending",
        type="bank_account",
    )
    payout["balance_transaction"] = ledger.book(world, payout, kind="payout", amount=-asked.amount)
    world.save(payout)
    world.emit("payout.created", payout)
    return payout


def settle(world: World, payout: Document, *, succeeds: bool) -> Document:
    """Let a payout arrive, or come back.

    Raises:
        InvalidRequestError: if it has ended.
    """
    if payout["status"] != "pending":
        raise InvalidRequestError(f"This payout has a status of {payout['status']}.")
    if succeeds:
        return world.change(payout, "payout.paid", status="paid")
    payout["failure_balance_transaction"] = ledger.book(
        world, payout, kind="payout_failure", amount=payout["amount"]
    )
    return world.change(payout, "payout.failed", status="failed", failure_code="account_closed")


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("payout", identity)


def _list(world: World, asked: ListPayouts, _: str) -> Document:
    where = {"status": asked.status}
    return page_of(world, "payout", asked, url="/v1/payouts", where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "payouts", CreatePayout, _create),
    route("GET", "payouts", ListPayouts, _list),
    route("GET", "payouts/*", Retrieve, _retrieve),
)
