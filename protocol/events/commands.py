"""The second answer to a command, told on the topic of the user who gave it."""

from protocol.commands import AnyCommandResult
from protocol.events.event import Event


class CommandCommitted(Event, frozen=True, kw_only=True, tag="command_committed"):
    """The command's transaction was committed: it happened, once."""

    key: str
    result: AnyCommandResult | None = None


class CommandRejected(Event, frozen=True, kw_only=True, tag="command_rejected"):
    """The command was refused and changed nothing.

    `code` is the error's fixed name (`room_not_found`), `message` a sentence for people. With
    `temporary` the same command may succeed later, under a new key, `retry_after_ms` after this.
    """

    key: str
    code: str
    message: str
    temporary: bool = False
    retry_after_ms: int | None = None
