"""The documented test cards, and what each of them does."""

from typing import Final, Literal

import msgspec

Challenge = Literal["never", "possible", "until_set_up", "always", "on_session"]
"""When the bank asks the cardholder: never; if the merchant wants it; until the card was set up
for later; at every payment; at every payment made by the cardholder, for a card set up already."""


class Decline(msgspec.Struct, frozen=True, kw_only=True):
    """Why a bank says no."""

    code: str
    decline_code: str | None
    message: str


class TestCard(msgspec.Struct, frozen=True, kw_only=True):
    """One card number and its behaviour."""

    number: str
    name: str
    tokens: tuple[str, ...]
    brand: str = "visa"
    funding: str = "credit"
    decline: Decline | None = None
    can_be_kept: bool = True
    """False: a decline also refuses to attach it to a customer, as the bank is asked there too."""
    challenge: Challenge = "never"
    dispute: str | None = None
    is_inquiry: bool = False
    warns_of_fraud: bool = False
    refunds: Literal["at once", "late", "never"] = "at once"
    is_available_at_once: bool = False

    @property
    def last4(self) -> str:
        """The digits people may see."""
        return self.number[-4:]


class TestBank(msgspec.Struct, frozen=True, kw_only=True):
    """A bank account: the payment is `processing` until it is settled."""

    token: str
    decline: Decline | None = None


def _declined(decline_code: str, message: str = "Your card was declined.") -> Decline:
    return Decline(code="card_declined", decline_code=decline_code, message=message)


INSUFFICIENT: Final = _declined("insufficient_funds", "Your card has insufficient funds.")
AUTHENTICATION_REQUIRED: Final = Decline(
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This transaction requires authentication.",
)
AUTHENTICATION_FAILED: Final = Decline(
    code="payment_intent_authentication_failure",
    decline_code=None,
    message="The provided PaymentMethod has failed authentication. You can provide "
    "payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
)
_PROCESSING: Final = Decline(
    code="processing_error",
    decline_code="processing_error",
    message="An error occurred while processing your card. Try again in a little bit.",
)
_EXPIRED: Final = Decline(
    code="expired_card", decline_code="expired_card", message="Your card has expired."
)
_CVC: Final = Decline(
    code="incorrect_cvc",
    decline_code="incorrect_cvc",
    message="Your card's security code is incorrect.",
)


def _refused(number: str, name: str, ending: str, decline: Decline) -> TestCard:
    tokens = (f"pm_card_visa_chargeDeclined{ending}", f"pm_card_chargeDeclined{ending}")
    return TestCard(number=number, name=name, tokens=tokens, decline=decline, can_be_kept=False)


