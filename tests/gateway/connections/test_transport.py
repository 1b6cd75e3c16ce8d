import pytest
import trio
from hypothesis import given, settings, strategies
from trio.testing import MockClock, wait_all_tasks_blocked

from gateway.connections.outbox import Lane, Part
from gateway.connections.transport import Transport
from gateway.connections.wire import close_frame, data_frame
from gateway.limits import (
    CLOSE_SECONDS_MAX,
    OUTBOX_BYTES_HARD,
    OUTBOX_BYTES_SOFT,
    OUTBOX_SECONDS_MAX,
)
from protocol.close_codes import DRAINING, SLOW_CONSUMER
from tests.gateway.connections.frames import close_codes, split
from tests.gateway.connections.memory_line import MemoryLine


@pytest.fixture
def line():
    return MemoryLine(window_bytes=10)


@pytest.fixture
async def transport(line, nursery):
    return Transport(line, nursery)


async def read_all(line):
    """Read like a healthy client until nothing more comes."""
    stream = b""
    while True:
        await wait_all_tasks_blocked()
        taken = line.read()
        if not taken:
            return stream
        stream += taken


class TestATransport:
    async def test_hands_a_frame_to_the_kernel_at_once(self, transport, line):
        transport.push(b"frame", Lane.DURABLE)

        assert line.read() == b"frame"
        assert transport.queued_bytes == 0

    async def test_queues_what_the_kernel_does_not_take(self, transport, line):
        transport.push(b"x" * 25, Lane.DURABLE)

        assert transport.queued_bytes == 15
        assert await read_all(line) == b"x" * 25
        assert transport.queued_bytes == 0

    async def test_sends_frames_together_and_keeps_those_that_were_not_begun(self, transport, line):
        frames = [b"one---", b"two---", b"three-"]
        parts = [Part(frame, Lane.DURABLE, "topic") for frame in frames]
        transport.push_together(parts, b"".join(frames))
        transport.forget("topic")

        assert await read_all(line) == b"one---two---"

    async def test_queues_frames_that_come_together_one_by_one(self, transport, line):
        transport.push(b"x" * 25, Lane.DURABLE)
        transport.push_together([Part(b"a", Lane.DURABLE), Part(b"b", Lane.DURABLE)], b"ab")
        transport.push(b"dearer", Lane.CONTROL)

        assert await read_all(line) == b"x" * 25 + b"dearer" + b"ab"

    async def test_sends_in_one_write_what_it_gathered(self, transport, line):
        transport.gather()
        transport.push(b"one", Lane.DURABLE)
        transport.push_together([Part(b"two", Lane.DURABLE), Part(b"gone", Lane.SIGNAL, "t")], b"")
        assert line.read() == b""
        transport.send_gathered()
        transport.forget("t")

        assert await read_all(line) == b"onetwogone"

    async def test_sends_what_it_gathered_before_it_closes(self, transport, line):
        transport.gather()
        transport.push(b"one", Lane.DURABLE)
        transport.close_with(close_frame(DRAINING))
        transport.send_gathered()

        assert await read_all(line) == b"one" + close_frame(DRAINING)

    async def test_finishes_a_half_written_frame_before_a_dearer_one(self, transport, line):
        transport.push(b"first----" * 3, Lane.SIGNAL, "a")
        transport.push(b"second", Lane.CONTROL)

        assert await read_all(line) == b"first----" * 3 + b"second"

    async def test_goes_back_to_sending_at_once_when_the_queue_is_empty(self, transport, line):
        transport.push(b"x" * 25, Lane.DURABLE)
        await read_all(line)

        transport.push(b"now", Lane.DURABLE)

        assert line.read() == b"now"

    async def test_drops_a_signal_that_was_not_begun_before_an_event(self, transport, line):
        transport.push(b"0123456789", Lane.DURABLE)
        transport.push(b"signal", Lane.SIGNAL, "a")
        transport.push(b"e" * (OUTBOX_BYTES_SOFT + 1), Lane.DURABLE)
        transport.push(b"signal", Lane.SIGNAL, "a")
        line.window_bytes = 1 << 20

        stream = await read_all(line)

        assert b"signal" not in stream
        assert len(stream) == OUTBOX_BYTES_SOFT + 11

    async def test_takes_prepared_frames_and_control_frames_into_one_order(self, transport, line):
        transport.push(b"A" * 12, Lane.DURABLE)
        await transport.send_all(b"\x8a\x01p")
        transport.push(b"B" * 4, Lane.DURABLE)

        assert await read_all(line) == b"A" * 12 + b"\x8a\x01p" + b"B" * 4

    async def test_dies_when_the_client_is_gone(self, transport, line):
        line.die()

        transport.push(b"frame", Lane.DURABLE)

        assert not transport.is_open
        assert line.is_closed
        with pytest.raises(trio.BrokenResourceError):
            await transport.send_all(b"\x8a\x00")

    async def test_wakes_its_reader_when_it_ends(self, transport, line, nursery):
        async def read(task_status):
            task_status.started()
            with pytest.raises(trio.ClosedResourceError):
                await transport.receive_some()

        await nursery.start(read)
        await wait_all_tasks_blocked()

        await transport.aclose()

        assert line.is_closed

    async def test_tells_when_most_of_what_waited_is_written(self, transport, line):
        transport.push(b"x" * (OUTBOX_BYTES_SOFT + 100), Lane.DURABLE)

        with trio.move_on_after(1) as patience:
            await transport.wait_quiet()
        assert patience.cancelled_caught
        line.window_bytes = 1000
        line.read()
        await transport.wait_quiet()

        assert transport.queued_bytes <= OUTBOX_BYTES_SOFT


