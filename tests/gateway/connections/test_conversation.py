"""One socket from its first byte to its last, in virtual time."""

from contextlib import suppress

import msgspec
import pytest
import trio
import trio.lowlevel
from hypothesis import given, strategies

from gateway.connections.addresses import Addresses
from gateway.connections.conversation import Conversation, Terms
from gateway.connections.inbound import FrameTooLargeError, RefusedFrameError, read_frame
from gateway.limits import (
    CLOSE_SECONDS_MAX,
    HELLO_SECONDS_MAX,
    INBOUND_FRAME_BYTES_MAX,
    INBOUND_FRAMES_BURST,
)
from protocol.client_frames import Hello, Ping
from protocol.close_codes import DRAINING
from protocol.codec import decode_server_frame
from protocol.server_frames import Pong
from shared.tickets import DEV_VERIFYING_KEY, TicketVerifier
from tests.fakes.clock import SettableClock
from tests.gateway.builders import a_ticket
from tests.gateway.connections.memory_line import MemoryLine
from tests.gateway.connections.talker import BINARY, CLOSE, PING, PONG, REQUEST, TEXT, Talker


class Host:
    """Remembers what it was told; raises where a test wants."""

    def __init__(self):
        self.connection = None
        self.frames = []
        self.left = []
        self.failing = set()

    def admit(self, connection, hello):
        self.connection = connection
        self.fail("admit")
        connection.send(Pong(id=hello.id, server_time_ms=0))

    def receive(self, connection, frame):
        self.frames.append(frame)
        self.fail("receive")

    def leave(self, connection):
        self.left.append(connection)
        self.fail("leave")

    def fail(self, hook):
        if hook in self.failing:
            raise RuntimeError(f"{hook} failed")


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def settled():
    return []


@pytest.fixture
def addresses():
    return Addresses(["192.0.2.0/24"])


@pytest.fixture
async def line(nursery, host, clock, settled, addresses):
    line = MemoryLine()
    terms = Terms(
        origins=frozenset({"https://shop.example"}),
        addresses=addresses,
        verifier=TicketVerifier((DEV_VERIFYING_KEY,)),
        clock=clock,
    )
    conversation = Conversation(terms=terms, host=host, on_settled=lambda: settled.append(1))
    nursery.start_soon(conversation.run, line)
    return line


@pytest.fixture
async def talker(line):
    return Talker(line)


@pytest.fixture
async def upgraded(talker):
    talker.ask_for_upgrade()
    await talker.hear()
    assert talker.status == 101
    return talker


@pytest.fixture
async def admitted(upgraded, clock):
    upgraded.say(Hello(id=1, ticket=a_ticket(now=clock.now()), device="device-1"))
    ((opcode, _),) = await upgraded.hear()
    assert opcode == TEXT
    return upgraded


def code_of(frames):
    ((opcode, payload),) = frames
    assert opcode == CLOSE
    return int.from_bytes(payload[:2], "big")


def said(frames):
    return [decode_server_frame(payload, "json") for opcode, payload in frames if opcode == TEXT]


class TestTheUpgrade:
    @pytest.mark.parametrize(
        ("offered", "chosen"),
        [
            (None, None),
            ("rialto.v1.msgpack", b"rialto.v1.msgpack"),
            ("rialto.v1.msgpack, rialto.v1.json", b"rialto.v1.json"),
            ("soap", None),
        ],
    )
    async def test_chooses_a_subprotocol_it_knows(self, talker, offered, chosen):
        talker.ask_for_upgrade(subprotocols=offered)
        await talker.hear()

        assert talker.status == 101
        lines = talker.response.lower().split(b"\r\n")
        found = [line.split(b": ")[1] for line in lines if line.startswith(b"sec-websocket-pro")]
        assert found == ([chosen] if chosen else [])

    async def test_from_an_allowed_origin_is_granted(self, talker):
        talker.ask_for_upgrade(origin="https://shop.example")
        await talker.hear()

        assert talker.status == 101

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "https://shop.example.evil.example",
            "https://evil-shop.example",
            "https://shop.example:444",
            "https://shop.example@evil.example",
            "http://shop.example",
            "https://shop.example/",
            "https://SHOP.example",
            "null",
            "*",
            "",
        ],
    )
    async def test_from_another_origin_is_forbidden(self, talker, line, origin):
        talker.ask_for_upgrade(origin=origin)
        await talker.hear()

        assert talker.status == 403
        assert line.has_finished_sending

    async def test_on_another_path_finds_nothing(self, talker):
        talker.ask_for_upgrade(path="/elsewhere")
        await talker.hear()

        assert talker.status == 404

    async def test_on_the_path_with_a_query_is_granted(self, talker):
        talker.ask_for_upgrade(path="/ws?v=1")
        await talker.hear()

        assert talker.status == 101

    async def test_is_refused_to_a_client_behind_a_proxy_that_comes_too_often(
        self, talker, addresses, line
    ):
        while addresses.knock("203.0.113.7") == 0:
            pass
        talker.ask_for_upgrade(forwarded_for="198.51.100.1, 203.0.113.7")
        await talker.hear()

        assert talker.status == 429
        assert b"retry-after: 3" in talker.response.lower()
        assert line.has_finished_sending

    async def test_is_granted_to_another_client_behind_the_same_proxy(self, talker, addresses):
        while addresses.knock("203.0.113.7") == 0:
            pass
        talker.ask_for_upgrade(forwarded_for="203.0.113.8")
        await talker.hear()

        assert talker.status == 101

    async def test_that_never_comes_is_not_waited_for(self, line, settled):
        line.write(b"GET /ws HTTP/1.1\r\nHost: sh")
        await trio.sleep(HELLO_SECONDS_MAX + 2)

        assert line.is_closed
        assert settled

    async def test_that_drips_in_is_not_waited_for_either(self, line):
        for letter in b"GET /ws HTTP/1.1\r\nX-Slow: loris":
            line.write(bytes((letter,)))
            await trio.sleep(0.5)

        assert line.is_closed

    @pytest.mark.parametrize(
        "garbage", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"]
    )
    async def test_that_is_none_ends_at_once(self, line, settled, garbage):
        line.write(garbage + b"\r\n\r\n")
        await trio.sleep(2)

        assert line.is_closed
        assert settled

    async def test_whose_client_goes_ends_at_once(self, line, settled):
        line.hang_up()
        await trio.sleep(0.1)

        assert line.is_closed
        assert settled


