"""What can be made to go wrong on the way to an endpoint."""

import random
from typing import Annotated, Literal, TypeVar

import msgspec

from deploy.stripe_standin.limits import DELIVERIES_AT_ONCE_MAX, DELIVERY_ATTEMPTS_MAX

_COUNT_MAX = 10_000
Delivery = TypeVar("Delivery")
Pause = Annotated[float, msgspec.Meta(ge=0, le=24 * 3600)]


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How deliveries go; the defaults are a good day.

    `lose` events are lost for good, as if Stripe had given up on them; `lose_types` says which
    (every type if empty). With `paused` all wait, and `order` says in which order they go once it
    is taken back.
    """

    paused: bool = False
    delay_seconds: Pause = 0.0
    copies: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1
    order: Literal["created", "reversed", "shuffled"] = "created"
    seed: int = 0
    lose: Annotated[int, msgspec.Meta(ge=0, le=_COUNT_MAX)] = 0
    lose_types: tuple[str, ...] = ()
    at_once: Annotated[int, msgspec.Meta(ge=1, le=DELIVERIES_AT_ONCE_MAX)] = 1
    retry_seconds: (
        Annotated[tuple[Pause, ...], msgspec.Meta(max_length=DELIVERY_ATTEMPTS_MAX - 1)] | None
    ) = None

    def loses(self, event: str) -> bool:
        """Return whether the next delivery of such an event is lost."""
        return self.lose > 0 and (not self.lose_types or event in self.lose_types)

    def ordered(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Return deliveries, given oldest first, in the order they go out."""
        match self.order:
            case "created":
                return deliveries
            case "reversed":
                return deliveries[::-1]
            case "shuffled":
                shuffled = list(deliveries)
                random.Random(self.seed).shuffle(shuffled)  # noqa: S311 - for tests, repeatable
                return shuffled
