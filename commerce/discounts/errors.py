"""What can go wrong with discounts, on purpose."""

from protocol.ids import DiscountId
from shared.errors import ExpectedError


class UnknownCodeError(ExpectedError):
    """No such code, or it does not hold now."""

    code = "discount_unknown"
    http_status = 409

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no discount {code!r}, or not any more.")


class DiscountUsedUpError(ExpectedError):
    """As many orders as may have it have it."""

    code = "discount_used_up"
    http_status = 409

    def __init__(self, code: str) -> None:
        super().__init__(f"The discount {code} has been used as often as it can be.")


class DiscountUsedBeforeError(ExpectedError):
    """The customer has used it, and may do so once only."""

    code = "discount_used_before"
    http_status = 409

    def __init__(self, code: str) -> None:
        super().__init__(f"You have used the discount {code} before; it is once for everybody.")


class CodeTakenError(ExpectedError):
    """Another discount has this code."""

    code = "discount_code_taken"
    http_status = 409

    def __init__(self, code: str) -> None:
        super().__init__(f"There is a discount {code} already.")


class DiscountNotFoundError(ExpectedError):
    """No such discount."""

    code = "discount_not_found"
    http_status = 404

    def __init__(self, discount: DiscountId) -> None:
        super().__init__(f"There is no discount {discount}.")
