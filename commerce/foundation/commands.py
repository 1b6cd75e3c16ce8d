"""Commands, each carried out once: a batch is one transaction, a command a savepoint in it.

Commands of a kind that has a handler for many of them are carried out together, without savepoints.

What became of a command is kept by the user's key, and is itself an event on the user's topic. The
same key with the same command again tells the same outcome again; with another, `key_conflict`.
"""

import hashlib
from collections import Counter as Counted
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

import asyncpg
import msgspec
from prometheus_client import Counter, Histogram

from commerce.foundation.command_log import Entry
from commerce.foundation.database import Transaction
from commerce.foundation.outbox import INSERT
from protocol.codec import decode_command
from protocol.commands import AnyCommandResult, Command
from protocol.envelopes import CommandEnvelope
from protocol.events import CommandCommitted, CommandRejected
from protocol.ids import SessionId, UserId
from protocol.stream_names import command_aggregate
from protocol.topics import user_topic
from shared.errors import ExpectedError
from shared.logging import get_logger

KEPT_HOURS: Final = 72
"""How long the outcome of a command is kept for the same key to come again."""

_KNOWN: Final[LiteralString] = """
    select known.user_id, known.key, fingerprint, entry, outcome
      from command_outcomes known
      join unnest($1::text[], $2::text[]) asked (user_id, key)
     using (user_id, key)
"""
_STORE: Final[LiteralString] = (
    "with told as ("  # noqa: S608 - put together of constants
    + INSERT
    + """)
    insert into command_outcomes (user_id, key, fingerprint, entry, outcome, created_at)
    select *, $7
      from unnest($8::text[], $9::text[], $10::bytea[], $11::text[], $12::bytea[])
        on conflict do nothing
"""
)
_FORGET: Final[LiteralString] = """
    delete from command_outcomes
     where created_at < $1
"""
_CONFLICTS: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)