class TestTheFirstFrame:
    async def test_must_come_in_time(self, upgraded):
        await trio.sleep(HELLO_SECONDS_MAX)

        assert code_of(await upgraded.hear()) == 4502

    async def test_is_not_waited_for_longer_because_the_upgrade_was_slow(self, talker, line):
        await trio.sleep(HELLO_SECONDS_MAX - 1)
        talker.ask_for_upgrade()
        await talker.hear()
        await trio.sleep(1)

        assert code_of(await talker.hear()) == 4502

    @pytest.mark.parametrize("text", ["nonsense", '{"type":"ping","id":1}', "[]", "", "\0"])
    async def test_must_be_a_hello(self, upgraded, text):
        upgraded.say_text(text)

        assert code_of(await upgraded.hear()) == 4501

    async def test_must_carry_a_good_ticket(self, upgraded, settled):
        upgraded.say(Hello(id=1, ticket="nonsense", device="device-1"))

        assert code_of(await upgraded.hear()) == 4500
        assert settled

    async def test_must_carry_a_ticket_that_has_not_expired(self, upgraded, clock):
        ticket = a_ticket(now=clock.now())
        clock.advance(seconds=301)
        upgraded.say(Hello(id=1, ticket=ticket, device="device-1"))

        assert code_of(await upgraded.hear()) == 4006

    async def test_refused_ends_the_socket_even_if_the_client_stays(self, upgraded, line):
        upgraded.say_text("nonsense")
        await trio.sleep(CLOSE_SECONDS_MAX + 2)

        assert line.is_closed


MALFORMED = [
    ("not json", "bad_frame", None),
    ("[]", "bad_frame", None),
    ("null", "bad_frame", None),
    ('{"type":7,"id":5}', "bad_frame", 5),
    ('{"id":5}', "bad_frame", 5),
    ('{"type":"ping"}', "bad_frame", None),
    ('{"type":"ping","id":0}', "bad_frame", None),
    ('{"type":"ping","id":true}', "bad_frame", None),
    ('{"type":"ping","id":"5"}', "bad_frame", None),
    ('{"type":"dance","id":5}', "unknown_frame", 5),
    ('{"type":"welcome","id":5}', "unknown_frame", 5),
    ('{"type":"subscribe","id":5,"topic":"room:x"}', "bad_frame", 5),
    ('{"type":"subscribe","id":5,"topic":"moon:mon_01ARZ3NDEKTSV4RRFFQ69G5FAV"}', "bad_frame", 5),
    ('{"type":"command","id":5,"key":"key-00000001","body":{"type":"fly"}}', "unknown_frame", 5),
    ('{"type":"command","id":5,"key":"key-00000001","body":{"type":"join_room"}}', "bad_frame", 5),
    ('{"type":"command","id":5,"key":"k","body":{"type":"fly"}}', "unknown_frame", 5),
    ('{"type":"command","id":5,"body":7}', "bad_frame", 5),
    ('{"type":"ping","id":5,"x":' + "[" * 8000 + "]" * 8000 + "}", "bad_frame", None),
    ('{"type":"ping","id":' + "9" * 400 + "}", "bad_frame", None),
]


