"""The way of a user's commands: limits, then the stream, then `accepted`."""

from typing import Final

import trio
from prometheus_client import Counter

from gateway.actors.services import Services
from gateway.connections.bucket import TokenBucket
from gateway.connections.connection import Connection
from gateway.limits import COMMAND_RATE_OTHERS, COMMAND_RATES, REDIS_SECONDS_MAX
from gateway.streams.commands import StreamFullError, append
from gateway.streams.link import LinkDownError, LinkReplyError
from protocol.client_frames import GiveCommand
from protocol.commands import MESSAGE_TEXT_BYTES_MAX, Command, EditMessage, SendMessage
from protocol.envelopes import CommandEnvelope
from protocol.error_codes import LIMIT_REACHED, RATE_LIMITED, UNAVAILABLE
from protocol.ids import UserId
from protocol.server_frames import Accepted
from shared.clock import unix_ms

_outcomes = Counter(
    "rialto_gateway_commands_total", "Commands, by how they were answered.", ["outcome"]
)
_accepted = _outcomes.labels(outcome="accepted")
_RETRY_SECONDS: Final = 1.0
_RETRY_FULL_SECONDS: Final = 5.0


class CommandDoor:
    """Takes the commands of one user."""

    __slots__ = ("_buckets", "_services")

    def __init__(self, services: Services, user: UserId) -> None:
        self._services = services
        self._buckets = services.rates.of(user)

    async def give(self, connection: Connection, frame: GiveCommand) -> None:
        """Put a command into the stream and say `accepted`, or say why not."""
        pause = self._bucket(type(frame.body)).take()
        if pause > 0:
            _outcomes.labels(outcome="rate_limited").inc()
            connection.send_error(RATE_LIMITED, question=frame.id, retry_after_seconds=pause)
        elif _is_too_long(frame.body):
            _outcomes.labels(outcome="too_long").inc()
            sentence = f"a message has at most {MESSAGE_TEXT_BYTES_MAX} bytes of UTF-8"
            connection.send_error(LIMIT_REACHED, sentence, question=frame.id)
        else:
            await self._append(connection, frame)

    async def _append(self, connection: Connection, frame: GiveCommand) -> None:
        envelope = CommandEnvelope(
            key=frame.key,
            user=connection.user,
            user_name=connection.claims.name,
            session=connection.sign_in,
            sent_at_ms=unix_ms(self._services.clock.now()),
            command=frame.body,
        )
        try:
            with trio.fail_after(REDIS_SECONDS_MAX):
                await append(self._services.link, envelope)
        except (LinkDownError, LinkReplyError, trio.TooSlowError):
            self._refuse(connection, frame, "unavailable", _RETRY_SECONDS)
        except StreamFullError:
            self._refuse(connection, frame, "full", _RETRY_FULL_SECONDS)
        else:
            _accepted.inc()
            connection.send(Accepted(id=frame.id, key=frame.key))

    def _refuse(
        self, connection: Connection, frame: GiveCommand, outcome: str, pause_seconds: float
    ) -> None:
        _outcomes.labels(outcome=outcome).inc()
        connection.send_error(UNAVAILABLE, question=frame.id, retry_after_seconds=pause_seconds)

    def _bucket(self, kind: type[Command]) -> TokenBucket:
        found = self._buckets.get(kind)
        if found is None:
            per_second, burst = COMMAND_RATES.get(kind, COMMAND_RATE_OTHERS)
            found = self._buckets[kind] = TokenBucket(per_second=per_second, burst=burst)
        return found


def _is_too_long(command: Command) -> bool:
    return (
        isinstance(command, SendMessage | EditMessage)
        and len(command.text.encode()) > MESSAGE_TEXT_BYTES_MAX
    )
