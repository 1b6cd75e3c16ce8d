"""Commands on their way to commerce."""

import msgspec
import pytest

from gateway.streams import commands
from gateway.streams.commands import StreamFullError
from protocol import stream_names
from protocol.codec import decode_command
from protocol.commands import SendMessage
from protocol.envelopes import CommandEnvelope
from protocol.ids import RoomId, SessionId, UserId

ENVELOPE = CommandEnvelope(
    key="key-00000001",
    user=UserId("usr_01JDZZZZZZZZZZZZZZZZZZZZZZ"),
    user_name="Ada",
    session=SessionId("ses_01JDZZZZZZZZZZZZZZZZZZZZZZ"),
    sent_at_ms=1,
    command=SendMessage(room=RoomId("rom_01JDZZZZZZZZZZZZZZZZZZZZZZ"), text="hello"),
)
STREAM = stream_names.command_stream(
    stream_names.command_partition(ENVELOPE.command, ENVELOPE.user)
)


class TestACommand:
    async def test_lies_in_its_partition_when_it_was_appended(self, link):
        await commands.append(link, ENVELOPE)

        [[_entry_id, [field, payload]]] = await link.call("XRANGE", STREAM, "-", "+")
        assert field == stream_names.COMMAND_FIELD
        assert decode_command(payload) == ENVELOPE

    async def test_keeps_its_place_behind_those_before_it(self, link):
        for number in range(20):
            await commands.append(link, msgspec.structs.replace(ENVELOPE, key=f"key-{number:08}"))

        entries = await link.call("XRANGE", STREAM, "-", "+")
        keys = [decode_command(fields[1]).key for _, fields in entries]
        assert keys == [f"key-{number:08}" for number in range(20)]


class TestAFullPartition:
    async def test_takes_no_more(self, link):
        for _ in range(3):
            await commands.append(link, ENVELOPE, entries_max=3)

        with pytest.raises(StreamFullError):
            await commands.append(link, ENVELOPE, entries_max=3)

        assert await link.call("XLEN", STREAM) == 3

    async def test_takes_more_once_commerce_has_dealt_with_some(self, link):
        for _ in range(3):
            await commands.append(link, ENVELOPE, entries_max=3)
        [[entry_id, _fields]] = await link.call("XRANGE", STREAM, "-", "+", "COUNT", 1)
        await link.call("XDEL", STREAM, entry_id)

        await commands.append(link, ENVELOPE, entries_max=3)

        assert await link.call("XLEN", STREAM) == 3
