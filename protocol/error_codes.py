"""Every code an `error` frame may carry, and whether asking again can help."""

from typing import Final

import msgspec


class ErrorCode(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    code: int
    name: str
    meaning: str
    temporary: bool


INTERNAL: Final = ErrorCode(
    code=100, name="internal", temporary=True, meaning="The gateway failed; ask again."
)
UNAUTHENTICATED: Final = ErrorCode(
    code=101, name="unauthenticated", temporary=False, meaning="The ticket is not valid."
)
UNKNOWN_TOPIC: Final = ErrorCode(
    code=102,
    name="unknown_topic",
    temporary=False,
    meaning="There is no such topic, or you may not hear it.",
)
NOT_SUBSCRIBED: Final = ErrorCode(
    code=103, name="not_subscribed", temporary=False, meaning="Subscribe to the topic first."
)
UNKNOWN_FRAME: Final = ErrorCode(
    code=104,
    name="unknown_frame",
    temporary=False,
    meaning="The gateway knows no frame or command of this type.",
)
ALREADY_SUBSCRIBED: Final = ErrorCode(
    code=105, name="already_subscribed", temporary=False, meaning="The topic is already heard."
)
LIMIT_REACHED: Final = ErrorCode(
    code=106,
    name="limit_reached",
    temporary=False,
    meaning="A limit named in `welcome` would be exceeded.",
)
BAD_FRAME: Final = ErrorCode(
    code=107, name="bad_frame", temporary=False, meaning="The frame is not what its type asks for."
)
UNAVAILABLE: Final = ErrorCode(
    code=108,
    name="unavailable",
    temporary=True,
    meaning="What this needs cannot be reached now; ask again with the same key.",
)
TICKET_EXPIRED: Final = ErrorCode(
    code=109, name="ticket_expired", temporary=False, meaning="Fetch a fresh ticket."
)
RATE_LIMITED: Final = ErrorCode(
    code=111, name="rate_limited", temporary=True, meaning="Too much at once; wait and ask again."
)

ERROR_CODES: Final[tuple[ErrorCode, ...]] = (
    INTERNAL,
    UNAUTHENTICATED,
    UNKNOWN_TOPIC,
    NOT_SUBSCRIBED,
    UNKNOWN_FRAME,
    ALREADY_SUBSCRIBED,
    LIMIT_REACHED,
    BAD_FRAME,
    UNAVAILABLE,
    TICKET_EXPIRED,
    RATE_LIMITED,
)