class TestForgettingATopic:
    async def test_drops_what_waits_of_it_and_finishes_what_was_begun(self, transport, line):
        begun, secret, other = (data_frame(letter * 20, "json") for letter in (b"b", b"s", b"o"))
        transport.push(begun, Lane.DURABLE, "room:1")
        for _ in range(3):
            transport.push(secret, Lane.DURABLE, "room:1")
            transport.push(other, Lane.DURABLE, "room:2")

        transport.forget("room:1")

        assert await read_all(line) == begun + 3 * other

    async def test_reaches_into_a_batch_of_which_a_part_was_written(self, transport, line):
        first, secret = data_frame(b"f" * 7, "json"), data_frame(b"s" * 7, "json")
        transport.push(b"x" * 10, Lane.DURABLE)
        for _ in range(3):
            transport.push(first, Lane.DURABLE, "room:2")
            transport.push(secret, Lane.DURABLE, "room:1")
        stream = line.read()
        await wait_all_tasks_blocked()

        transport.forget("room:1")
        stream += await read_all(line)

        assert stream.startswith(b"x" * 10 + first)
        assert stream.count(secret) <= 1
        assert split(stream[10:])[1] == b""
        assert stream.count(first) == 3

    async def test_lets_on_who_waits_for_the_queue_to_shrink(self, transport, nursery):
        transport.push(b"x" * OUTBOX_BYTES_SOFT, Lane.DURABLE, "room:2")
        transport.push(b"x" * 100, Lane.DURABLE, "room:1")
        quiet = trio.Event()

        async def wait():
            await transport.wait_quiet()
            quiet.set()

        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        transport.forget("room:1")
        await wait_all_tasks_blocked()

        assert quiet.is_set()


class TestClosing:
    async def test_sends_the_close_frame_instead_of_all_that_waits(self, transport, line):
        half = data_frame(b"x" * 20, "json")
        transport.push(half, Lane.DURABLE)
        transport.push(data_frame(b"y" * 20, "json"), Lane.DURABLE)

        transport.close_with(close_frame(DRAINING))
        transport.push(data_frame(b"z", "json"), Lane.CONTROL)

        assert await read_all(line) == half + close_frame(DRAINING)

    async def test_sends_nothing_after_a_close_frame_that_was_sent_at_once(self, transport, line):
        line.window_bytes = 1000

        transport.close_with(close_frame(DRAINING))
        transport.push(b"late", Lane.DURABLE)
        await transport.send_all(b"\x8a\x00")

        assert line.read() == close_frame(DRAINING)

    async def test_turns_the_librarys_too_big_into_ours(self, transport, line):
        line.window_bytes = 1000

        await transport.send_all(b"\x88\x02\x03\xf1")

        assert close_codes(line.read()) == [4501]

    async def test_remembers_the_code_of_the_first_close_frame(self, transport):
        transport.close_with(close_frame(SLOW_CONSUMER))
        transport.close_with(close_frame(DRAINING))

        assert transport.close_code == 4008


