"""What a transaction has told, read back from the outbox."""

import msgspec

from protocol.codec import decode_event, decode_topic_entry


class Row(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    kind: str
    topic: str
    event_id: str | None
    body: bytes | None
    member: str | None
    role: str | None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the outbox: an event, or a right that was granted or revoked."""

    topic: str
    kind: str
    event: object = None
    event_id: str | None = None
    member: str | None = None
    role: str | None = None


_ROWS = """
    select id, kind, topic, event_id, body, member, role
      from outbox
     where $1::text is null or topic = $1
     order by id
"""


async def everything_told(database, topic=None):
    """Return the rows of the outbox in order."""
    async with database.transaction() as tx:
        return [_told(row) for row in await tx.all(Row, _ROWS, topic)]


async def events_told(database, topic=None):
    """Return the events in the outbox in order."""
    return [told.event for told in await everything_told(database, topic) if told.kind == "event"]


async def forget_what_was_told(database):
    """Empty the outbox, so that a test sees only what its own act tells."""
    async with database.transaction() as tx:
        await tx.execute("delete from outbox")


def _told(row):
    event = None if row.body is None else decode_event(decode_topic_entry(row.body).body)
    return Told(
        topic=row.topic,
        kind=row.kind,
        event=event,
        event_id=row.event_id,
        member=row.member,
        role=row.role,
    )
