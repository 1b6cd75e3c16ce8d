"""Where clients come from: how often one network address may knock, and whose word is believed."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from gateway.connections.bucket import TokenBucket
from gateway.limits import (
    ADDRESSES_REMEMBERED_MAX,
    FORWARDED_HOPS_MAX,
    HANDSHAKES_PENDING_PER_ADDRESS_MAX,
    HANDSHAKES_PER_ADDRESS_BURST,
    HANDSHAKES_PER_ADDRESS_PER_SECOND,
)
from gateway.networks import parse_networks

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_PARSED_MAX: Final = 4096
_V6_PREFIX_BITS: Final = 64
"""What one customer of a provider is given, so what one client can choose its addresses from."""


class Addresses:
    """Counts the knocks of every address, an IPv6 network of 64 bits being one.

    A trusted proxy is not counted: it says for whom it asks. Neither is this machine itself, from
    where nobody comes but a proxy, a test or the operator.
    """

    def __init__(
        self,
        trusted_proxies: Iterable[str] = (),
        *,
        per_second: float = HANDSHAKES_PER_ADDRESS_PER_SECOND,
        spares_loopback: bool = True,
    ) -> None:
        """Believe proxies in these networks; with 0 knocks a second there is no limit.

        Raises:
            MalformedNetworkError: if one is none.
        """
        self._trusted = parse_networks(trusted_proxies)
        self._per_second = per_second
        self._spares_loopback = spares_loopback
        self._buckets: dict[str, TokenBucket] = {}
        self._pending: dict[str, int] = {}

    @property
    def has_proxies(self) -> bool:
        """Whether anybody's word is believed."""
        return bool(self._trusted)

    def is_trusted(self, peer: str) -> bool:
        """Say whether a peer is a proxy whose word is believed."""
        address = _parse(peer)
        return address is not None and any(address in network for network in self._trusted)

    def client_of(self, peer: str, forwarded: str) -> str:
        """Return for whom a peer asks, given its X-Forwarded-For.

        Each proxy adds at the right from whom it heard, so the list is believed from the right for
        as long as what is said comes from a trusted proxy.
        """
        found = peer
        for hop in reversed(forwarded.split(",")[-FORWARDED_HOPS_MAX:]):
            if not self.is_trusted(found) or _parse(hop.strip()) is None:
                break
            found = hop.strip()
        return found

    def knock(self, peer: str) -> float:
        """Count one handshake; return 0, or the seconds it should have waited."""
        name = self._name(peer)
        if name is None or self._per_second <= 0:
            return 0.0
        bucket = self._buckets.pop(name, None) or TokenBucket(
            per_second=self._per_second, burst=HANDSHAKES_PER_ADDRESS_BURST
        )
        self._buckets[name] = bucket
        if len(self._buckets) > ADDRESSES_REMEMBERED_MAX:
            del self._buckets[next(iter(self._buckets))]
        return bucket.take()

    def begin(self, peer: str) -> bool:
        """Count a handshake that begins; no if too many of this address have not ended."""
        name = self._name(peer)
        if name is None:
            return True
        pending = self._pending.get(name, 0)
        if pending >= HANDSHAKES_PENDING_PER_ADDRESS_MAX:
            return False
        self._pending[name] = pending + 1
        return True

    def end(self, peer: str) -> None:
        """Count a handshake that has ended; it was begun."""
        name = self._name(peer)
        if name is None:
            return
        self._pending[name] -= 1
        if not self._pending[name]:
            del self._pending[name]

    def _name(self, peer: str) -> str | None:
        """Return what counts as one address; None for who is not counted."""
        address = _parse(peer)
        if address is None or (self._spares_loopback and address.is_loopback):
            return None
        if any(address in network for network in self._trusted):
            return None
        if isinstance(address, ipaddress.IPv6Address):
            return str(ipaddress.IPv6Network((address, _V6_PREFIX_BITS), strict=False))
        return str(address)


@lru_cache(maxsize=_PARSED_MAX)
def _parse(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
