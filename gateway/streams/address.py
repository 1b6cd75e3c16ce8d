"""Where Redis is: `redis://user:password@host:port/database`, or `rediss://` for TLS."""

from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
from typing_extensions import override

DEFAULT_PORT: Final = 6379


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
