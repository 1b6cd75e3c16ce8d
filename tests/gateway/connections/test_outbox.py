import pytest

from gateway.connections.outbox import Lane, Outbox, OutboxFullError
from gateway.limits import OUTBOX_BYTES_HARD, OUTBOX_BYTES_SOFT


@pytest.fixture
def outbox():
    return Outbox()


def put(outbox, frame, lane=Lane.DURABLE, key="", now=0.0):
    return outbox.put(frame, lane, key, now=now)


def take(outbox, bytes_max):
    return b"".join(waiting.frame for waiting in outbox.take(bytes_max=bytes_max))


def drained(outbox):
    return take(outbox, 1 << 30)


class TestAnOutbox:
    def test_lets_the_dearest_go_first_and_keeps_the_order_of_equals(self, outbox):
        put(outbox, b"signal ", Lane.SIGNAL, "a")
        put(outbox, b"state ", Lane.STATE, "a")
        put(outbox, b"event-1 ")
        put(outbox, b"reply ", Lane.REPLY)
        put(outbox, b"event-2 ")
        put(outbox, b"control ", Lane.CONTROL)

        assert drained(outbox) == b"control reply event-1 event-2 state signal "

    def test_takes_as_many_whole_frames_as_fit_but_always_one(self, outbox):
        for frame in (b"aaaa", b"bb", b"cc"):
            put(outbox, frame)

        assert take(outbox, 1) == b"aaaa"
        assert take(outbox, 3) == b"bb"
        assert take(outbox, 3) == b"cc"
        assert not outbox

    def test_does_not_let_a_small_cheap_frame_overtake_a_dear_one_that_does_not_fit(self, outbox):
        put(outbox, b"1")
        put(outbox, b"22222")
        put(outbox, b"s", Lane.STATE, "a")

        assert take(outbox, 3) == b"1"
        assert drained(outbox) == b"22222s"

    def test_keeps_only_the_newest_state_of_a_key(self, outbox):
        put(outbox, b"old", Lane.STATE, "room")
        put(outbox, b"other", Lane.STATE, "another room")
        put(outbox, b"new", Lane.STATE, "room")

        assert drained(outbox) == b"othernew"
        assert outbox.bytes_count == 0

    def test_says_how_old_its_oldest_undroppable_frame_is(self, outbox):
        put(outbox, b"signal", Lane.SIGNAL, "a", now=1.0)
        put(outbox, b"event", now=5.0)
        put(outbox, b"reply", Lane.REPLY, now=7.0)

        assert outbox.oldest_at() == 5.0

    def test_takes_back_what_could_not_be_written_and_gives_it_out_again_in_order(self, outbox):
        for number in range(4):
            put(outbox, b"%d" % number, key="room:1")
        put(outbox, b"s", Lane.STATE, "room:1")
        put(outbox, b"r", Lane.REPLY)

        outbox.put_back(outbox.take(bytes_max=1 << 30)[2:])

        assert outbox.bytes_count == 4
        assert drained(outbox) == b"123s"

    def test_forgets_what_tells_of_a_topic_and_nothing_else(self, outbox):
        for topic in ("room:1", "room:2"):
            put(outbox, b"event of %b " % topic.encode(), key=topic)
            put(outbox, b"who is in %b " % topic.encode(), Lane.STATE, topic)
            put(outbox, b"who writes in %b " % topic.encode(), Lane.SIGNAL, topic)
            put(outbox, b"answer ", Lane.REPLY)

        outbox.forget("room:1")
        waiting_bytes = outbox.bytes_count
        left = drained(outbox)

        assert left == (b"answer answer event of room:2 who is in room:2 who writes in room:2 ")
        assert waiting_bytes == len(left)

    def test_is_empty_after_it_was_cleared(self, outbox):
        put(outbox, b"event")
        put(outbox, b"signal", Lane.SIGNAL, "a")

        outbox.clear()

        assert not outbox
        assert drained(outbox) == b""


class TestAnOutboxOverTheSoftBound:
    @pytest.fixture
    def full(self, outbox):
        put(outbox, b"waiting", Lane.SIGNAL, "before")
        put(outbox, b"x" * OUTBOX_BYTES_SOFT)
        return outbox

    def test_drops_signals_those_that_wait_too(self, full):
        assert put(full, b"typing", Lane.SIGNAL, "a") is False
        assert full.bytes_count == OUTBOX_BYTES_SOFT

    def test_keeps_state_and_events(self, full):
        assert put(full, b"state", Lane.STATE, "a")
        assert put(full, b"event")

    def test_takes_no_signals_until_it_is_half_as_full(self, outbox):
        for _ in range(4):
            put(outbox, b"x" * (OUTBOX_BYTES_SOFT // 4 + 1))
        put(outbox, b"typing", Lane.SIGNAL, "a")
        outbox.take(bytes_max=1)

        assert put(outbox, b"typing", Lane.SIGNAL, "a") is False
        outbox.take(bytes_max=1)
        outbox.take(bytes_max=1)
        assert put(outbox, b"typing", Lane.SIGNAL, "a") is True


class TestAnOutboxAtTheHardBound:
    @pytest.mark.parametrize("lane", [Lane.CONTROL, Lane.REPLY, Lane.DURABLE, Lane.STATE])
    def test_refuses_what_may_not_be_dropped(self, outbox, lane):
        put(outbox, b"x" * OUTBOX_BYTES_HARD)

        with pytest.raises(OutboxFullError):
            put(outbox, b"y", lane, "a")

    def test_takes_exactly_as_much_as_it_may(self, outbox):
        assert put(outbox, b"x" * OUTBOX_BYTES_HARD)
        assert outbox.bytes_count == OUTBOX_BYTES_HARD
