"""Reactions: what a feature does when it hears of another feature's event.

A reaction runs once the event is published, in the transaction that marks it as published: what it
does is kept once, whatever is killed when. One that fails is tried again a few times, and holds up
no other event; an event it never could take in is written to the log.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

import msgspec
from prometheus_client import Counter

from commerce.foundation.database import Transaction
from protocol.codec import decode_event, decode_topic_entry
from protocol.events import Event
from protocol.ids import EventId
from shared.logging import get_logger

ATTEMPTS_MAX: Final = 5

_TYPE: Final = msgspec.msgpack.encode("type")
"""What an event begins with, and what in its entry comes before it cannot hold."""

_total = Counter("rialto_reactions_total", "Reactions by outcome.", ("reaction", "outcome"))

_log = get_logger("commerce.reactions")


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature's `reactions.py` exports in `REACTIONS`. It may run again for one event."""

    name: str
    event: type[Event]
    run: Callable[[Transaction, Any], Awaitable[object]]


class Heard(Protocol):
    """The part of an outbox row that is heard."""

    @property
    def id(self) -> int:
        """The row's number."""
        ...

    @property
    def event_id(self) -> EventId | None:
        """The event's id, the same on every topic it is told on."""
        ...

    @property
    def body(self) -> bytes | None:
        """The topic entry of an event; None if the row is a right."""
        ...


class Reactor:
    """Runs the reactions to what the relay has published."""

    def __init__(self, reactions: Sequence[Reaction]) -> None:
        self._reactions = reactions
        kinds = {str(each.event.__struct_config__.tag) for each in reactions}
        self._types = tuple(_TYPE + msgspec.msgpack.encode(kind) for kind in kinds)
        self._attempts: dict[EventId, int] = {}

    def may_concern(self, row: Heard) -> bool:
        """Say whether some reaction may want to hear the row, without decoding it."""
        body = row.body
        return body is not None and body.startswith(self._types, body.find(_TYPE))

    async def react(self, tx: Transaction, rows: Sequence[Heard]) -> set[int]:
        """Run the reactions to `rows`; return the numbers of those to hear again."""
        heard: set[EventId] = set()
        again: set[int] = set()
        for row in rows:
            assert row.event_id is not None
            assert row.body is not None
            if row.event_id in heard:
                continue
            heard.add(row.event_id)
            if not await self._react_to(tx, row.event_id, row.body):
                again.add(row.id)
        return again

    async def _react_to(self, tx: Transaction, event_id: EventId, body: bytes) -> bool:
        """Say whether the event is done with."""
        wanted: list[Reaction] = []
        try:
            event = decode_event(decode_topic_entry(body).body)
            wanted = [each for each in self._reactions if isinstance(event, each.event)]
            async with tx.savepoint():
                for reaction in wanted:
                    await reaction.run(tx, event)
        except Exception:
            if not tx.is_alive:
                raise
            return self._note_failure(event_id, wanted)
        self._attempts.pop(event_id, None)
        for reaction in wanted:
            _total.labels(reaction.name, "done").inc()
        return True

    def _note_failure(self, event_id: EventId, wanted: Sequence[Reaction]) -> bool:
        """Say whether it was the last try."""
        attempts = self._attempts[event_id] = self._attempts.get(event_id, 0) + 1
        names = [reaction.name for reaction in wanted]
        _log.exception("reaction.failed", reactions=names, event_id=event_id, attempts=attempts)
        if attempts < ATTEMPTS_MAX:
            return False
        del self._attempts[event_id]
        for name in names:
            _total.labels(name, "failed").inc()
        return True
