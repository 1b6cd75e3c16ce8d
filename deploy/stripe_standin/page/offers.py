"""The test cards as the page offers them: grouped by what they do, and said in plain words."""

from collections.abc import Iterator
from typing import Final

import msgspec

from deploy.stripe_standin.people.cards import CARDS, TestCard

SUCCEEDS: Final = "Goes through"
ASKS: Final = "Asks the bank first"
REFUSED: Final = "Is refused"
LATER: Final = "Makes trouble later"
_AMEX_DIGITS: Final = 15


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One card on the page."""

    number: str
    shown: str
    name: str
    brand: str
    group: str


def offers() -> Iterator[Offer]:
    """Yield every card, those that go through first."""
    order = (SUCCEEDS, ASKS, REFUSED, LATER)
    for card in sorted(CARDS, key=lambda card: order.index(_group(card))):
        yield Offer(
            number=card.number,
            shown=_spaced(card.number),
            name=card.name,
            brand=card.brand,
            group=_group(card),
        )


def _group(card: TestCard) -> str:
    if card.challenge != "never":
        return ASKS
    if card.decline is not None:
        return REFUSED
    if card.dispute or card.warns_of_fraud or card.refunds != "at once":
        return LATER
    return SUCCEEDS


def _spaced(number: str) -> str:
    if len(number) == _AMEX_DIGITS:
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
