"""What the stand-in remembers, in one SQLite file: objects, events to deliver, answered keys.

Everything runs on one thread. A request is one transaction that is committed before it is
answered, so whatever was answered is still there after a kill; the write-ahead log is not synced
for each commit, so that holds for a process that dies, not for a machine that loses its power.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

Document = dict[str, Any]
"""An object as Stripe shows it. Fields that begin with `_` are our own and never shown."""

_SCHEMA: Final = """
create table if not exists objects (
    number integer primary key autoincrement,
    id text not null unique,
    kind text not null,
    document text not null
);
create index if not exists objects_by_kind on objects (kind, number);
create index if not exists objects_by_customer
    on objects (kind, json_extract(document, '$.customer'));
create index if not exists objects_by_payment_intent
    on objects (kind, json_extract(document, '$.payment_intent'));
create index if not exists objects_by_charge
    on objects (kind, json_extract(document, '$.charge'));
create index if not exists objects_by_subscription
    on objects (kind, json_extract(document, '$.parent.subscription_details.subscription'));
create index if not exists objects_due on objects (json_extract(document, '$._due'))
    where json_extract(document, '$._due') is not null;
create index if not exists objects_ending
    on objects (kind) where json_extract(document, '$._ends') is not null;
create table if not exists answers (
    key text primary key,
    answered_at integer not null,
    fingerprint text not null,
    status integer not null,
    body blob not null,
    request text not null
);
create index if not exists answers_by_age on answers (answered_at);
create table if not exists deliveries (
    number integer primary key autoincrement,
    event text not null,
    endpoint text not null,
    state text not null,
    attempts integer not null default 0,
    due real not null,
    status integer
);
create index if not exists deliveries_waiting on deliveries (due) where state = 'waiting';
create index if not exists deliveries_by_event on deliveries (event);
"""


class Store:
    """The file, open for as long as the process lives. `path` None keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = normal")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block writes, or nothing of it."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """Within a transaction, undo what the block wrote if it raises."""
        self._connection.execute("savepoint step")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback to step")
            raise
        finally:
            self._connection.execute("release step")

    @contextmanager
    def imagined(self) -> Iterator[None]:
        """Within a transaction, undo whatever the block writes."""
        self._connection.execute("savepoint imagined")
        try:
            yield
        finally:
            self._connection.execute("rollback to imagined")
            self._connection.execute("release imagined")

    def query(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of one statement."""
        return self._connection.execute(sql, values).fetchall()

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement; return how many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def put(self, document: Document) -> None:
        """Keep an object, new or changed; a changed one keeps its place in lists."""
        self.execute(
            "insert into objects (id, kind, document) values (?, ?, ?)"
            " on conflict (id) do update set document = excluded.document",
            document["id"],
            document["object"],
            msgspec.json.encode(document).decode(),
        )

    def find(self, kind: str, identity: str) -> Document | None:
        """Return an object; None if there is none of that kind with that id."""
        rows = self.query("select document from objects where id = ? and kind = ?", identity, kind)
        return _document(rows[0]) if rows else None

    def number_of(self, identity: str) -> int | None:
        """Return an object's place in the order of creation; None if there is none."""
        rows = self.query("select number from objects where id = ?", identity)
        return int(rows[0]["number"]) if rows else None

    def select(
        self,
        kind: str,
        where: Mapping[str, object],
        *,
        conditions: tuple[tuple[str, object], ...] = (),
        oldest_first: bool = False,
        limit: int = -1,
    ) -> list[Document]:
        """Return the objects of a kind whose fields have given values, newest first.

        A field may be a path such as `parent.subscription`. Each of `conditions` is a piece of SQL
        of our own with one value.
        """
        pieces, values = ["kind = ?"], [kind]
        parts: list[object] = [*values]
        for field, value in where.items():
            pieces.append(f"json_extract(document, '$.{field}') is ?")
            parts.append(int(value) if isinstance(value, bool) else value)
        for piece, value in conditions:
            pieces.append(piece)
            parts.append(value)
        order = "asc" if oldest_first else "desc"
        rows = self.query(
            f"select document from objects where {' and '.join(pieces)}"  # noqa: S608 - our words
            f" order by number {order} limit ?",
            *parts,
            limit,
        )
        return [_document(row) for row in rows]


def _document(row: sqlite3.Row) -> Document:
    document: Document = msgspec.json.decode(row["document"])
    return document
