"""Every bound of the gateway, with its unit and its reason."""

from collections.abc import Mapping
from typing import Final

from protocol.client_frames import TOPICS_MAX
from protocol.commands import CancelOrder, Command, PlaceOrder, SendMessage

# Sockets

CONNECTIONS_MAX: Final = 20_000
"""Sockets of one worker; above this a newcomer is answered 503 before the upgrade."""

HANDSHAKES_MAX: Final = 512
"""Sockets that have not said a good `hello` yet: a storm waits in the kernel's backlog."""

HANDSHAKES_PENDING_PER_ADDRESS_MAX: Final = HANDSHAKES_MAX // 4
"""Of those, from one address: a few slow ones must not keep the door shut for everybody."""

HANDSHAKES_PER_ADDRESS_PER_SECOND: Final = 20.0
HANDSHAKES_PER_ADDRESS_BURST: Final = 200
"""From one address (of IPv6: one /64): a school or an office behind it comes back all at once."""

ADDRESSES_REMEMBERED_MAX: Final = 50_000
"""The least recently seen are forgotten first; their buckets would be full again soon."""

FORWARDED_HOPS_MAX: Final = 10
"""Proxies of X-Forwarded-For that are looked at, from the last."""

HANDSHAKE_WAIT_SECONDS_MAX: Final = 1.0
"""How long the door waits for one of them to finish before it turns newcomers away."""

REFUSALS_MAX: Final = 256
"""Sockets being told 503 at once; above this they are just closed."""

REFUSAL_SECONDS_MAX: Final = 1.0
RETRY_AFTER_SECONDS: Final = 3
LISTEN_BACKLOG: Final = 4096
ACCEPTS_AT_ONCE: Final = 8
"""Sockets taken in before others get a turn: a few milliseconds' worth of handshakes."""

ACCEPT_FAILURE_PAUSE_SECONDS: Final = 0.1
"""Pause when the process is out of file descriptors; trio's own listener waits as long."""

HELLO_SECONDS_MAX: Final = 10.0
"""From the first sign of a socket to its hello, the upgrade included."""

CONNECTIONS_PER_USER_MAX: Final = 10
"""Sockets of one user on all workers together; on each of them alone while Redis is away."""

SOCKET_CALLS_AT_ONCE: Final = 64
RELEASES_WAITING_MAX: Final = 100_000
"""Sockets that are gone, of which Redis is still to be told; a hold lapses with its ticket."""

RELEASE_RETRY_SECONDS: Final = 0.5

# What a client sends

INBOUND_FRAME_BYTES_MAX: Final = 16 * 1024
INBOUND_MESSAGE_CHARACTERS_MAX: Final = 32 * 1024
"""Where trio-websocket stops collecting; it counts characters, so we count the bytes below it."""

RECEIVE_BYTES: Final = 4 * 1024

INBOUND_FRAMES_PER_SECOND: Final = 50.0
INBOUND_FRAMES_BURST: Final = 200
FLOODS_MAX: Final = 200
"""Frames beyond that rate which are refused and forgiven, apart from errors; ten are forgotten a
second. A client that waits as it is told is never closed for being fast."""

FLOODS_FORGOTTEN_PER_SECOND: Final = 10.0
STRIKES_MAX: Final = 20
"""Refused frames a socket is forgiven; one is forgotten every `STRIKE_SECONDS`."""

STRIKE_SECONDS: Final = 3.0

# What a client is sent

OUTBOX_BYTES_SOFT: Final = 256 * 1024
OUTBOX_BYTES_HARD: Final = 1024 * 1024
OUTBOX_SECONDS_MAX: Final = 10.0
WRITE_BATCH_BYTES: Final = 64 * 1024
SEND_BUFFER_BYTES: Final = 128 * 1024
"""Of the kernel, for each socket: a frozen client is noticed before it holds megabytes."""

CLOSE_SECONDS_MAX: Final = 5.0
"""From our close frame to the end of the socket, whatever the client does."""

# Time

HEARTBEAT_MS: Final = 25_000
HEARTBEAT_JITTER_MS: Final = 5_000
"""Each client is told up to so much less: those that came together do not ping together."""

