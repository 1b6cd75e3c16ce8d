"""What can go wrong with a subscription, on purpose."""

from protocol.ids import PlanId, SubscriptionId
from protocol.views import SubscriptionState
from shared.errors import ExpectedError


class PlanNotFoundError(ExpectedError):
    """No such plan, or it is not offered any more."""

    code = "plan_not_found"
    http_status = 404

    def __init__(self, plan: PlanId) -> None:
        super().__init__(f"There is no plan {plan} to subscribe to.")


class PlanNotSoldInCurrencyError(ExpectedError):
    """The plan has no price in the currency that is asked for."""

    code = "not_sold_in_currency"
    http_status = 409

    def __init__(self, title: str, *, currency: str) -> None:
        super().__init__(f"{title} is not sold in {currency}.")


class SubscriptionNotFoundError(ExpectedError):
    """No such subscription, or not yours to see."""

    code = "subscription_not_found"
    http_status = 404

    def __init__(self, subscription: SubscriptionId) -> None:
        super().__init__(f"There is no subscription {subscription} of yours.")


class IllegalSubscriptionStepError(ExpectedError):
    """The subscription's state does not allow what was asked."""

    code = "illegal_subscription_step"
    http_status = 409

    def __init__(self, *, state: SubscriptionState, wanted: str) -> None:
        super().__init__(f"A subscription that is {state.replace('_', ' ')} cannot be {wanted}.")


class AlreadySubscribedError(ExpectedError):
    """The customer has a subscription to this plan's product that is not over."""

    code = "already_subscribed"
    http_status = 409

    def __init__(self, title: str) -> None:
        super().__init__(f"You are subscribed to {title} already; change that subscription.")


class TrialMethodNeededError(ExpectedError):
    """A trial begins with a stored way to pay for what comes after it."""

    code = "payment_method_needed"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("Store a payment method first; it is charged when the trial is over.")


class TrialUsedError(ExpectedError):
    """This customer or this card has had a trial before."""

    code = "trial_used"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("You have had a trial before; subscribe without one.")


class ChargePendingError(ExpectedError):
    """An order of the subscription waits for its money; that comes first."""

    code = "charge_pending"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("A payment of this subscription is under way; wait for it, or pay it.")


class SamePlanError(ExpectedError):
    """The subscription is on this plan already, or is about to be."""

    code = "same_plan"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The subscription is on this plan already.")


class TooManyTriesError(ExpectedError):
    """The subscriber has asked for as many tries as are made."""

    code = "too_many_tries"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The charge was tried as often as it may be; pay the order by hand.")
