"""What can go wrong with refunds and disputes, on purpose."""

from commerce.foundation.errors import RetryLaterError
from protocol.ids import DisputeId, OrderId, RefundId
from shared.errors import ExpectedError


class RefundNotFoundError(ExpectedError):
    """No such refund or request for one, or not yours to see."""

    code = "refund_not_found"
    http_status = 404

    def __init__(self, refund: RefundId) -> None:
        super().__init__(f"There is no refund {refund} of yours.")


class NothingPaidError(ExpectedError):
    """Nothing was paid for the order, so nothing can be given back."""

    code = "nothing_paid"
    http_status = 409

    def __init__(self, order: OrderId) -> None:
        super().__init__(f"Nothing was paid for order {order}.")


class RefundTooLargeError(ExpectedError):
    """More is asked back than is left."""

    code = "refund_too_large"
    http_status = 409

    def __init__(self, *, left_minor: int) -> None:
        super().__init__(f"No more than {left_minor} (in minor units) can be given back.")


class NothingToRefundError(ExpectedError):
    """What is asked for comes to nothing."""

    code = "nothing_to_refund"
    http_status = 422

    def __init__(self) -> None:
        super().__init__("What is asked for comes to nothing.")


class OrderDisputedError(ExpectedError):
    """The buyer's bank asks for the money back already."""

    code = "order_disputed"
    http_status = 409

    def __init__(self, order: OrderId) -> None:
        super().__init__(f"The bank asks for the money of order {order} back; it will decide.")


class AskedAlreadyError(ExpectedError):
    """The buyer has asked already, and was not answered yet."""

    code = "refund_asked_already"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("A refund of this order has been asked for; the shop will answer.")


class RequestDecidedError(ExpectedError):
    """The request was answered or withdrawn."""

    code = "refund_request_decided"
    http_status = 409

    def __init__(self, state: str) -> None:
        super().__init__(f"This request is {state} already.")


class RefundOfUnknownPaymentError(RetryLaterError):
    """The processor tells of a payment that is not known here, or not yet."""

    code = "unknown_payment"
    http_status = 409

    def __init__(self, subject: str) -> None:
        super().__init__(f"The payment of {subject} is not known here.")


class RefundDiffersError(ExpectedError):
    """The processor tells of another sum than the one that was to be given back."""

    code = "refund_differs"
    http_status = 409

    def __init__(self, refund: RefundId) -> None:
        super().__init__(f"The processor has another sum for refund {refund} than the shop.")


class DisputeNotFoundError(ExpectedError):
    """No such dispute."""

    code = "dispute_not_found"
    http_status = 404

    def __init__(self, dispute: DisputeId) -> None:
        super().__init__(f"There is no dispute {dispute}.")
