"""Every bound of the harness, with its unit and its reason."""

from typing import Final

USERS_MAX: Final = 50_000
"""More sockets than that to one address run out of the client's own ports."""

SECONDS_MAX: Final = 24 * 3600
PROCESSES_MAX: Final = 64

ROOMS_PER_USER_MAX: Final = 20

WORKER_USERS_MAX: Final = 5_000
"""Users one worker process is given before a second is started by default."""

HANDSHAKE_BYTES_MAX: Final = 16 * 1024
HANDSHAKE_SECONDS_MAX: Final = 15
FRAME_BYTES_MAX: Final = 1024 * 1024
"""A server frame larger than this is taken for a broken server."""

RECEIVE_BYTES: Final = 16 * 1024

READER_PAUSE_SECONDS: Final = 0.002
"""Between two looks at all sockets of a process; part of every latency."""

READER_SOCKETS_AT_ONCE: Final = 1024
"""Sockets read before other tasks have their turn."""

DECODED_KEPT_MAX: Final = 2048
"""Different frames a process remembers, to decode what many members hear only once."""

COMMANDS_OUTSTANDING_MAX: Final = 256
"""Commands of one client without an outcome; giving one more waits."""

OUTCOME_SECONDS_MAX: Final = 10
"""A command whose outcome did not come in this time is sent again, with the same key."""

QUESTION_SECONDS_MAX: Final = 10
"""A question that was not answered in this time is taken for a dead connection."""

REST_CONNECTIONS_MAX: Final = 100
"""HTTP connections of one worker process."""

REST_SECONDS_MAX: Final = 15
REST_BODY_BYTES_MAX: Final = 8 * 1024 * 1024

REST_IDLE_SECONDS_MAX: Final = 3.0
"""Servers close connections that were idle for a few seconds; ours must give them up earlier."""

SIGN_INS_AT_ONCE: Final = 8
"""Sign-ins and registrations under way at one time; password hashing is slow on purpose."""

SERIES_POINTS_MAX: Final = 600
"""Points of one curve; longer runs get wider points."""

VIOLATIONS_KEPT_MAX: Final = 100
"""Violations told one by one; the rest is only counted."""

SETTLE_SECONDS_MAX: Final = 30
"""After the writing stops: time for every outcome and every event to arrive."""

WORKER_LINE_BYTES_MAX: Final = 256 * 1024 * 1024
"""One message between the crew and a worker; the last one carries every histogram."""

DESCRIPTORS_SPARE: Final = 256
"""File descriptors of one worker beside its sockets and HTTP connections."""
