"""A payment intent: which states there are, and what may happen in each."""

from typing import Final

from deploy.stripe_standin.errors import InvalidRequestError
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import shown

CONFIRMABLE: Final = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action"}
)
CANCELABLE: Final = frozenset({*CONFIRMABLE, "requires_capture", "processing"})
CHANGEABLE: Final = CONFIRMABLE
CAPTURABLE: Final = frozenset({"requires_capture"})


def check_state(intent: Document, allowed: frozenset[str], doing: str) -> None:
    """See that an intent is in a state that allows something.

    Raises:
        InvalidRequestError: if not; it carries the intent as it is.
    """
    if intent["status"] in allowed:
        return
    if intent["object"] == "payment_intent":
        name, code = "PaymentIntent", "payment_intent_unexpected_state"
    else:
        name, code = "SetupIntent", "setup_intent_unexpected_state"
    raise unexpected(
        intent,
        f"This {name} could not be {doing} because it has a status of {intent['status']}. Only a "
        f"{name} with one of the following statuses may be {doing}: {', '.join(sorted(allowed))}.",
        code,
    )


def unexpected(intent: Document, message: str, code: str) -> InvalidRequestError:
    """Return the error that an intent is not in the state for what was asked."""
    return InvalidRequestError(message, code=code, objects={intent["object"]: shown(intent)})
