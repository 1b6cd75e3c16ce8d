"""Where Redis is: `redis://user:password@host:port/database`, or `rediss://` for TLS.

A cluster is `redis+cluster://user:password@host:port,host:port` (or `rediss+cluster://`): some of
its nodes, by whom the others are found.
"""

from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
from typing_extensions import override

DEFAULT_PORT: Final = 6379
_CLUSTER: Final = "+cluster"


class MalformedAddressError(ValueError):
    """The text is not the URL of a Redis server."""


class RedisAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed URL. Its `repr` is fit for a log: it leaves the password out."""

    host: str
    port: int = DEFAULT_PORT
    user: str = "default"
    password: str | None = None
    database: int = 0
    tls: bool = False

    @override
    def __repr__(self) -> str:
        scheme = "rediss" if self.tls else "redis"
        return f"{scheme}://{self.host}:{self.port}/{self.database}"

    def at(self, host: str, port: int) -> "RedisAddress":
        """Return the same for another server."""
        return msgspec.structs.replace(self, host=host, port=port)


class ClusterAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Some nodes of a cluster."""

    seeds: tuple[RedisAddress, ...]


def parse_streams_address(url: str) -> RedisAddress | ClusterAddress:
    """Read the URL of a server or of a cluster.

    Raises:
        MalformedAddressError: if it is neither. The message does not repeat the URL.
    """
    scheme, separator, rest = url.partition("://")
    if not scheme.endswith(_CLUSTER):
        return parse_address(url)
    sign_in, at, hosts = rest.rstrip("/").rpartition("@")
    if "/" in hosts:
        raise MalformedAddressError("a cluster has no numbered databases")
    one = scheme.removesuffix(_CLUSTER) + separator + sign_in + at
    return ClusterAddress(seeds=tuple(parse_address(one + host) for host in hosts.split(",")))


def parse_address(url: str) -> RedisAddress:
    """Read a `redis://` or `rediss://` URL.

    Raises:
        MalformedAddressError: if it is not one. The message does not repeat the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError as error:
        raise MalformedAddressError("the port is not a number from 1 to 65535") from error
    if parts.scheme not in {"redis", "rediss"}:
        raise MalformedAddressError("the scheme is redis:// or rediss://")
    if not parts.hostname:
        raise MalformedAddressError("the host is missing")
    return RedisAddress(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or "") or "default",
        password=None if parts.password is None else unquote(parts.password),
        database=_database(parts),
        tls=parts.scheme == "rediss",
    )


def _database(parts: SplitResult) -> int:
    path = parts.path.strip("/")
    if not path:
        return 0
    if not path.isascii() or not path.isdigit():
        raise MalformedAddressError("the path is the number of a database")
    return int(path)