CARDS: Final = (
    TestCard(number="4242424242424242", name="Visa", tokens=("pm_card_visa", "pm_card_us")),
    TestCard(
        number="4000056655665556",
        name="Visa debit",
        tokens=("pm_card_visa_debit",),
        funding="debit",
    ),
    TestCard(
        number="5555555555554444",
        name="Mastercard",
        tokens=("pm_card_mastercard",),
        brand="mastercard",
    ),
    TestCard(
        number="378282246310005", name="American Express", tokens=("pm_card_amex",), brand="amex"
    ),
    _refused("4000000000000002", "Declined", "", _declined("generic_decline")),
    _refused("4000000000009995", "Insufficient funds", "InsufficientFunds", INSUFFICIENT),
    _refused("4000000000009987", "Lost card", "LostCard", _declined("lost_card")),
    _refused("4000000000009979", "Stolen card", "StolenCard", _declined("stolen_card")),
    _refused("4000000000000069", "Expired", "ExpiredCard", _EXPIRED),
    _refused("4000000000000127", "Wrong security code", "IncorrectCvc", _CVC),
    _refused("4000000000000119", "Processing error", "ProcessingError", _PROCESSING),
    _refused(
        "4000000000006975",
        "Used too often",
        "VelocityLimitExceeded",
        _declined("card_velocity_exceeded"),
    ),
    TestCard(
        number="4000000000000341",
        name="Declined once kept",
        tokens=("pm_card_chargeCustomerFail",),
        decline=_declined("generic_decline"),
    ),
    TestCard(
        number="4100000000000019",
        name="Blocked as fraud",
        tokens=("pm_card_radarBlock",),
        decline=_declined("fraudulent"),
    ),
    TestCard(
        number="4000002500003155",
        name="3-D Secure until set up",
        tokens=("pm_card_authenticationRequiredOnSetup",),
        challenge="until_set_up",
    ),
    TestCard(
        number="4000002760003184",
        name="3-D Secure always",
        tokens=("pm_card_authenticationRequired",),
        challenge="always",
    ),
    TestCard(
        number="4000003800000446",
        name="3-D Secure, set up already",
        tokens=("pm_card_authenticationRequiredSetupForOffSession",),
        challenge="on_session",
    ),
    TestCard(
        number="4000008260003178",
        name="3-D Secure, then insufficient funds",
        tokens=("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",),
        challenge="always",
        decline=INSUFFICIENT,
    ),
    TestCard(
        number="4000000000003220",
        name="3-D Secure 2",
        tokens=("pm_card_threeDSecure2Required",),
        challenge="always",
    ),
    TestCard(
        number="4000008400001629",
        name="3-D Secure, then declined",
        tokens=("pm_card_threeDSecureRequiredChargeDeclined",),
        challenge="always",
        decline=_declined("generic_decline"),
    ),
    TestCard(
        number="4000000000003055",
        name="3-D Secure if wanted",
        tokens=("pm_card_threeDSecureOptional",),
        challenge="possible",
    ),
    TestCard(
        number="4000000000000259",
        name="Disputed as fraud",
        tokens=("pm_card_createDispute",),
        dispute="fraudulent",
    ),
    TestCard(
        number="4000000000002685",
        name="Disputed as not received",
        tokens=("pm_card_createDisputeProductNotReceived",),
        dispute="product_not_received",
    ),
    TestCard(
        number="4000000000001976",
        name="Inquired about",
        tokens=("pm_card_createDisputeInquiry",),
        dispute="fraudulent",
        is_inquiry=True,
    ),
    TestCard(
        number="4000000000005423",
        name="Early fraud warning",
        tokens=("pm_card_createIssuerFraudRecord",),
        warns_of_fraud=True,
    ),
    TestCard(
        number="4000000000007726",
        name="Refund arrives late",
        tokens=("pm_card_pendingRefund",),
        refunds="late",
    ),
    TestCard(
        number="4000000000005126",
        name="Refund fails",
        tokens=("pm_card_refundFail",),
        refunds="never",
    ),
    TestCard(
        number="4000000000000077",
        name="Available at once",
        tokens=("pm_card_bypassPending",),
        is_available_at_once=True,
    ),
)

BANKS: Final = (
    TestBank(token="pm_usBankAccount_success"),  # noqa: S106 - a documented name
    TestBank(
        token="pm_usBankAccount_insufficientFunds",  # noqa: S106 - a documented name
        decline=Decline(
            code="payment_method_provider_decline",
            decline_code="insufficient_funds",
            message="The customer's account has insufficient funds.",
        ),
    ),
)

_BY_NUMBER: Final = {card.number: card for card in CARDS}
_BY_TOKEN: Final = {token: card for card in CARDS for token in card.tokens}
_BANK_BY_TOKEN: Final = {bank.token: bank for bank in BANKS}


def card_of(number: str) -> TestCard | None:
    """Return the test card with a number, written with or without spaces."""
    return _BY_NUMBER.get(number.replace(" ", "").replace("-", ""))


def card_named(token: str) -> TestCard | None:
    """Return the test card that a documented payment method such as `pm_card_visa` stands for."""
    return _BY_TOKEN.get(token.replace("tok_", "pm_card_"))


def bank_named(token: str) -> TestBank | None:
    """Return the test bank account that a documented payment method stands for."""
    return _BANK_BY_TOKEN.get(token)
