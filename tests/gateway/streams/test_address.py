"""Where Redis is, as a URL says it."""

import pytest

from gateway.streams.address import MalformedAddressError, RedisAddress, parse_address


class TestARedisUrl:
    def test_names_host_port_and_database(self):
        assert parse_address("redis://cache.example:7000/3") == RedisAddress(
            host="cache.example", port=7000, database=3
        )

    def test_defaults_to_the_usual_port_and_the_first_database(self):
        assert parse_address("redis://localhost") == RedisAddress(host="localhost")

    def test_may_carry_a_user_and_a_password_with_escapes(self):
        address = parse_address("redis://alice:p%40ss%2Fword@localhost/0")

        assert (address.user, address.password) == ("alice", "p@ss/word")

    def test_may_carry_a_password_alone(self):
        address = parse_address("redis://:secret@localhost")

        assert (address.user, address.password) == ("default", "secret")

    def test_asks_for_tls_by_its_scheme(self):
        assert parse_address("rediss://localhost").tls

    def test_takes_an_ipv6_host(self):
        assert parse_address("redis://[::1]:6380/0").host == "::1"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "http://localhost",
            "redis://",
            "redis://host:port",
            "redis://host/first",
            "host:6379",
        ],
    )
    def test_is_refused_when_malformed(self, url):
        with pytest.raises(MalformedAddressError):
            parse_address(url)

    def test_never_shows_its_password(self):
        address = parse_address("redis://alice:verysecret@localhost")

        assert "verysecret" not in repr(address)
