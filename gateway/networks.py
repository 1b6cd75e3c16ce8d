"""Networks of addresses, as an operator writes them."""

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class MalformedNetworkError(ValueError):
    """The text is not a network such as `10.0.0.0/8`."""


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks.

    Raises:
        MalformedNetworkError: if one is none.
    """
    return tuple(map(_parse, texts))


def _parse(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise MalformedNetworkError(f"{text!r} is not a network such as 10.0.0.0/8") from error
