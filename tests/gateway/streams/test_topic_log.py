"""A topic's log, read from a real Valkey."""

import pytest

from gateway.streams import topic_log
from gateway.streams.topic_log import LogEntry, MalformedLiveMessageError
from protocol import stream_names
from protocol.topics import Position, Topic

TOPIC = Topic("room:rom_01JDZZZZZZZZZZZZZZZZZZZZZZ")
PLENTY = {"entries_max": 300, "bytes_max": 256 * 1024}


async def publish(link, count, *, first=1, body=b"entry"):
    """Lay entries into the log, as commerce's script does."""
    for offset in range(first, first + count):
        entry = b"%s %d" % (body, offset)
        await link.call("XADD", stream_names.topic_log(TOPIC), f"{offset}-0", "entry", entry)
    await link.call("HSETNX", stream_names.topic_meta(TOPIC), "epoch", "e1")
    await link.call("HSET", stream_names.topic_meta(TOPIC), "offset", first + count - 1)


class TestTheHeadOfATopic:
    async def test_of_a_new_topic_is_offset_0_of_an_epoch_that_stays(self, link):
        first = await topic_log.head(link, TOPIC)
        second = await topic_log.head(link, TOPIC)

        assert first == second
        assert first.offset == 0
        assert 8 <= len(first.epoch) <= 32

    async def test_is_the_last_entry(self, link):
        await publish(link, 3)

        assert await topic_log.head(link, TOPIC) == Position("e1", 3)

    async def test_expires_with_its_log_when_nobody_opens_it(self, link):
        await publish(link, 1)

        await topic_log.head(link, TOPIC)

        for key in (stream_names.topic_meta(TOPIC), stream_names.topic_log(TOPIC)):
            lifetime = await link.call("TTL", key)
            assert lifetime > stream_names.TOPIC_IDLE_SECONDS_MAX - 10
            assert lifetime <= stream_names.TOPIC_IDLE_SECONDS_MAX

    async def test_begins_anew_with_an_empty_log_if_the_epoch_was_lost(self, link):
        await publish(link, 3)
        await link.call("DEL", stream_names.topic_meta(TOPIC))

        head = await topic_log.head(link, TOPIC)

        assert head.epoch != "e1"
        assert head.offset == 0
        assert await link.call("EXISTS", stream_names.topic_log(TOPIC)) == 0


class TestReadingAfterAnOffset:
    async def test_gives_everything_up_to_the_head(self, link):
        await publish(link, 3)

        replay = await topic_log.read_after(link, TOPIC, 1, **PLENTY)

        assert replay.complete
        assert replay.reason is None
        assert replay.head == Position("e1", 3)
        assert replay.entries == [
            LogEntry(offset=2, entry=b"entry 2"),
            LogEntry(offset=3, entry=b"entry 3"),
        ]

    async def test_gives_nothing_when_nothing_is_new(self, link):
        await publish(link, 3)

        replay = await topic_log.read_after(link, TOPIC, 3, **PLENTY)

        assert replay.complete
        assert replay.entries == []

    async def test_tells_when_the_start_was_trimmed(self, link):
        await publish(link, 5)
        await link.call("XTRIM", stream_names.topic_log(TOPIC), "MAXLEN", 3)

        trimmed = await topic_log.read_after(link, TOPIC, 1, **PLENTY)
        whole = await topic_log.read_after(link, TOPIC, 2, **PLENTY)

        assert (trimmed.complete, trimmed.reason, trimmed.entries) == (False, "trimmed", [])
        assert whole.complete

    async def test_tells_when_the_whole_log_is_gone(self, link):
        await publish(link, 5)
        await link.call("DEL", stream_names.topic_log(TOPIC))

        replay = await topic_log.read_after(link, TOPIC, 1, **PLENTY)

        assert (replay.complete, replay.reason) == (False, "trimmed")

    async def test_tells_of_a_hole_in_the_middle(self, link):
        await publish(link, 5)
        await link.call("XDEL", stream_names.topic_log(TOPIC), "3-0")

        replay = await topic_log.read_after(link, TOPIC, 1, **PLENTY)

        assert (replay.complete, replay.reason) == (False, "lost")

    async def test_tells_when_the_client_is_ahead_of_the_log(self, link):
        await publish(link, 2)

        replay = await topic_log.read_after(link, TOPIC, 9, **PLENTY)

        assert (replay.complete, replay.reason) == (False, "lost")

    async def test_gives_exactly_as_many_as_are_allowed(self, link):
        await publish(link, 5)

        enough = await topic_log.read_after(link, TOPIC, 2, entries_max=3, bytes_max=1000)
        too_far = await topic_log.read_after(link, TOPIC, 1, entries_max=3, bytes_max=1000)

        assert len(enough.entries) == 3
        assert (too_far.complete, too_far.reason) == (False, "too_far")

    async def test_gives_no_more_bytes_than_are_allowed(self, link):
        await publish(link, 3, body=bytes(100))

        enough = await topic_log.read_after(link, TOPIC, 1, entries_max=9, bytes_max=204)
        too_far = await topic_log.read_after(link, TOPIC, 1, entries_max=9, bytes_max=203)

        assert enough.complete
        assert (too_far.complete, too_far.reason) == (False, "too_far")

    async def test_works_at_the_far_end_of_the_offsets(self, link):
        first = 2**53 - 3
        await publish(link, 2, first=first)

        replay = await topic_log.read_after(link, TOPIC, first - 1, **PLENTY)

        assert [entry.offset for entry in replay.entries] == [first, first + 1]
        assert replay.head.offset == first + 1


class TestALiveMessage:
    def test_is_a_position_and_an_entry(self):
        assert topic_log.parse_live(b"e1 17 \x83 any bytes") == (
            Position("e1", 17),
            b"\x83 any bytes",
        )

    @pytest.mark.parametrize("payload", [b"", b"e1", b"e1 17", b"e1 x entry", b" 17 entry"])
    def test_is_refused_when_malformed(self, payload):
        with pytest.raises(MalformedLiveMessageError):
            topic_log.parse_live(payload)
