"""What the clock does for invoices: papers name the seller that the settings name."""

from commerce.foundation.database import Transaction
from commerce.foundation.jobs import Job
from commerce.invoices import service
from commerce.invoices.model import Seller
from commerce.invoices.settings import SellerSettings


def jobs(settings: SellerSettings) -> tuple[Job, ...]:
    """Return the jobs; the first run is at once."""
    seller = Seller(
        name=settings.name,
        address=settings.address,
        country=settings.country,
        tax_id=settings.tax_id,
        email=settings.email,
        time_zone=settings.time_zone,
        prefix=settings.invoice_prefix,
    )

    async def keep_seller(tx: Transaction) -> None:
        await service.set_seller(tx, seller)

    return (Job(name="invoices.seller", every_seconds=60, run=keep_seller),)
