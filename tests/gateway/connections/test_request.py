"""The short way of an upgrade, beside the parser it goes round."""

import pytest
from hypothesis import given, settings, strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request
from wsproto.utilities import ProtocolError

from gateway.connections.request import answer_to, read_plain

HEADERS = (
    ("Host", "shop.example:8080"),
    ("Upgrade", "websocket"),
    ("Connection", "keep-alive, Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Origin", "https://shop.example"),
    ("Sec-WebSocket-Protocol", "soap, rialto.v1.json"),
    ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
    ("X-Forwarded-For", "203.0.113.7, 198.51.100.1"),
)


def a_request(headers=HEADERS, *, first="GET /ws?v=1 HTTP/1.1"):
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in headers), "", ""]).encode()


def without(*names):
    return tuple(header for header in HEADERS if header[0] not in names)


def answer_of_wsproto(received, subprotocol):
    """Return what wsproto finds in a request, and its answer; None if it refuses it."""
    server = WSConnection(ConnectionType.SERVER)
    try:
        server.receive_data(received)
        (request,) = server.events()
    except (ProtocolError, ValueError):
        return None
    assert isinstance(request, Request)
    return request, server.send(AcceptConnection(subprotocol=subprotocol))


def same_as_wsproto(received):
    """Say whether a request is a plain one; make sure that it is then read as wsproto reads it."""
    plain = read_plain(received)
    if plain is None:
        return False
    chosen = next((name for name in plain.subprotocols if name.startswith("rialto")), None)
    found = answer_of_wsproto(received, chosen)
    assert found is not None
    request, answer = found
    assert request.target == plain.target
    assert answer_to(plain, subprotocol=chosen) == answer
    headers = dict(request.extra_headers)
    assert headers.get(b"origin") == (None if plain.origin is None else plain.origin.encode())
    assert headers.get(b"x-forwarded-for", b"") == plain.forwarded_for.encode()
    assert request.subprotocols == [name for name in plain.subprotocols if name]
    return True


class TestAPlainRequest:
    def test_is_read_and_answered_as_wsproto_does(self):
        assert same_as_wsproto(a_request())

    def test_needs_no_more_than_what_the_standard_asks_for(self):
        assert same_as_wsproto(a_request(HEADERS[:5]))

    def test_may_write_its_headers_as_it_likes(self):
        loud = [(name.upper(), f"\t {value} \t") for name, value in HEADERS]

        assert same_as_wsproto(a_request(loud))


class TestARequestThatIsNotPlain:
    @pytest.mark.parametrize("name", ["Host", "Upgrade", "Connection", "Sec-WebSocket-Version"])
    def test_lacks_something(self, name):
        assert read_plain(a_request(without(name))) is None

    @pytest.mark.parametrize("header", HEADERS, ids=lambda header: header[0])
    def test_says_something_twice(self, header):
        assert read_plain(a_request((*HEADERS, (header[0].lower(), header[1])))) is None

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Host", ""),
            ("Host", "shop example"),
            ("Upgrade", "h2c, websocket"),
            ("Connection", "keep-alive"),
            ("Sec-WebSocket-Version", "12"),
            ("Sec-WebSocket-Key", ""),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j\x00Q=="),
            ("Content-Length", "0"),
            ("Content-Length", "5"),
            ("Transfer-Encoding", "chunked"),
            ("Expect", "100-continue"),
            ("Cookie", "a\x00b"),
            ("Cookie", "a\nSet: b"),
            ("Cookie", "ä"),
            ("Bad Name", "x"),
            ("", "x"),
        ],
    )
    def test_has_a_header_that_is_unusual(self, name, value):
        assert read_plain(a_request((*without(name), (name, value)))) is None

    @pytest.mark.parametrize(
        "first",
        [
            "POST /ws HTTP/1.1",
            "GET /ws HTTP/1.0",
            "GET /ws HTTP/1.1 ",
            "GET  /ws HTTP/1.1",
            "get /ws HTTP/1.1",
            "GET /w s HTTP/1.1",
            "GET /wß HTTP/1.1",
            " GET /ws HTTP/1.1",
            "",
        ],
    )
    def test_begins_with_an_unusual_line(self, first):
        assert read_plain(a_request(first=first)) is None

    @pytest.mark.parametrize(
        "received",
        [
            b"",
            b"\r\n\r\n",
            a_request()[:-1],
            a_request()[:-2],
            a_request() + b"x",
            a_request() * 2,
            a_request() + b"\r\n\r\n",
            b"\r\n" + a_request(),
            a_request().replace(b"\r\n", b"\n"),
            a_request().replace(b"Origin: ", b"Origin : "),
            a_request().replace(b"\r\nOrigin", b"\r\n Origin"),
        ],
    )
    def test_is_not_all_of_what_came_or_not_put_as_usual(self, received):
        assert read_plain(received) is None


ODD = st.sampled_from([b"\r\n", b"\n", b"\r", b":", b" ", b"\t", b"\0", b"\xe4", b",", b"a", b""])


class TestAnyRequest:
    @settings(max_examples=400, deadline=None)
    @given(
        st.lists(st.sampled_from(HEADERS), max_size=12),
        st.lists(st.tuples(st.integers(0, 400), st.integers(0, 4), ODD), max_size=3),
    )
    def test_that_is_plain_is_one_that_wsproto_reads_alike(self, headers, changes):
        received = a_request((*HEADERS[:5], *headers)) if len(headers) % 2 else a_request(headers)
        for at, length, put in changes:
            received = received[:at] + put + received[at + length :]

        same_as_wsproto(received)

    @settings(max_examples=200, deadline=None)
    @given(
        st.permutations(HEADERS),
        st.lists(st.tuples(st.integers(0, 400), ODD), max_size=2),
    )
    def test_that_is_nearly_plain_is_judged_alike(self, headers, changes):
        received = a_request(headers)
        for at, put in changes:
            received = received[:at] + put + received[at + len(put) :]

        same_as_wsproto(received)
