"""Redis Cluster's hash slots: which one a key belongs to, and which key a command is about."""

import binascii
from collections.abc import Sequence
from typing import Final

from gateway.streams.replies import Argument, Reply, as_bytes, as_int, as_list

SLOTS_COUNT: Final = 16_384
_SCRIPTS: Final = frozenset({"EVAL", "EVALSHA"})


def slot_of(key: bytes) -> int:
    """Return the slot of a key or channel: of the part between `{` and `}`, if there is one."""
    start = key.find(b"{") + 1
    if start:
        end = key.find(b"}", start)
        if end > start:
            key = key[start:end]
    return binascii.crc_hqx(key, 0) % SLOTS_COUNT


def slot_of_call(words: Sequence[Argument]) -> int | None:
    """Return the slot of a command's first key; None if it has none."""
    place = 3 if words[0] in _SCRIPTS else 1
    if len(words) <= place or (place == 3 and not words[2]):
        return None
    key = words[place]
    return slot_of(key if isinstance(key, bytes) else str(key).encode())


def read_slots(reply: Reply, *, asked_host: str) -> list[tuple[str, int] | None]:
    """Return the master of every slot, by host and port, out of the answer to CLUSTER SLOTS."""
    owners: list[tuple[str, int] | None] = [None] * SLOTS_COUNT
    for row in as_list(reply):
        first, last, master, *_ = as_list(row)
        host, port, *_ = as_list(master)
        owner = (as_bytes(host).decode() if host else asked_host, as_int(port))
        for slot in range(as_int(first), as_int(last) + 1):
            owners[slot] = owner
    return owners
