"""A connection to Redis that encodes commands by hiredis.

redis-py does so in Python, which takes several times as long; and the relay sends a long command
for each topic that something is told on.
"""

from typing import Any

import hiredis
from redis.asyncio.connection import Connection
from typing_extensions import override


class PackingConnection(Connection):
    """A plain TCP connection; arguments are text, bytes and numbers."""

    @override
    def pack_command(self, *args: Any) -> list[bytes]:
        """Encode one command; its name may be of several words."""
        name, *rest = args
        if isinstance(name, str) and " " in name:
            return [hiredis.pack_command((*name.split(), *rest))]
        return [hiredis.pack_command(args)]
