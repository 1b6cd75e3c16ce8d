"""Currencies, and what the stand-in takes for a charge."""

from typing import Final

from deploy.stripe_standin.errors import MalformedError

AMOUNT_MAX: Final = 99_999_999
"""In minor units, of any currency."""

FEE_PER_MILLE: Final = 29
FEE_FIXED_MINOR: Final = 30
DISPUTE_FEE_MINOR: Final = 1_500

_ZERO_DECIMALS: Final = frozenset(
    """
    bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf
    """.split()  # noqa: SIM905 - a column of words
)
_THREE_DECIMALS: Final = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
_TWO_DECIMALS: Final = frozenset(
    """
    aed ars aud bgn brl cad chf cny cop czk dkk egp eur gbp gel hkd huf idr ils inr isk kes
    mad mxn myr ngn nok nzd pen php pln ron rsd sar sek sgd thb try twd uah usd uyu zar
    """.split()  # noqa: SIM905 - a column of words
)
_MINIMUM: Final = {"jpy": 50, "krw": 100, "kwd": 500, "bhd": 500, "jod": 500, "omr": 500}
_MINIMUM_DEFAULT: Final = 50


def check_currency(currency: str) -> str:
    """Return the currency in small letters.

    Raises:
        MalformedError: if it is none that can be charged here.
    """
    known = currency.lower()
    if known not in _ZERO_DECIMALS | _TWO_DECIMALS | _THREE_DECIMALS:
        raise MalformedError(
            f"Invalid currency: {currency}. Stripe does not support it.", param="currency"
        )
    return known


def check_amount(amount: int, currency: str, *, param: str = "amount") -> None:
    """See that an amount in minor units can be charged.

    Raises:
        MalformedError: if it is too small, too large, or finer than the networks carry.
    """
    if amount < 1:
        raise MalformedError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=param,
        )
    if amount < _MINIMUM.get(currency, _MINIMUM_DEFAULT):
        raise MalformedError(
            "Amount must be at least what Stripe's minimum charge is in this currency.",
            code="amount_too_small",
            param=param,
        )
    if amount > AMOUNT_MAX:
        raise MalformedError(
            f"Amount must be no more than {AMOUNT_MAX}.", code="amount_too_large", param=param
        )
    if currency in _THREE_DECIMALS and amount % 10:
        raise MalformedError(
            f"Invalid amount: {currency.upper()} must be rounded to its second decimal.",
            code="parameter_invalid_integer",
            param=param,
        )


def decimals(currency: str) -> int:
    """Return how many digits of an amount stand behind the point."""
    if currency in _ZERO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def fee_minor(amount: int, currency: str) -> int:
    """Return the fee for a charge: 2.9 %, half a unit rounded up, and 30 hundredths (30 yen)."""
    share = (amount * FEE_PER_MILLE + 500) // 1_000
    return share + FEE_FIXED_MINOR * (10 if currency in _THREE_DECIMALS else 1)


def written(amount: int, currency: str) -> str:
    """Return an amount for people, such as `12.50 EUR`."""
    places = decimals(currency)
    whole, part = divmod(abs(amount), 10**places)
    fraction = f".{part:0{places}}" if places else ""
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole:,}{fraction} {currency.upper()}"
