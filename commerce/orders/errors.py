"""What can go wrong with an order, on purpose."""

from collections.abc import Sequence

from protocol.ids import OrderId, QuoteId
from protocol.views import OrderState
from shared.errors import ExpectedError


class OrderNotFoundError(ExpectedError):
    """No such order, or not yours to see."""

    code = "order_not_found"
    http_status = 404

    def __init__(self, order: OrderId) -> None:
        super().__init__(f"There is no order {order} of yours.")


class IllegalTransitionError(ExpectedError):
    """The order's state does not allow what was asked."""

    code = "illegal_transition"
    http_status = 409

    def __init__(self, *, from_state: OrderState, to_state: OrderState) -> None:
        super().__init__(
            f"An order that is {_spoken(from_state)} cannot become {_spoken(to_state)}."
        )


class NotForThisStateError(ExpectedError):
    """What was told of the order cannot happen to one in its state."""

    code = "illegal_transition"
    http_status = 409

    def __init__(self, *, state: OrderState, fact: str) -> None:
        super().__init__(f"{_spoken(fact).capitalize()}: not while it is {_spoken(state)}.")


class RefundsDoNotFitError(ExpectedError):
    """More would be given back than was paid, or for what is not in the order."""

    code = "refunds_do_not_fit"
    http_status = 409

    def __init__(self, order: OrderId) -> None:
        super().__init__(f"These refunds are not what was paid for order {order}.")


class QuoteNotFoundError(ExpectedError):
    """No such quote, or not yours."""

    code = "quote_not_found"
    http_status = 404

    def __init__(self, quote: QuoteId) -> None:
        super().__init__(f"There is no quote {quote} of yours.")


class QuoteExpiredError(ExpectedError):
    """The quote's prices are not promised any more."""

    code = "quote_expired"
    http_status = 409

    def __init__(self, quote: QuoteId) -> None:
        super().__init__(f"The time of the quote {quote} is over; ask for another.")


class QuoteOutdatedError(ExpectedError):
    """The cart comes to something else than was quoted."""

    code = "quote_outdated"
    http_status = 409

    def __init__(self, quote: QuoteId) -> None:
        super().__init__(f"What was quoted in {quote} costs something else now; ask for another.")


class AlreadyOwnedError(ExpectedError):
    """The buyer has this already. `confirm_repeat` buys it again."""

    code = "already_owned"
    http_status = 409

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__(f"You have {', '.join(titles)} already; say so if you want it again.")


class NotPayableError(ExpectedError):
    """The order does not wait for money."""

    code = "order_not_payable"
    http_status = 409

    def __init__(self, state: OrderState) -> None:
        super().__init__(f"The order is {_spoken(state)}: there is nothing to pay now.")


class PaymentUnderWayError(ExpectedError):
    """Money for the order is on its way, or nobody knows yet whether it is."""

    code = "payment_under_way"
    http_status = 409
    temporary = True

    def __init__(self, order: OrderId) -> None:
        super().__init__(f"A payment for order {order} is under way; wait for what comes of it.")


def _spoken(name: str) -> str:
    return name.replace("_", " ")
