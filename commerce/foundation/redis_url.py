"""The URL of a Redis Cluster: `redis+cluster://user:password@host:port,host:port`."""

from collections.abc import Sequence
from typing import Final

import msgspec

CLUSTER_SCHEMES: Final = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
_DEFAULT_PORT: Final = 6379


class ClusterUrl(msgspec.Struct, frozen=True, kw_only=True):
    """Some servers of a cluster, by whom the others are found, and how one signs in to them."""

    scheme: str
    sign_in: str
    addresses: Sequence[str]

    def of(self, address: str) -> str:
        """Return the URL of one server."""
        return f"{self.scheme}://{self.sign_in}{address}/0"


def cluster_url(url: str) -> ClusterUrl | None:
    """Return what a URL says of a cluster; None if it names a single server."""
    scheme, _, rest = url.partition("://")
    if scheme not in CLUSTER_SCHEMES:
        return None
    sign_in, at, hosts = rest.split("/", 1)[0].rpartition("@")
    return ClusterUrl(
        scheme=CLUSTER_SCHEMES[scheme],
        sign_in=sign_in + at,
        addresses=[_with_port(host) for host in hosts.split(",") if host],
    )


def _with_port(host: str) -> str:
    has_port = host.rpartition(":")[2].isdigit() and not host.endswith("]")
    return host if has_port else f"{host}:{_DEFAULT_PORT}"
