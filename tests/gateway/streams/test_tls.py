"""A link that is encrypted on its way."""

import datetime as dt
import ipaddress
import ssl
from functools import partial

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.streams.address import parse_address
from gateway.streams.link import Link
from gateway.streams.opening import make_streams
from gateway.streams.redial import CONNECT_SECONDS_MAX
from gateway.streams.slots import slot_of
from tests.gateway.waiting import wait_until


@pytest.fixture
def certificate(tmp_path):
    """The path of a certificate of 127.0.0.1 that signed itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    since = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "redis.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(pem) + secret)
    return path


async def open_tls_door(nursery, certificate, host, port):
    """Open a port with TLS in front of a server; return it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    [listener] = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1")

    async def serve(client):
        server = await trio.open_tcp_stream(host, port)
        try:
            async with client, server, trio.open_nursery() as both_ways:
                both_ways.start_soon(_copy, client, server)
                both_ways.start_soon(_copy, server, client)
        except* (trio.BrokenResourceError, ssl.SSLError):
            pass

    nursery.start_soon(partial(trio.serve_listeners, serve, [listener]))
    return listener.transport_listener.socket.getsockname()[1]


@pytest.fixture
async def tls_url(redis_url, certificate, nursery):
    """The address of a door with TLS in front of Valkey."""
    behind = parse_address(redis_url)
    port = await open_tls_door(nursery, certificate, behind.host, behind.port)
    return f"rediss://127.0.0.1:{port}/0"


@pytest.fixture
async def tls_cluster_url(valkey_cluster, certificate, nursery):
    """The address of a cluster whose nodes name doors with TLS as their own addresses."""
    valkey_cluster.flush()
    ports = []
    for node in valkey_cluster.masters():
        ports.append(await open_tls_door(nursery, certificate, "127.0.0.1", node.port))
        node.ask("CONFIG", "SET", "cluster-announce-bus-port", node.bus_port)
        node.ask("CONFIG", "SET", "cluster-announce-port", ports[-1])
    yield f"rediss+cluster://127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}"
    for node in valkey_cluster.masters():
        node.ask("CONFIG", "SET", "cluster-announce-port", 0)
        node.ask("CONFIG", "SET", "cluster-announce-bus-port", 0)
    await wait_until(lambda: not _names_doors(valkey_cluster, ports))  # the nodes tell one another


def _names_doors(cluster, ports):
    """Say whether some node still sends clients to a door that is about to be closed."""
    told = [node.ask("CLUSTER", "SLOTS") for node in cluster.masters()]
    return any(str(port) in str(told) for port in ports)


class TestALinkOverTls:
    async def test_works_with_a_certificate_that_is_trusted(
        self, tls_url, certificate, nursery, monkeypatch
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        link = Link(parse_address(tls_url))

        await nursery.start(link.run)

        assert await link.call("ECHO", bytes(100_000)) == bytes(100_000)

    async def test_is_not_made_with_one_that_is_not(self, tls_url, nursery):
        link = Link(parse_address(tls_url))

        with trio.fail_after(CONNECT_SECONDS_MAX + 1):
            await nursery.start(link.run)

        assert not link.is_up
        assert "CERTIFICATE_VERIFY_FAILED" in link.statistics().last_failure


class TestAClusterOverTls:
    @pytest.mark.timeout(60)
    async def test_is_reached_on_every_node_by_calls_and_channels(
        self, tls_cluster_url, certificate, nursery, monkeypatch
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        link, channels = make_streams(tls_cluster_url)
        await nursery.start(link.run)
        await nursery.start(channels.run)
        await wait_until(lambda: link.is_up and channels.is_up)
        heard = []

        keys = [f"key-{number}" for number in range(30)]
        for key in keys:
            await channels.attach(key, heard.append)
            await link.call("SET", key, key)
            await link.call(link.publish_word, key, key)
        await wait_until(lambda: len(heard) == len(keys))

        assert [await link.call("GET", key) for key in keys] == [key.encode() for key in keys]
        assert {message.decode() for message in heard} == set(keys)
        assert len({link.owner(slot_of(key.encode())) for key in keys}) == 3

    async def test_is_not_joined_if_its_certificate_is_not_trusted(self, tls_cluster_url, nursery):
        link, _ = make_streams(tls_cluster_url)
        nursery.start_soon(link.run)
        await wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in link.statistics().last_failure)

        assert not link.is_up


async def _copy(source, sink):
    async for chunk in source:
        await sink.send_all(chunk)
    raise trio.BrokenResourceError
