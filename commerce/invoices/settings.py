"""Who sells, as it is printed on invoices."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from shared.environment import Profile, variable

Text = Annotated[str, msgspec.Meta(max_length=200)]


class SellerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The seller's facts. Papers that were issued keep those of their day."""

    name: Annotated[
        Text,
        variable("RIALTO_SELLER_NAME", "Who sells, as printed on invoices.", required_in_prod=True),
    ] = "Rialto Demo Shop"
    address: Annotated[
        tuple[Text, ...],
        variable(
            "RIALTO_SELLER_ADDRESS",
            "The seller's address, its lines by commas.",
            required_in_prod=True,
        ),
    ] = ("Riva del Vin 1", "30125 Venezia")
    country: Annotated[
        str,
        msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)"),
        variable("RIALTO_SELLER_COUNTRY", "The seller's country, in two letters (ISO 3166)."),
    ] = "IT"
    tax_id: Annotated[
        Text, variable("RIALTO_SELLER_TAX_ID", "The seller's tax number, if there is one.")
    ] = ""
    email: Annotated[
        Text, variable("RIALTO_SELLER_EMAIL", "Where buyers write to about an invoice.")
    ] = ""
    time_zone: Annotated[
        str,
        msgspec.Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$(?!\n)"),
        variable(
            "RIALTO_SELLER_TIME_ZONE",
            "The seller's time zone, such as Europe/Rome: it says in which year an invoice is.",
        ),
    ] = "UTC"
    invoice_prefix: Annotated[
        str,
        msgspec.Meta(pattern=r"^[A-Z0-9]{1,8}$(?!\n)"),
        variable("RIALTO_SELLER_INVOICE_PREFIX", "What the numbers of invoices begin with."),
    ] = "R"
    fonts_dir: Annotated[
        str,
        variable(
            "RIALTO_SELLER_FONTS_DIR",
            "A folder of more fonts for invoices, for scripts other than Latin, Greek, Cyrillic.",
        ),
    ] = ""

    def problems(self, profile: Profile) -> Iterator[str]:
        """Yield a sentence for each rule that `profile` finds broken."""
        if profile == "prod" and not self.email:
            yield "RIALTO_SELLER_EMAIL is not set: buyers must be able to write to the seller."