SILENCE_SECONDS_MAX: Final = 2 * HEARTBEAT_MS / 1000
TICKET_GRACE_SECONDS: Final = 25.0
HEARTBEAT_SWEEP_SECONDS: Final = 1.0

# Actors

MAILBOX_MESSAGES_MAX: Final = 256
MAILBOX_MESSAGES_URGENT_MAX: Final = 512
"""With the gateway's own messages, which a client cannot provoke at will."""

ACTOR_CRASHES_MAX: Final = 5
ACTOR_CRASH_WINDOW_SECONDS: Final = 60.0
CRASHED_USERS_MAX: Final = 10_000
REDIS_SECONDS_MAX: Final = 3.0
"""What a question may cost in Redis before it is answered `unavailable`."""

RIGHT_SECONDS_MAX: Final = 0.8
"""What asking whether a right is still there may cost before it counts as lost: it is to end
within a second."""

COMMAND_RATES: Final[Mapping[type[Command], tuple[float, int]]] = {
    SendMessage: (20.0, 100),
    PlaceOrder: (1.0, 5),
    CancelOrder: (1.0, 10),
}
"""Commands of one kind a user may give: so many a second, so many at once."""

COMMAND_RATE_OTHERS: Final = (10.0, 50)
COMMAND_RATES_REMEMBERED_MAX: Final = 20_000
"""Users whose buckets are remembered when they have gone: coming back does not fill them."""

# Topics

REPLAY_EVENTS_MAX: Final = 300
REPLAY_BYTES_MAX: Final = 256 * 1024
HELD_EVENTS_MAX: Final = 512
"""Live events kept for a subscriber that is still being told the past."""

CATCH_UP_OUTAGE_SECONDS_MAX: Final = 20.0
"""How long the past of a connection's topics waits for a Redis that is away, before `gap`."""

FEED_IDLE_SECONDS: Final = 10.0
"""A topic nobody here hears any more stays attached this long: a page reload is not a storm."""

FEED_MEMORY_EVENTS: Final = 64
"""Event ids a live topic remembers, to know its own events when a Redis that lost some of them
is given them again."""

AUDIT_SECONDS: Final = 60.0
AUDIT_RETRY_SECONDS: Final = 0.25
AUDITS_AT_ONCE: Final = 32
JOINS_AT_ONCE: Final = 16

# Operators

OPERATOR_BODY_BYTES_MAX: Final = 4 * 1024
OPERATOR_PAGE_MAX: Final = 200
OPERATOR_PAGE: Final = 50
OPERATOR_TOP_MAX: Final = 20
"""Slowest sockets, and busiest topics, that are told at once."""

OPERATOR_BATCH_CONNECTIONS: Final = 500
"""Sockets looked at or told before others get a turn: about a millisecond's worth."""

# Products and people that pages show

STATE_PAUSE_SECONDS: Final = 0.25
"""Between two states of one product that a worker tells: a flash sale changes its stock a hundred
times a second, and nobody reads faster."""

WATCHED_AGE_MS_MAX: Final = 5 * 60 * 1000
"""A log that is silent vouches for what a client read this recently: whatever Redis loses,
commerce publishes the last ten minutes again."""

WATCHED_FEEDS_MAX: Final = 50_000
"""Products watched on one worker; each costs a live channel."""

WATCH_RATE: Final = (5.0, 20)
"""Changes a second of what one user's pages watch, and so many at once."""

# Going away

DRAIN_WINDOW_MS_MIN: Final = 1_000
DRAIN_WINDOW_MS_MAX: Final = 15_000
DRAIN_MS_PER_CONNECTION: Final = 1.0
"""About what one handshake costs another worker in processor time."""

DRAIN_GRACE_SECONDS: Final = 1.0
TASKS_STOP_SECONDS_MAX: Final = 3.0

assert OUTBOX_BYTES_SOFT < OUTBOX_BYTES_HARD
assert REPLAY_BYTES_MAX + OUTBOX_BYTES_SOFT < OUTBOX_BYTES_HARD
assert TOPICS_MAX >= JOINS_AT_ONCE
assert DRAIN_WINDOW_MS_MIN <= DRAIN_WINDOW_MS_MAX
