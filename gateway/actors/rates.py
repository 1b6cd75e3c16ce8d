"""How many commands each user has given lately: remembered for a while when they have gone."""

from gateway.connections.bucket import TokenBucket
from gateway.limits import COMMAND_RATES_REMEMBERED_MAX
from protocol.commands import Command
from protocol.ids import UserId

Buckets = dict[type[Command], TokenBucket]


class CommandRates:
    """The buckets of every user, those seen last at the end."""

    def __init__(self) -> None:
        self._users: dict[UserId, Buckets] = {}

    def of(self, user: UserId) -> Buckets:
        """Return a user's buckets, as full as they were left."""
        buckets = self._users.pop(user, {})
        self._users[user] = buckets
        if len(self._users) > COMMAND_RATES_REMEMBERED_MAX:
            del self._users[next(iter(self._users))]
        return buckets
