"""Which way to Redis is taken: to one server, or to a cluster."""

from typing import TypeAlias

from gateway.streams.address import ClusterAddress, parse_streams_address
from gateway.streams.channels import Channels
from gateway.streams.cluster_channels import ClusterChannels
from gateway.streams.cluster_link import ClusterLink
from gateway.streams.link import Link

AnyLink: TypeAlias = Link | ClusterLink
AnyChannels: TypeAlias = Channels | ClusterChannels


def make_streams(url: str, *, name: str = "rialto-gateway") -> tuple[AnyLink, AnyChannels]:
    """Return what calls are made and channels heard through; the link has to run first.

    Raises:
        MalformedAddressError: if the URL is not one.
    """
    address = parse_streams_address(url)
    if isinstance(address, ClusterAddress):
        link = ClusterLink(address.seeds, name=name)
        return link, ClusterChannels(link)
    return Link(address, name=name), Channels(address, name=f"{name}-channels")
