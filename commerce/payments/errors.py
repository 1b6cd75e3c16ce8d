"""What can go wrong with a payment, on purpose."""

from protocol.ids import OrderId
from shared.errors import ExpectedError


class LiveAttemptExistsError(ExpectedError):
    """The order is being paid for already."""

    code = "payment_under_way"
    http_status = 409

    def __init__(self, order: OrderId) -> None:
        super().__init__(
            f"A payment for the order {order} is under way; finish or cancel that one."
        )


class PaymentNotOpenError(ExpectedError):
    """The attempt is over, or its answer is awaited."""

    code = "payment_not_open"
    http_status = 409

    def __init__(self, state: str) -> None:
        super().__init__(
            f"This payment is {state.replace('_', ' ')}; it cannot be tried again now."
        )


class PaymentMethodNotFoundError(ExpectedError):
    """No such stored payment method, or not yours."""

    code = "payment_method_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("You have no such payment method.")
