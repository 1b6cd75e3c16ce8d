"""The profiles: what a crowd does, what is done to it, and what is promised all the same."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from loadtest.orders import Habits
from loadtest.recorder import Measure
from loadtest.targets import Floor, LatencyTarget, Promises

Disturbance = Literal["none", "cut", "freeze", "rush"]
"""What happens in the middle of a run: every socket is cut; a share of the users stops reading;
everybody orders one scarce product."""

_CONNECT: Final = LatencyTarget(measure=Measure.CONNECT, share=0.95, most_ms=1000)
_CHAT: Final = (
    LatencyTarget(measure=Measure.ACCEPTED, share=0.95, most_ms=100),
    LatencyTarget(measure=Measure.COMMITTED, share=0.95, most_ms=200),
    LatencyTarget(measure=Measure.SEEN, share=0.95, most_ms=200),
    LatencyTarget(measure=Measure.SEEN, share=0.99, most_ms=1000),
)
_REST: Final = LatencyTarget(measure=Measure.REST, share=0.95, most_ms=200)
_RESUMED: Final = LatencyTarget(measure=Measure.RESUMED, share=1.0, most_ms=20_000)
_ORDERED: Final = LatencyTarget(measure=Measure.ORDERED, share=0.95, most_ms=5_000)


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of crowd. `members_per_room` is the mean that the number of rooms aims at."""

    meaning: str
    habits: Habits
    promises: Promises
    members_per_room: int = 30
    disturbance: Disturbance = "none"


PROFILES: Final[Mapping[str, Profile]] = {
    "shop": Profile(
        meaning="an evening in the shop: some chat, everybody hears, a third of them looks around",
        habits=Habits(messages_per_minute=1.0, reads_per_minute=0.2, requests_per_minute=0.66),
        promises=Promises(
            latencies=(_CONNECT, *_CHAT, _REST),
            floors=(
                Floor(rate="messages", per_user=0.015),
                Floor(rate="deliveries", per_user=0.5),
                Floor(rate="requests", per_user=0.01),
            ),
        ),
    ),
    "chat": Profile(
        meaning="chat-heavy: everybody writes every fifteen seconds, and reads what others write",
        habits=Habits(messages_per_minute=4.0, reads_per_minute=2.0, requests_per_minute=0.2),
        promises=Promises(
            latencies=(_CONNECT, *_CHAT, _REST), floors=(Floor(rate="messages", per_user=0.06),)
        ),
    ),
    "browse": Profile(
        meaning="most only look: a product or a search every fifteen seconds, hardly a word",
        habits=Habits(messages_per_minute=0.1, reads_per_minute=0.0, requests_per_minute=4.0),
        promises=Promises(
            latencies=(_CONNECT, *_CHAT, _REST), floors=(Floor(rate="requests", per_user=0.06),)
        ),
    ),
    "flash-sale": Profile(
        meaning="one scarce product: everybody has it in the cart, and orders in the same second",
        habits=Habits(messages_per_minute=0.5, reads_per_minute=0.1, requests_per_minute=0.5),
        promises=Promises(latencies=(_CONNECT, _ORDERED)),
        disturbance="rush",
    ),
    "stampede": Profile(
        meaning="in the middle of an evening every socket is cut at once: all come back and resume",
        habits=Habits(messages_per_minute=1.0, reads_per_minute=0.2, requests_per_minute=0.2),
        promises=Promises(latencies=(_CONNECT, _RESUMED)),
        disturbance="cut",
    ),
    "slow": Profile(
        meaning="a tenth stops reading for a while: the others feel nothing, the slow miss nothing",
        habits=Habits(
            messages_per_minute=4.0,
            reads_per_minute=0.0,
            requests_per_minute=0.2,
            long_texts=True,
            slow_share=0.1,
        ),
        promises=Promises(latencies=(_CONNECT, *_CHAT, _REST)),
        members_per_room=100,
        disturbance="freeze",
    ),
}
