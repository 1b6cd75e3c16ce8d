"""What can go wrong with taxes, on purpose."""

from datetime import date

from shared.errors import ExpectedError


class TaxRateExistsError(ExpectedError):
    """A rate of that country and class begins on that day already."""

    code = "tax_rate_exists"
    http_status = 409

    def __init__(self, country: str, tax_class: str, valid_from: date) -> None:
        super().__init__(
            f"{country} has a rate for {tax_class} from {valid_from}; rates that were used stay."
        )