class TestASlowClient:
    @pytest.fixture
    def overflows(self, transport):
        told = []
        transport.on_overflow = lambda: told.append(trio.current_time())
        return told

    async def test_is_closed_when_a_frame_has_waited_too_long(self, transport, line, overflows):
        began = trio.current_time()
        half = data_frame(b"x" * 20, "json")
        transport.push(half, Lane.DURABLE)
        transport.push(data_frame(b"y" * 20, "json"), Lane.DURABLE)

        await trio.sleep(OUTBOX_SECONDS_MAX + 1)

        assert overflows == [began + OUTBOX_SECONDS_MAX]
        assert await read_all(line) == half + close_frame(SLOW_CONSUMER)

    async def test_is_not_closed_while_it_takes_a_little_now_and_then(
        self, transport, line, overflows
    ):
        for _ in range(30):
            transport.push(b"x" * 8, Lane.DURABLE)
            await trio.sleep(5)
            line.read()

        assert overflows == []

    async def test_that_takes_a_byte_now_and_then_is_closed_all_the_same(
        self, transport, line, overflows
    ):
        transport.push(b"x" * 100, Lane.DURABLE)
        for _ in range(20):
            await trio.sleep(1)
            line.read(1)

        assert len(overflows) == 1

    async def test_is_closed_at_once_over_the_hard_bound(self, transport, line, overflows):
        frame = data_frame(b"x" * 60_000, "json")
        for _ in range(OUTBOX_BYTES_HARD // 60_000 + 2):
            transport.push(frame, Lane.DURABLE)

        assert len(overflows) == 1
        assert not transport.is_open
        line.window_bytes = 1 << 20
        assert await read_all(line) == frame + close_frame(SLOW_CONSUMER)


class TestAConnectionThatIsCanceledAtAnyMoment:
    @pytest.mark.parametrize("reads", range(8))
    async def test_never_leaves_half_a_frame_on_a_stream_that_lives(self, reads):
        line = MemoryLine(window_bytes=10)
        async with trio.open_nursery() as nursery:
            transport = Transport(line, nursery)
            transport.push(data_frame(b"x" * 40, "json"), Lane.DURABLE)
            transport.push(data_frame(b"y" * 7, "json"), Lane.DURABLE)
            stream = b""
            for _ in range(reads):
                await wait_all_tasks_blocked()
                stream += line.read()
            nursery.cancel_scope.cancel()
        transport.end()

        _, rest = split(stream + bytes(line.unread))

        assert line.is_closed
        assert line.was_reset or not rest


LANES = strategies.sampled_from(list(Lane))
ACTS = strategies.lists(
    strategies.one_of(
        strategies.tuples(
            strategies.just("push"), LANES, strategies.integers(0, 300), strategies.integers(0, 2)
        ),
        strategies.tuples(strategies.just("read"), strategies.integers(1, 400)),
        strategies.tuples(strategies.just("wait"), strategies.floats(0, 4)),
        strategies.tuples(strategies.just("ping")),
        strategies.tuples(strategies.just("close")),
    ),
    max_size=60,
)


class TestWhateverIsPushedAndRead:
    @given(acts=ACTS, window=strategies.integers(1, 200))
    @settings(max_examples=150, deadline=None)
    def test_arrives_in_whole_frames_and_each_lane_in_order(self, acts, window):  # noqa: C901  # a table
        async def run():
            line = MemoryLine(window_bytes=window)
            stream = b""
            async with trio.open_nursery() as nursery:
                transport = Transport(line, nursery)
                for number, act in enumerate(acts):
                    match act:
                        case "push", lane, size, key:
                            payload = f"{lane.value}:{number}:".encode() + b"." * size
                            transport.push(data_frame(payload, "msgpack"), lane, str(key))
                        case "read", size:
                            stream += line.read(size)
                        case "wait", seconds:
                            await trio.sleep(seconds)
                        case ("ping",):
                            with trio.move_on_after(0):
                                await transport.send_all(b"\x8a\x00")
                        case ("close",):
                            transport.close_with(close_frame(DRAINING))
                with trio.move_on_after(CLOSE_SECONDS_MAX):
                    while transport.queued_bytes:
                        stream += await line.read_some()
                stream += line.read()
                nursery.cancel_scope.cancel()
            return stream

        frames, rest = split(trio.run(run, clock=MockClock(autojump_threshold=0)))

        assert rest == b""
        assert 8 not in [opcode for opcode, _ in frames[:-1]]
        numbers = [payload.split(b":")[:2] for opcode, payload in frames if opcode == 2]
        for lane in (Lane.CONTROL, Lane.REPLY, Lane.DURABLE):
            mine = [int(number) for found, number in numbers if int(found) == lane]
            assert mine == sorted(mine)