class TestAMalformedFrame:
    @pytest.mark.parametrize(("text", "name", "question"), MALFORMED)
    async def test_is_answered_by_what_is_wrong_with_it(self, admitted, text, name, question):
        admitted.say_text(text)

        (error,) = said(await admitted.hear())

        assert (error.name, error.id) == (name, question)

    async def test_in_binary_on_a_socket_of_text_is_answered(self, admitted):
        admitted.write(BINARY, b"\x81\xa4type\xa4ping")

        (error,) = said(await admitted.hear())

        assert error.name == "bad_frame"

    async def test_again_and_again_closes_the_socket(self, admitted):
        for _ in range(30):
            admitted.say_text("nonsense")

        frames = await admitted.hear()

        assert code_of(frames[-1:]) == 4013
        assert len(frames) == 22

    async def test_does_not_keep_the_next_from_being_heard(self, admitted, host):
        admitted.say_text("nonsense")
        admitted.say(Ping(id=2))
        await admitted.hear()

        assert host.frames == [Ping(id=2)]

    @given(noise=strategies.binary(max_size=200))
    def test_of_any_bytes_is_refused_or_read(self, noise):
        for wire_format, message in (("msgpack", noise), ("json", noise.decode("latin-1"))):
            with suppress(RefusedFrameError):
                read_frame(message, wire_format)


