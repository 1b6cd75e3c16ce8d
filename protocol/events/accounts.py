"""Facts about accounts, told on the user's topic."""

from protocol.events.event import Event
from protocol.ids import SessionId


class SessionRevoked(Event, frozen=True, kw_only=True, tag="session_revoked"):
    """A sign-in ended: every socket of that session is closed. None means all of them."""

    session: SessionId | None = None
