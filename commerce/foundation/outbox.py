"""Events and rights on their way out: written with the data, published after the commit.

A transaction collects its rows and writes them in one statement just before it commits. Their
numbers are thus drawn while the rows of the aggregates they tell of are locked, so the events of
one aggregate are numbered in the order in which they happened.
"""

from datetime import datetime
from typing import Final, Literal, LiteralString, Protocol

import msgspec

from protocol.codec import encode_event, encode_topic_entry
from protocol.envelopes import TopicEntry
from protocol.events import Event
from protocol.ids import EventId, UserId
from protocol.stream_names import AccessField
from protocol.topics import Topic
from shared.clock import unix_ms

Member = UserId | AccessField | Literal["*"]
"""Who may hear a topic: one user, or anyone signed in; or what else is projected of one."""

AccessRow = tuple[Topic, Member, str]
"""A right as a feature's rebuild yields it: topic, member, role."""

_ROWS_MAX: Final = 10_000
"""More rows than one transaction may leave: a loop has run away."""

INSERT: Final[LiteralString] = """
    insert into outbox (kind, topic, event_id, body, member, role, created_at)
    select kind, topic, event_id, body, member, role, $7
      from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[])
           with ordinality as told (kind, topic, event_id, body, member, role, place)
     order by place
"""

Kind = Literal["event", "grant", "revoke"]


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell Redis. `body` of an event is the whole topic entry."""

    kind: Kind
    topic: Topic
    event_id: EventId | None = None
    body: bytes | None = None
    member: str | None = None
    role: str | None = None


class Writes(Protocol):
    """The part of a transaction that the outbox needs."""

    async def execute(self, sql: LiteralString, *arguments: object) -> int:
        """Run a statement; return the number of rows touched."""
        ...


def event_row(topic: Topic, event: Event, event_id: EventId, at: datetime) -> OutboxRow:
    """Return the row that tells `event` on `topic`."""
    entry = TopicEntry(id=event_id, at_ms=unix_ms(at), body=msgspec.Raw(encode_event(event)))
    return OutboxRow(kind="event", topic=topic, event_id=event_id, body=encode_topic_entry(entry))


def grant_row(topic: Topic, member: Member, role: str) -> OutboxRow:
    """Return the row that lets `member` hear `topic`."""
    return OutboxRow(kind="grant", topic=topic, member=member, role=role)


def revoke_row(topic: Topic, member: Member) -> OutboxRow:
    """Return the row that takes the right to hear `topic` from `member`."""
    return OutboxRow(kind="revoke", topic=topic, member=member)


async def write_rows(tx: Writes, rows: list[OutboxRow], at: datetime) -> None:
    """Write `rows` in order."""
    await tx.execute(INSERT, *arguments_of(rows, at))


def arguments_of(rows: list[OutboxRow], at: datetime) -> tuple[object, ...]:
    """Return what `INSERT` needs to write `rows` in order."""
    assert len(rows) <= _ROWS_MAX
    return (
        [row.kind for row in rows],
        [row.topic for row in rows],
        [row.event_id for row in rows],
        [row.body for row in rows],
        [row.member for row in rows],
        [row.role for row in rows],
        at,
    )
