"""What some test cards do once they have been charged."""

from typing import Final

from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.payments import disputes
from deploy.stripe_standin.people.cards import TestCard
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World


class ListWarnings(Page, frozen=True, kw_only=True):
    """Which warnings."""

    charge: str | None = None
    payment_intent: str | None = None


def follow(world: World, charge: Document, card: TestCard) -> None:
    """Dispute the charge, or warn of fraud, if the card is one that does."""
    if card.dispute is not None:
        disputes.open_dispute(world, charge, card.dispute, is_inquiry=card.is_inquiry)
    if card.warns_of_fraud:
        warn(world, charge)


def warn(world: World, charge: Document) -> Document:
    """Let the card's bank report that it takes a charge for fraud."""
    warning = world.new(
        "issfr",
        "radar.early_fraud_warning",
        actionable=not charge["refunded"] and not charge["disputed"],
        charge=charge["id"],
        fraud_type="made_with_stolen_card",
        payment_intent=charge["payment_intent"],
    )
    world.save(warning)
    world.emit("radar.early_fraud_warning.created", warning)
    return warning


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("radar.early_fraud_warning", identity)


def _list(world: World, asked: ListWarnings, _: str) -> Document:
    where = {"charge": asked.charge, "payment_intent": asked.payment_intent}
    url = "/v1/radar/early_fraud_warnings"
    return page_of(world, "radar.early_fraud_warning", asked, url=url, where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "radar/early_fraud_warnings", ListWarnings, _list),
    route("GET", "radar/early_fraud_warnings/*", Retrieve, _retrieve),
)
