import pytest
from hypothesis import given, settings, strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from gateway.connections.tap import Tap
from gateway.limits import INBOUND_FRAME_BYTES_MAX


def masked(first, payload, *, mask=b"\x11\x22\x33\x44", wide=False):
    length = len(payload)
    if length < 126 and not wide:
        head = bytes((first, 0x80 | length))
    elif length < 65536:
        head = bytes((first, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + length.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class Poured:
    """What came out of a tap at both ends."""

    def __init__(self, *chunks):
        self.messages = []
        tap = Tap(self.messages.append)
        self.left = b"".join([tap.pour(chunk) for chunk in chunks])


def in_pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


class TestTheTap:
    @pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 10_000])
    def test_takes_whole_messages_however_they_are_cut(self, piece_bytes):
        texts = ["", "a", "é" * 60, "x" * 125, "y" * 126, "z" * INBOUND_FRAME_BYTES_MAX]
        sent = b"".join(masked(0x81, text.encode()) for text in texts)
        poured = Poured(*in_pieces(sent, piece_bytes))

        assert poured.messages == texts
        assert poured.left == b""

    def test_takes_binary_messages_as_bytes(self):
        assert Poured(masked(0x82, b"\xff\x00")).messages == [b"\xff\x00"]

    def test_leaves_pings_and_pongs_and_goes_on(self):
        ping, pong = masked(0x89, b"are you there"), masked(0x8A, b"")
        poured = Poured(masked(0x81, b"1") + ping + masked(0x81, b"2") + pong, masked(0x81, b"3"))

        assert poured.messages == ["1", "2", "3"]
        assert poured.left == ping + pong

    @pytest.mark.parametrize(
        "special",
        [
            pytest.param(masked(0x88, b"\x03\xe8"), id="a close"),
            pytest.param(masked(0x01, b"begun"), id="a fragment"),
            pytest.param(masked(0x80, b"more"), id="a continuation of nothing"),
            pytest.param(masked(0xC1, b"packed"), id="an extension"),
            pytest.param(b"\x81\x02hi", id="no mask"),
            pytest.param(masked(0x81, b"\xff\xfe"), id="no UTF-8"),
            pytest.param(masked(0x81, b"short", wide=True), id="a length said the long way"),
            pytest.param(masked(0x81, b"x" * (INBOUND_FRAME_BYTES_MAX + 1)), id="too long"),
            pytest.param(masked(0x81, b"x" * 70_000), id="far too long"),
            pytest.param(masked(0x83, b""), id="an opcode nobody knows"),
            pytest.param(masked(0x89, b"x" * 126), id="a ping that is too long"),
        ],
    )
    @pytest.mark.parametrize("piece_bytes", [1, 5, 100_000])
    def test_leaves_all_that_follows_something_special(self, special, piece_bytes):
        follows = masked(0x81, b"after") + masked(0x89, b"")
        poured = Poured(*in_pieces(masked(0x81, b"before") + special + follows, piece_bytes))

        assert poured.messages == ["before"]
        assert poured.left == special + follows


CLIENT_SAYS = st.one_of(
    st.text(max_size=300).map(lambda text: TextMessage(data=text)),
    st.binary(max_size=300).map(lambda data: BytesMessage(data=data)),
    st.binary(max_size=125).map(lambda payload: Ping(payload=payload)),
    st.tuples(st.text(max_size=9), st.booleans()).map(
        lambda part: TextMessage(data=part[0], message_finished=part[1])
    ),
)


def spoken(events):
    """Return what a client sends; a message that was begun is finished by the same kind only."""
    client = Connection(ConnectionType.CLIENT)
    sent = []
    for event in events:
        if isinstance(event, BytesMessage) and sent and not sent[-1][1]:
            continue
        finished = getattr(event, "message_finished", sent[-1][1] if sent else True)
        sent.append((client.send(event), finished))
    return b"".join(data for data, _ in sent) + client.send(CloseConnection(code=1000))


def heard(data):
    """Return the messages wsproto finds, joined from their fragments, and how it ended."""
    server = Connection(ConnectionType.SERVER)
    server.receive_data(data)
    messages, parts, code = [], [], None
    for event in server.events():
        match event:
            case TextMessage() | BytesMessage():
                parts.append(event.data)
                if event.message_finished:
                    messages.append(type(event.data)().join(parts))
                    parts = []
            case CloseConnection():
                code = event.code
            case _:
                pass
    return messages, code


class TestTheTapBesideWsproto:
    @settings(max_examples=150, deadline=None)
    @given(st.lists(CLIENT_SAYS, max_size=12), st.integers(1, 40))
    def test_hears_the_same_messages_in_the_same_order(self, events, piece_bytes):
        sent = spoken(events)
        expected = heard(sent)
        poured = Poured(*in_pieces(sent, piece_bytes))
        later, code = heard(poured.left)

        assert (poured.messages + later, code) == expected

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=200), st.integers(1, 40))
    def test_loses_nothing_of_bytes_that_mean_nothing(self, noise, piece_bytes):
        whole, cut = Poured(noise), Poured(*in_pieces(noise, piece_bytes))

        assert (cut.messages, cut.left) == (whole.messages, whole.left)
