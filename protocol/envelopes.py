"""What wraps a command or an event on its way through Redis. Always MessagePack."""

import msgspec

from protocol.commands import AnyCommand
from protocol.ids import EventId, SessionId, UserId


class CommandEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it lies in the command stream, in the field `envelope`.

    `trace` is a W3C traceparent or empty.
    """

    key: str
    user: UserId
    user_name: str
    session: SessionId
    sent_at_ms: int
    command: AnyCommand
    trace: str = ""


class TopicEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it lies in a topic's log, in the field `entry`.

    `body` is the MessagePack encoding of one of `AnyEvent`, kept raw so that a gateway passes on
    events it does not know yet.
    """

    id: EventId
    at_ms: int
    body: msgspec.Raw
