"""Every bound of the comparisons, with its unit and its reason."""

from typing import Final

SERVER_START_SECONDS_MAX: Final = 30.0
SHOP_START_SECONDS_MAX: Final = 120.0
INSTALL_SECONDS_MAX: Final = 300.0

HANDSHAKES_AT_ONCE: Final = 250
"""Handshakes under way: well below the shortest backlog among the servers (511)."""

JOIN_SECONDS_MAX: Final = 60.0
"""For all sockets of one measurement to be connected and subscribed."""

EVENTS_AT_ONCE: Final = 1024
RECEIVE_BYTES: Final = 256 * 1024

SAMPLED_EVERY: Final = 8
"""One socket in so many has the delay of each delivery recorded; all are checked."""

GENERATOR_BUSY_SHARE: Final = 0.90
SERVER_BUSY_SHARE: Final = 0.90
"""A run in which the generator was busier than its share and the server less so, says more about
the generator: it is flagged."""

VIOLATIONS_TOLD_MAX: Final = 5