class TestTheSizeOfAFrame:
    @pytest.mark.parametrize("letter", ["x", "é", "€", "🌍"])
    def test_is_counted_in_bytes(self, letter):
        width = len(letter.encode())
        fits = (
            '{"type":"ping","id":1,"x":"'
            + letter * ((INBOUND_FRAME_BYTES_MAX - 40) // width)
            + '"}'
        )

        assert read_frame(fits, "json") == Ping(id=1)
        with pytest.raises(FrameTooLargeError):
            read_frame(fits + letter * 40, "json")

    @pytest.mark.parametrize("size", [INBOUND_FRAME_BYTES_MAX + 1, 3 * INBOUND_FRAME_BYTES_MAX])
    async def test_above_the_limit_closes_the_socket(self, admitted, size):
        admitted.say_text("x" * size)

        assert code_of(await admitted.hear()) == 4501

    async def test_is_counted_over_the_fragments_of_a_message(self, admitted):
        for number in range(40):
            admitted.write(TEXT if number == 0 else 0, b"x" * 1000, is_last=number == 39)

        assert code_of(await admitted.hear()) == 4501


class TestAClientWithSomethingSpecialToSay:
    async def test_is_heard_in_the_order_in_which_it_spoke(self, admitted, host):
        admitted.say(Ping(id=2))
        admitted.write(PING, b"one")
        admitted.say(Ping(id=3))
        admitted.write(TEXT, b'{"type":"ping",', is_last=False)
        admitted.write(PING, b"two")
        admitted.write(0, b'"id":4}')
        admitted.say(Ping(id=5))

        frames = await admitted.hear()

        assert frames == [(PONG, b"one"), (PONG, b"two")]
        assert host.frames == [Ping(id=number) for number in (2, 3, 4, 5)]

    async def test_may_say_hello_so(self, upgraded, host, clock):
        hello = Hello(id=1, ticket=a_ticket(now=clock.now()), device="device-1")
        text = msgspec.json.encode(hello)
        upgraded.write(PING, b"first")
        upgraded.write(TEXT, text[:40], is_last=False)
        upgraded.write(0, text[40:])
        await upgraded.hear()
        await trio.sleep(HELLO_SECONDS_MAX)
        upgraded.say(Ping(id=2))
        await upgraded.hear()

        assert host.frames == [Ping(id=2)]

    async def test_must_say_hello_in_time_all_the_same(self, upgraded):
        for _ in range(12):
            upgraded.write(PING, b"")
            await trio.sleep(HELLO_SECONDS_MAX / 10)

        assert code_of((await upgraded.hear())[-1:]) == 4502

    async def test_may_ask_for_the_socket_in_pieces_and_with_headers_twice(self, line, host, clock):
        talker = Talker(line)
        more = "Cookie: a=b\r\nCookie: c=d\r\n"
        request = REQUEST.format(path="/ws", more=more).encode()
        for piece in (request[:30], request[30:]):
            line.write(piece)
            await trio.sleep(0.1)
        await talker.hear()
        talker.say(Hello(id=1, ticket=a_ticket(now=clock.now()), device="device-1"))
        talker.say(Ping(id=2))
        talker.write(CLOSE, b"\x03\xe8")

        assert talker.status == 101
        assert code_of((await talker.hear())[-1:]) == 1000
        assert host.frames == [Ping(id=2)]


class TestAFlood:
    async def test_of_frames_is_answered_with_a_pause(self, admitted, host):
        for number in range(INBOUND_FRAMES_BURST + 5):
            admitted.say(Ping(id=number + 1))

        errors = said(await admitted.hear())

        assert {error.name for error in errors} == {"rate_limited"}
        assert all(error.retry_after_ms for error in errors)
        assert len(host.frames) >= INBOUND_FRAMES_BURST

    async def test_of_pings_whose_pongs_nobody_reads_ends_the_socket(self, admitted, line, host):
        line.window_bytes = 0
        for _ in range(20_000):
            admitted.write(PING, b"x" * 100)
            if host.connection.closed_with:
                break
            await trio.lowlevel.checkpoint()
        await trio.sleep(CLOSE_SECONDS_MAX + 10)

        assert host.connection.closed_with.code == 4008
        assert line.is_closed


class TestClosing:
    async def test_by_the_client_is_echoed_and_ends_the_socket(self, admitted, line, host):
        admitted.write(CLOSE, b"\x03\xe8")

        assert code_of(await admitted.hear()) == 1000
        await trio.sleep(0.1)
        assert line.is_closed
        assert host.left == [host.connection]

    async def test_by_us_waits_for_the_clients_echo_and_not_for_ever(self, admitted, line, host):
        host.connection.close(DRAINING)

        assert code_of(await admitted.hear()) == 4001
        assert not line.is_closed
        await trio.sleep(CLOSE_SECONDS_MAX + 2)
        assert line.is_closed

    async def test_by_us_ends_when_the_client_echoes(self, admitted, line, host):
        host.connection.close(DRAINING)
        await admitted.hear()
        admitted.write(CLOSE, b"\x0f\xa1")
        await admitted.hear()

        assert line.is_closed
        assert not line.was_reset

    async def test_is_not_disturbed_by_pings_and_frames_that_crossed_it(self, admitted, line, host):
        host.connection.close(DRAINING)
        for number in range(5):
            admitted.write(PING, b"are you there")
            admitted.say(Ping(id=number + 1))
        admitted.write(CLOSE, b"\x0f\xa1")

        assert code_of(await admitted.hear()) == 4001
        assert host.frames == []
        assert line.is_closed

    async def test_by_the_network_is_noticed_at_once(self, admitted, line, host, monkeypatch):
        crashes = []
        monkeypatch.setattr(Conversation, "_note_crash", lambda _self, crash: crashes.append(crash))
        line.die()
        await trio.sleep(0.1)

        assert line.is_closed
        assert not crashes
        assert host.left == [host.connection]

    @pytest.mark.parametrize(
        "stream", [b"\x83\x80\0\0\0\0", b"\x81\x05hello", b"\xff\xff\xff\xff", b"\x80\x80\0\0\0\0"]
    )
    async def test_follows_bytes_that_are_not_websocket(self, admitted, line, host, stream):
        line.write(stream)
        await trio.sleep(1)

        assert line.is_closed
        assert host.left == [host.connection]


class TestABug:
    @pytest.mark.parametrize("hook", ["admit", "receive", "leave"])
    async def test_of_the_host_ends_this_socket_only_and_resumably(
        self, upgraded, line, host, clock, hook
    ):
        host.failing.add(hook)
        upgraded.say(Hello(id=1, ticket=a_ticket(now=clock.now()), device="device-1"))
        upgraded.say(Ping(id=2))
        frames = await upgraded.hear()
        if hook == "leave":
            upgraded.write(CLOSE, b"\x03\xe8")
            frames = await upgraded.hear()

        assert frames[-1][0] == CLOSE
        assert hook == "leave" or code_of(frames[-1:]) == 4002
        await trio.sleep(2)
        assert line.is_closed
        assert host.left == [host.connection]


class TestCancellation:
    @pytest.mark.parametrize("moment", range(12))
    async def test_at_any_moment_leaves_nothing_behind(self, host, clock, settled, moment):
        line = MemoryLine(window_bytes=40)
        terms = Terms(
            origins=frozenset(),
            addresses=Addresses(),
            verifier=TicketVerifier((DEV_VERIFYING_KEY,)),
            clock=clock,
        )
        talker = Talker(line)
        talker.ask_for_upgrade()
        hello = Hello(id=1, ticket=a_ticket(now=clock.now()), device="device-1")
        talker.say_text(msgspec.json.encode(hello))
        async with trio.open_nursery() as nursery:
            conversation = Conversation(
                terms=terms, host=host, on_settled=lambda: settled.append(1)
            )
            nursery.start_soon(conversation.run, line)
            for _ in range(moment):
                await trio.lowlevel.checkpoint()
                line.read()
            nursery.cancel_scope.cancel()

        assert line.is_closed
        assert settled
        assert host.left == ([host.connection] if host.connection else [])
