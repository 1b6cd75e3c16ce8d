"""The way of a command into the stream that commerce reads."""

from typing import Final

from gateway.streams.link import Calls
from gateway.streams.scripts import script_beside
from protocol.codec import encode_command
from protocol.envelopes import CommandEnvelope
from protocol.stream_names import (
    COMMAND_FIELD,
    COMMAND_STREAM_ENTRIES_MAX,
    command_partition,
    command_stream,
)

_APPEND: Final = script_beside(__file__, "append_command.lua")


class StreamFullError(Exception):
    """Commerce is so far behind that no more commands are taken."""


async def append(
    link: Calls, envelope: CommandEnvelope, *, entries_max: int = COMMAND_STREAM_ENTRIES_MAX
) -> None:
    """Add a command to its partition; when this returns, it is in the stream.

    Raises:
        StreamFullError: if `entries_max` commands wait in the partition.
        LinkDownError: if Redis cannot be asked, or did not answer: then the command may be in
            the stream, and the client is to repeat it with the same key.
    """
    partition = command_partition(envelope.command, envelope.user)
    appended = await _APPEND.run(
        link,
        keys=(command_stream(partition),),
        arguments=(entries_max, COMMAND_FIELD, encode_command(envelope)),
    )
    if not appended:
        raise StreamFullError(f"{entries_max} commands wait in partition {partition}")
