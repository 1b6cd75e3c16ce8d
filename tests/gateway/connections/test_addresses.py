import pytest
import trio

from gateway.connections.addresses import Addresses
from gateway.limits import (
    ADDRESSES_REMEMBERED_MAX,
    HANDSHAKES_PENDING_PER_ADDRESS_MAX,
    HANDSHAKES_PER_ADDRESS_BURST,
)
from gateway.networks import MalformedNetworkError

PROXIES = ("10.0.0.0/8", "2001:db8:ff::/48")


def knock_all(addresses, peer):
    """Use up what an address may do at once."""
    for _ in range(HANDSHAKES_PER_ADDRESS_BURST):
        assert addresses.knock(peer) == 0


class TestAnAddress:
    async def test_may_knock_so_often_at_once_and_then_again_with_time(self):
        addresses = Addresses(per_second=20)
        knock_all(addresses, "192.0.2.1")

        assert addresses.knock("192.0.2.1") == pytest.approx(1 / 20)
        assert addresses.knock("192.0.2.2") == 0
        await trio.sleep(1 / 20)
        assert addresses.knock("192.0.2.1") == 0

    @pytest.mark.parametrize(
        ("one", "other", "are_one"),
        [
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("192.0.2.1", "::ffff:192.0.2.1", True),
            ("fe80::1%eth0", "fe80::2%eth1", True),
        ],
    )
    async def test_of_ipv6_is_a_network_of_64_bits(self, one, other, are_one):
        addresses = Addresses()
        knock_all(addresses, one)

        assert (addresses.knock(other) > 0) is are_one

    @pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.1.2.3", "", "unix"])
    async def test_of_this_machine_of_a_proxy_or_of_nobody_is_not_counted(self, peer):
        addresses = Addresses(PROXIES)
        knock_all(addresses, peer)

        assert addresses.knock(peer) == 0
        assert all(addresses.begin(peer) for _ in range(HANDSHAKES_PENDING_PER_ADDRESS_MAX + 1))
        addresses.end(peer)

    async def test_is_not_counted_where_the_operator_sets_no_limit(self):
        addresses = Addresses(per_second=0)
        knock_all(addresses, "192.0.2.1")

        assert addresses.knock("192.0.2.1") == 0

    async def test_holds_only_so_many_unfinished_handshakes(self):
        addresses = Addresses()
        for _ in range(HANDSHAKES_PENDING_PER_ADDRESS_MAX):
            assert addresses.begin("192.0.2.1")

        assert not addresses.begin("192.0.2.1")
        assert addresses.begin("192.0.2.2")
        addresses.end("192.0.2.1")
        assert addresses.begin("192.0.2.1")

    async def test_not_seen_for_longest_is_forgotten_first(self):
        addresses = Addresses()
        knock_all(addresses, "192.0.2.1")
        knock_all(addresses, "192.0.2.2")
        for number in range(ADDRESSES_REMEMBERED_MAX - 1):
            addresses.knock(f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}")
            if number == 0:
                assert addresses.knock("192.0.2.1") > 0

        assert addresses.knock("192.0.2.1") > 0
        assert addresses.knock("192.0.2.2") == 0


class TestAProxy:
    @pytest.mark.parametrize(
        ("peer", "forwarded", "client"),
        [
            ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
            ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("2001:db8:ff::1", " 2001:db8::7 ", "2001:db8::7"),
            ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the left is the client's
            ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "unknown", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, nonsense, 10.0.0.2", "10.0.0.2"),
        ],
    )
    def test_is_believed_as_far_as_it_is_trusted(self, peer, forwarded, client):
        assert Addresses(PROXIES).client_of(peer, forwarded) == client

    def test_that_forwards_without_end_is_looked_at_for_some_hops(self):
        hops = ", ".join(["203.0.113.7", *["10.0.0.2"] * 1000])

        assert Addresses(PROXIES).client_of("10.0.0.1", hops) == "10.0.0.2"

    @pytest.mark.parametrize("network", ["everywhere", "10.0.0.0/33", ""])
    def test_must_be_in_a_network(self, network):
        with pytest.raises(MalformedNetworkError):
            Addresses([network])
