"""What can go wrong when something is priced, on purpose."""

from shared.errors import ExpectedError


class NotSoldInCurrencyError(ExpectedError):
    """Something has no price in the currency that is asked for."""

    code = "not_sold_in_currency"
    http_status = 409

    def __init__(self, title: str, *, currency: str) -> None:
        super().__init__(f"{title} is not sold in {currency}.")


class DiscountDoesNotApplyError(ExpectedError):
    """A code takes nothing off this basket."""

    code = "discount_does_not_apply"
    http_status = 409

    def __init__(self, code: str) -> None:
        super().__init__(f"The discount {code} takes nothing off what is in this cart.")
