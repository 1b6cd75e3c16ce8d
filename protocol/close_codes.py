"""Every code the gateway closes a WebSocket with, and whether to reconnect.

4000 to 4499: reconnect and resume. 4500 to 4999: do not, until something has changed.
RFC 6455 section 7.4.2 keeps 4000 to 4999 for private use.
"""

from typing import Final

import msgspec


class CloseCode(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    code: int
    name: str
    meaning: str

    @property
    def reconnect(self) -> bool:
        """Say whether the client should reconnect by itself."""
        return self.code < 4500


DRAINING: Final = CloseCode(code=4001, name="draining", meaning="The worker is going away.")
INTERNAL: Final = CloseCode(code=4002, name="internal", meaning="The gateway failed.")
TICKET_EXPIRED: Final = CloseCode(
    code=4006, name="ticket_expired", meaning="Fetch a fresh ticket, then reconnect."
)
SLOW_CONSUMER: Final = CloseCode(
    code=4008, name="slow_consumer", meaning="Frames were not taken fast enough; resume."
)
REPLACED: Final = CloseCode(
    code=4009, name="replaced", meaning="A newer socket took over this session."
)
SILENT: Final = CloseCode(code=4012, name="silent", meaning="Nothing was heard for too long.")
TOO_MANY_ERRORS: Final = CloseCode(
    code=4013, name="too_many_errors", meaning="Too many refused frames; slow down."
)
KICKED: Final = CloseCode(
    code=4015, name="kicked", meaning="An operator closed the socket; reconnect."
)
INVALID_TICKET: Final = CloseCode(
    code=4500, name="invalid_ticket", meaning="The ticket is not valid."
)
MALFORMED: Final = CloseCode(
    code=4501, name="malformed", meaning="The first frame is not a hello, or a frame is too large."
)
HELLO_TIMEOUT: Final = CloseCode(
    code=4502, name="hello_timeout", meaning="No hello came within 10 s."
)
REVOKED: Final = CloseCode(code=4503, name="revoked", meaning="The sign-in ended.")
CONNECTION_LIMIT: Final = CloseCode(
    code=4504, name="connection_limit", meaning="Too many connections of this user."
)
REMOVED: Final = CloseCode(
    code=4510,
    name="removed",
    meaning="An operator closed the socket; do not come back by yourself.",
)

CLOSE_CODES: Final[tuple[CloseCode, ...]] = (
    DRAINING,
    INTERNAL,
    TICKET_EXPIRED,
    SLOW_CONSUMER,
    REPLACED,
    SILENT,
    TOO_MANY_ERRORS,
    KICKED,
    INVALID_TICKET,
    MALFORMED,
    HELLO_TIMEOUT,
    REVOKED,
    CONNECTION_LIMIT,
    REMOVED,
)