_seconds = Histogram(
    "rialto_commands_seconds",
    "Time from the gateway's acceptance of a command to its commit.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
_total = Counter("rialto_commands_total", "Commands by outcome.", ("command", "outcome"))

_log = get_logger("commerce.commands")


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who gave a command, and under which key."""

    user: UserId
    name: str
    session: SessionId
    key: str


CommandHandler = Callable[[Transaction, Caller, Any], Awaitable[AnyCommandResult | None]]
"""Carries a command out. It may run again after a roll-back; it refuses by `ExpectedError`."""

ManyHandler = Callable[
    [Transaction, Sequence[tuple[Caller, Any]]],
    Awaitable[Sequence[AnyCommandResult | ExpectedError | None]],
]
"""Carries out commands in order, each as if alone; writes nothing for one that it refuses."""


class Together(msgspec.Struct, frozen=True):
    """A handler of one command that is a handler of many, given one."""

    many: ManyHandler

    async def __call__(
        self, tx: Transaction, caller: Caller, command: Command
    ) -> AnyCommandResult | None:
        """Carry one command out.

        Raises:
            ExpectedError: if it is refused.
        """
        [told] = await self.many(tx, [(caller, command)])
        if isinstance(told, ExpectedError):
            raise told
        return told


Commands = Mapping[type[Command], CommandHandler]
"""What a feature's `reactions.py` exports as `COMMANDS`."""

Outcome = CommandCommitted | CommandRejected


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the stream, understood. `attempts` counts the tries that failed by surprise."""

    entry: Entry
    envelope: CommandEnvelope
    fingerprint: bytes
    attempts: int = 0

    @property
    def aggregate(self) -> str:
        """What the command changes; commands on one of them stay in order."""
        return command_aggregate(self.envelope.command, self.envelope.user)

    @property
    def may_be_known(self) -> bool:
        """Whether somebody may have carried it out before; a repetition by the client is rare."""
        return self.attempts > 0 or self.entry.deliveries > 1

    @property
    def caller(self) -> Caller:
        """Who gave the command."""
        given = self.envelope
        return Caller(user=given.user, name=given.user_name, session=given.session, key=given.key)

    @property
    def key(self) -> tuple[str, str]:
        """By what the command is told from others."""
        return (self.envelope.user, self.envelope.key)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command, as it is stored."""

    user_id: str
    key: str
    fingerprint: bytes
    entry: str
    outcome: bytes


class Report(msgspec.Struct, kw_only=True):
    """What became of a batch, if it commits.

    `unfinished` are to be tried again later, in this order: those that failed by surprise, and
    those behind them on the same aggregate. `dead` failed for the last time and are rejected.
    """

    unfinished: list[Order] = []
    dead: list[Order] = []
    told: list[tuple[Order, str]] = []


class BatchConflictError(Exception):
    """Another transaction was in the way; the whole batch is to be carried out again."""


class KnownError(Exception):
    """A command has an outcome already; the whole batch is to be carried out again, knowing it."""


class TakenApartError(Exception):
    """Commands failed together; the whole batch is to be carried out again, one by one."""


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """Commands that are carried out together by `many`; without it, a single one, by itself."""

    orders: list[Order]
    many: ManyHandler | None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_outcome: Final = msgspec.msgpack.Decoder(Outcome).decode


def understand(entry: Entry) -> Order:
    """Return what an entry asks for.

    Raises:
        msgspec.DecodeError: if it is no command.
    """
    envelope = decode_command(entry.payload)
    fingerprint = hashlib.sha256(_encode(envelope.command)).digest()
    return Order(entry=entry, envelope=envelope, fingerprint=fingerprint)


class Carrier:
    """Carries out batches of commands with the handlers of every feature."""

    def __init__(self, handlers: Commands, *, attempts_max: int) -> None:
        self._handlers = handlers
        self._attempts_max = attempts_max

    async def carry_out(
        self,
        tx: Transaction,
        orders: Sequence[Order],
        *,
        one_by_one: bool = False,
        may_be_known: bool = True,
    ) -> Report:
        """Carry out what can be; tell the outcomes, and say what is left.

        Unless one `may_be_known`, it is found out last, and not first, that one is.

        Raises:
            BatchConflictError: if another transaction was in the way.
            KnownError: if one has an outcome, and that was not looked for or came just now.
            TakenApartError: if commands that were carried out together failed.
        """
        report = Report()
        known = await _known_outcomes(tx, orders) if may_be_known else {}
        fresh: list[Kept] = []
        for run in self._runs(orders, one_by_one=one_by_one):
            ready: list[Order] = []
            for order in run.orders:
                kept = known.get(order.key)
                if kept is not None:
                    await _repeat(tx, order, kept, report)
                elif any(order.aggregate == each.aggregate for each in report.unfinished):
                    report.unfinished.append(order)
                else:
                    ready.append(order)
            for order, outcome in await self._outcomes(tx, ready, run.many, report):
                known[order.key] = await _tell(tx, order, outcome, report)
                fresh.append(known[order.key])
        await _store(tx, fresh)
        return report

    def _runs(self, orders: Sequence[Order], *, one_by_one: bool) -> list[_Run]:
        """Bring together what may be; commands on one aggregate, or of one key, stay in order.

        What has failed before, and what may be the same command again, goes by itself.
        """
        runs: list[_Run] = []
        newest: dict[type[Command], int] = {}
        places: dict[str, int] = {}
        keys: set[tuple[str, str]] = set()
        for order in orders:
            kind = type(order.envelope.command)
            handler = self._handlers[kind]
            apart = one_by_one or order.attempts > 0 or order.key in keys
            many = handler.many if isinstance(handler, Together) and not apart else None
            place = newest.get(kind, -1) if many else -1
            if place < places.get(order.aggregate, 0):
                place = len(runs)
                runs.append(_Run(orders=[], many=many))
                if many:
                    newest[kind] = place
            runs[place].orders.append(order)
            places[order.aggregate] = place
            keys.add(order.key)
        return runs

    async def _outcomes(
        self, tx: Transaction, orders: list[Order], many: ManyHandler | None, report: Report
    ) -> list[tuple[Order, Outcome]]:
        if many is None:
            told = [(order, await self._outcome(tx, order, report)) for order in orders]
            return [(order, outcome) for order, outcome in told if outcome is not None]
        if not orders:
            return []
        try:
            results = await many(tx, [(order.caller, order.envelope.command) for order in orders])
        except _CONFLICTS as error:
            raise BatchConflictError from error
        except Exception as error:
            if not tx.is_alive:
                raise
            _log.warning("commands.taken_apart", commands=len(orders), why=repr(error))
            raise TakenApartError from error
        return [
            (order, _refused(order, told))
            if isinstance(told, ExpectedError)
            else (order, CommandCommitted(key=order.envelope.key, result=told))
            for order, told in zip(orders, results, strict=True)
        ]

    async def _outcome(self, tx: Transaction, order: Order, report: Report) -> Outcome | None:
        """Return the outcome, or None if the order is to be tried again."""
        try:
            async with tx.savepoint():
                handler = self._handlers[type(order.envelope.command)]
                result = await handler(tx, order.caller, order.envelope.command)
                return CommandCommitted(key=order.envelope.key, result=result)
        except ExpectedError as error:
            return _refused(order, error)
        except _CONFLICTS as error:
            raise BatchConflictError from error
        except Exception:
            if not tx.is_alive:
                raise
            tried = msgspec.structs.replace(order, attempts=order.attempts + 1)
            _log.exception("command.failed", entry=order.entry.place, attempts=tried.attempts)
            if tried.attempts < self._attempts_max:
                report.unfinished.append(tried)
                return None
            report.dead.append(order)
            return reject_internally(order)


def reject_internally(order: Order) -> CommandRejected:
    """Return the outcome of a command that cannot be carried out through no fault of the user."""
    return _rejected(order, "internal", "Something went wrong on our side.", temporary=True)


async def store_rejection(tx: Transaction, order: Order) -> None:
    """Reject an order as `internal` without trying it, unless it has an outcome."""
    known = await _known_outcomes(tx, [order])
    if known:
        return
    await _store(tx, [await _tell(tx, order, reject_internally(order), Report())])


def observe(report: Report, now: datetime) -> None:
    """Measure a batch that has just been committed."""
    outcomes = Counted((type(order.envelope.command), told) for order, told in report.told)
    for (kind, told), count in outcomes.items():
        _total.labels(kind.__name__, told).inc(count)
    for order, _ in report.told:
        _seconds.observe(max(0.0, now.timestamp() - order.envelope.sent_at_ms / 1000))


async def forget_old_outcomes(tx: Transaction) -> None:
    """Delete the outcomes of more than `KEPT_HOURS` ago."""
    await tx.execute(_FORGET, tx.now - timedelta(hours=KEPT_HOURS))


async def _known_outcomes(tx: Transaction, orders: Sequence[Order]) -> dict[tuple[str, str], Kept]:
    users = [order.envelope.user for order in orders]
    keys = [order.envelope.key for order in orders]
    return {(kept.user_id, kept.key): kept for kept in await tx.all(Kept, _KNOWN, users, keys)}


async def _repeat(tx: Transaction, order: Order, kept: Kept, report: Report) -> None:
    """Tell a known outcome again, unless this is the very entry whose outcome it is."""
    topic = user_topic(order.envelope.user)
    if kept.fingerprint != order.fingerprint:
        report.told.append((order, "key_conflict"))
        sentence = "This key was used for another command; mint a new one."
        await tx.emit(topic, _rejected(order, "key_conflict", sentence, temporary=False))
    elif kept.entry != order.entry.place:
        report.told.append((order, "repeated"))
        await tx.emit(topic, _decode_outcome(kept.outcome))


async def _store(tx: Transaction, kept: Sequence[Kept]) -> None:
    if not kept:
        return
    columns = ("user_id", "key", "fingerprint", "entry", "outcome")
    stored = await tx.flush_with(
        _STORE, *([getattr(each, name) for each in kept] for name in columns)
    )
    if stored < len(kept):
        raise KnownError


async def _tell(tx: Transaction, order: Order, outcome: Outcome, report: Report) -> Kept:
    user, key = order.key
    await tx.emit(user_topic(order.envelope.user), outcome)
    told = "committed" if isinstance(outcome, CommandCommitted) else outcome.code
    report.told.append((order, told))
    return Kept(
        user_id=user,
        key=key,
        fingerprint=order.fingerprint,
        entry=order.entry.place,
        outcome=_encode(outcome),
    )


def _refused(order: Order, error: ExpectedError) -> CommandRejected:
    return CommandRejected(
        key=order.envelope.key,
        code=error.code,
        message=str(error),
        temporary=error.temporary,
        retry_after_ms=error.retry_after_ms,
    )


def _rejected(order: Order, code: str, message: str, *, temporary: bool) -> CommandRejected:
    return CommandRejected(key=order.envelope.key, code=code, message=message, temporary=temporary)
