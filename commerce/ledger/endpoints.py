"""The HTTP door of the ledger: reports, for the shop's staff."""

from typing import Final

from commerce.foundation.http import Call, Door
from commerce.ledger import service
from commerce.ledger.schemas import AccountBalance, Postings, Report, ReportQuery, Standing
from protocol.ids import OrderId

door: Final = Door("ledger")

STAFF_ROLE: Final = "staff"


@door.api("GET", "/v1/admin/ledger/balances", query=ReportQuery, out=Report)
async def balances(call: Call[None, ReportQuery]) -> Report:
    """Report what every account comes to, in each currency."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        found = await service.balances(tx, since=call.query.since, until=call.query.until)
    return Report(
        balances=[
            AccountBalance(
                account=each.account,
                currency=each.currency,
                debit_minor=each.debit_minor,
                credit_minor=each.credit_minor,
                amount_minor=each.amount_minor,
            )
            for each in found
        ]
    )


@door.api("GET", "/v1/admin/ledger/orders/{order}", out=Postings)
async def of_order(call: Call[None, None]) -> Postings:
    """Show what was posted for an order."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        return Postings(items=await service.of_order(tx, OrderId(call.path["order"])))


@door.api("GET", "/v1/admin/ledger/differences", out=Standing)
async def differences(call: Call[None, None]) -> Standing:
    """Show what the payment processor and the ledger do not say alike."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        return Standing(
            differences=await service.differences(tx),
            last=await service.last_reconciliation(tx),
        )
