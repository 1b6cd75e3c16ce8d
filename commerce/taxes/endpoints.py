"""The HTTP door of taxes."""

from typing import Final

from commerce.accounts.model import STAFF_ROLE
from commerce.foundation.acts import Act
from commerce.foundation.audit import write_down
from commerce.foundation.errors import ForbiddenError, InvalidRequestError
from commerce.foundation.http import Call, Door
from commerce.taxes import service
from commerce.taxes.errors import TaxRateExistsError
from commerce.taxes.model import TaxRate
from commerce.taxes.schemas import Countries, NewTaxRate, TaxRates, TaxRatesQuery

door: Final = Door("taxes")


@door.api("GET", "/v1/tax-countries", out=Countries, auth="none")
async def countries(call: Call[None, None]) -> Countries:
    """List the countries whose taxes the shop knows; elsewhere none is taken."""
    async with call.database.transaction() as tx:
        return Countries(items=await service.countries(tx))


@door.api(
    "GET",
    "/v1/admin/tax-rates",
    query=TaxRatesQuery,
    out=TaxRates,
    errors=(ForbiddenError,),
)
async def tax_rates(call: Call[None, TaxRatesQuery]) -> TaxRates:
    """List every rate there is or was; staff only."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        return TaxRates(items=await service.all_rates(tx, call.query.country))


@door.api(
    "POST",
    "/v1/admin/tax-rates",
    body=NewTaxRate,
    out=TaxRate,
    status=201,
    errors=(ForbiddenError, TaxRateExistsError),
)
async def add_tax_rate(call: Call[NewTaxRate, None]) -> TaxRate:
    """Let a rate hold from a day on; staff only. Rates that were used never change."""
    staff = call.require_role(STAFF_ROLE)
    rate = call.body.rate()
    if rate.valid_until is not None and rate.valid_until <= rate.valid_from:
        raise InvalidRequestError("A rate must hold for a day at least.")
    async with call.database.transaction() as tx:
        await service.add(tx, rate)
        act = Act(actor=staff.user, action="tax_rate.add", subject=rate.country, after=rate)
        await write_down(tx, act)
    return rate
