"""Facts about what buyers have, told on the order's topic and on the buyer's."""

from protocol.events.event import Event
from protocol.views import Grant


class GrantChanged(Event, frozen=True, kw_only=True, tag="grant_changed"):
    """A buyer has something, has it no more, or has it back."""

    grant: Grant
