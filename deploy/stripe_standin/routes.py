"""Every address of the API."""

from typing import Final

from deploy.stripe_standin.billing import (
    clocks,
    coupons,
    invoicing,
    lines,
    prices,
    products,
    subscriptions,
)
from deploy.stripe_standin.payments import (
    aftermath,
    charges,
    disputes,
    intents,
    ledger,
    payouts,
    refunds,
    setup_intents,
)
from deploy.stripe_standin.people import customers, payment_methods
from deploy.stripe_standin.routing import Route, Routes
from deploy.stripe_standin.webhooks import endpoints

_ALL: Final[tuple[tuple[Route, ...], ...]] = (
    intents.ROUTES,
    charges.ROUTES,
    refunds.ROUTES,
    disputes.ROUTES,
    aftermath.ROUTES,
    ledger.ROUTES,
    payouts.ROUTES,
    customers.ROUTES,
    payment_methods.ROUTES,
    setup_intents.ROUTES,
    endpoints.ROUTES,
    products.ROUTES,
    prices.ROUTES,
    coupons.ROUTES,
    lines.ROUTES,
    invoicing.ROUTES,
    subscriptions.ROUTES,
    clocks.ROUTES,
)


def all_routes() -> Routes:
    """Return the table of them all."""
    return Routes(route for routes in _ALL for route in routes)
