"""What an export is, and how a cell is written so that no spreadsheet runs it. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from protocol import views
from protocol.ids import ExportId, UserId
from protocol.money import written
from protocol.views import ExportState

Kind = Literal["orders", "lines", "refunds", "ledger"]
Format = Literal["csv", "jsonl", "xlsx"]
CellKind = Literal["text", "number", "amount", "time", "flag"]
Cell = str | int | bool | None

WAITING_MAX: Final = 20
ATTEMPTS_MAX: Final = 3
LEASE_SECONDS: Final = 300
"""Seconds after which a program that says nothing is taken for dead."""

KEPT_DAYS: Final = 7
"""Days after which a file is removed."""

_TITLES: Final[Mapping[Kind, str]] = {
    "orders": "Orders",
    "lines": "Order lines",
    "refunds": "Refunds",
    "ledger": "Ledger",
}
_FORMATS: Final[Mapping[Format, str]] = {"csv": "CSV", "jsonl": "JSON Lines", "xlsx": "XLSX"}

_MEANS_A_FORMULA: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""How a cell must not begin; the full-width signs are read like the others in East Asia."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: from `since` up to `until`, in one currency, and in some states.

    Of the ledger `only` names accounts, else states of orders or refunds.
    """

    since: datetime | None = None
    until: datetime | None = None
    only: tuple[str, ...] | None = None
    currency: str | None = None


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table. An `amount` is in the row's field `{name}_minor`, with `currency`."""

    name: str
    kind: CellKind = "text"


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was asked for."""

    id: ExportId
    kind: Kind
    format: Format
    filters: Filters
    asked_by: UserId
    asked_at: datetime
    state: ExportState
    version: int
    rows_done: int
    rows_expected: int | None
    size_bytes: int | None
    tag: str | None
    error: str
    attempts: int
    fence: int

    @property
    def title(self) -> str:
        """What it is called on a page."""
        return f"{_TITLES[self.kind]} as {_FORMATS[self.format]}"

    @property
    def file_name(self) -> str:
        """What the file is called where it lies."""
        return f"{self.id}.{self.format}"

    @property
    def download_name(self) -> str:
        """What a browser calls the file."""
        return f"{self.kind}-{self.asked_at:%Y%m%d-%H%M%S}.{self.format}"


def show(export: Export) -> views.Export:
    """Return the export as its page shows it."""
    return views.Export(
        id=export.id,
        version=export.version,
        title=export.title,
        state=export.state,
        rows_done=export.rows_done,
        rows_expected=export.rows_expected,
        size_bytes=export.size_bytes,
    )


def cells(row: msgspec.Struct, columns: tuple[Column, ...]) -> list[Cell]:
    """Return a row's cells: amounts as digits with a point, times in UTC."""
    return [_cell(row, column) for column in columns]


def defused(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula when it opens a CSV file.

    A quotation mark goes before it, which spreadsheets understand to mean "this is text".
    """
    return f"'{text}" if text and text[0] in _MEANS_A_FORMULA else text


def _cell(row: msgspec.Struct, column: Column) -> Cell:
    if column.kind == "amount":
        minor: int | None = getattr(row, f"{column.name}_minor")
        currency: str = row.currency  # type: ignore[attr-defined]  # every row with amounts has one
        return None if minor is None else written(minor, currency)
    value: Cell | datetime = getattr(row, column.name)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return value
