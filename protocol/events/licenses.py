"""Facts about licences, told on the holder's topic."""

from protocol.events.event import Event
from protocol.views import License


class LicenseChanged(Event, frozen=True, kw_only=True, tag="license_changed"):
    """A licence was issued, or is now as given: its state, its machines or its key changed."""

    license: License
