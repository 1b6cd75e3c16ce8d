"""Commands that were given and have no outcome yet: what to send again, and when."""

import math
import random
from collections.abc import Iterator

import trio

from loadtest.backoff import full_jitter
from loadtest.limits import COMMANDS_OUTSTANDING_MAX, OUTCOME_SECONDS_MAX, QUESTION_SECONDS_MAX
from protocol.commands import AnyCommand
from protocol.events import CommandCommitted, CommandRejected
from protocol.server_frames import Error

Outcome = CommandCommitted | CommandRejected | Error
"""What became of a command; an `Error` when the gateway refused it for good."""


class GivenCommand:
    """One command on its way; keeps its key however often it is sent."""

    __slots__ = ("_pauses", "body", "done", "due_at", "given_at", "key", "outcome", "sent_count")

    def __init__(self, *, key: str, body: AnyCommand, given_at: float, dice: random.Random) -> None:
        self.key = key
        self.body = body
        self.given_at = given_at
        self.due_at = -math.inf
        self.sent_count = 0
        self.done = trio.Event()
        self.outcome: Outcome | None = None
        self._pauses = full_jitter(dice)

    async def wait(self) -> Outcome:
        """Return the outcome once it is known.

        Cancelled: the command goes on; only the waiting ends.
        """
        await self.done.wait()
        assert self.outcome is not None
        return self.outcome

    def sent(self) -> None:
        """Take note that it left; without an answer it is sent again in a while."""
        self.sent_count += 1
        self.due_at = trio.current_time() + QUESTION_SECONDS_MAX

    def accepted(self) -> None:
        """Take note that it is durable; without an outcome it is sent again in a while."""
        self.due_at = trio.current_time() + OUTCOME_SECONDS_MAX

    def put_off(self, retry_after_seconds: float) -> None:
        """Take note of a temporary refusal."""
        self.due_at = trio.current_time() + retry_after_seconds + next(self._pauses)


class Outstanding:
    """The commands of one client without an outcome, in the order they were given."""

    def __init__(self) -> None:
        self._commands: dict[str, GivenCommand] = {}
        self._room = trio.CapacityLimiter(COMMANDS_OUTSTANDING_MAX)
        self._accepted: set[str] = set()

    def __len__(self) -> int:
        return len(self._commands)

    async def admit(self, command: GivenCommand) -> None:
        """Take a command in, once there is room for it."""
        await self._room.acquire_on_behalf_of(command)
        self._commands[command.key] = command

    def accept(self, key: str) -> GivenCommand | None:
        """Take note of `accepted`; None if the outcome was faster or it is known already."""
        command = self._commands.get(key)
        if command is None:
            return None
        command.accepted()
        if key in self._accepted:
            return None
        self._accepted.add(key)
        return command

    def finish(self, key: str, outcome: Outcome) -> GivenCommand | None:
        """Take note of an outcome; None if this client does not wait for it."""
        command = self._commands.pop(key, None)
        if command is None:
            return None
        self._accepted.discard(key)
        self._room.release_on_behalf_of(command)
        command.outcome = outcome
        command.done.set()
        return command

    def find(self, key: str) -> GivenCommand | None:
        """Return a command that has no outcome yet."""
        return self._commands.get(key)

    def due(self) -> Iterator[GivenCommand]:
        """Yield what must be sent now, in the order it was given."""
        now = trio.current_time()
        for command in list(self._commands.values()):
            if command.due_at <= now:
                yield command

    def next_due_at(self) -> float:
        """Return when something must be sent next; infinity when nothing waits."""
        return min((command.due_at for command in self._commands.values()), default=math.inf)

    def reconnected(self) -> None:
        """Make due what may never have reached the gateway; the rest is heard of in the replay."""
        for key, command in self._commands.items():
            if key in self._accepted:
                command.accepted()
            else:
                command.due_at = -math.inf

    def outcomes_lost(self) -> None:
        """Make everything due: outcomes may have been in events that cannot be given."""
        for command in self._commands.values():
            command.due_at = -math.inf
