"""What the export endpoints take and give."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import msgspec

from commerce.exports.model import Export, Filters, Format, Kind, show
from protocol import views
from protocol.ids import ExportId, UserId
from protocol.money import CurrencyCode
from shared.clock import unix_ms

MEDIA_TYPES: Final[Mapping[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_Name = Annotated[str, msgspec.Meta(max_length=40, pattern=r"^[a-z_]+$(?!\n)")]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class NewExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file to write: rows from `since` up to `until`, some states or accounts, one currency."""

    kind: Kind
    format: Format
    since: _Moment | None = None
    until: _Moment | None = None
    only: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=20)] | None = None
    currency: CurrencyCode | None = None

    @property
    def filters(self) -> Filters:
        """Which rows."""
        return Filters(since=self.since, until=self.until, only=self.only, currency=self.currency)


class AskedAfter(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor of the list of exports."""

    id: ExportId


class ExportDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An export, how far it is, and where its file can be had once it is ready."""

    export: views.Export
    kind: Kind
    format: Format
    filters: Filters
    asked_by: UserId
    asked_at_ms: int
    error: str
    file: str | None


def details(export: Export) -> ExportDetails:
    """Show an export."""
    ready = export.state == "ready"
    return ExportDetails(
        export=show(export),
        kind=export.kind,
        format=export.format,
        filters=export.filters,
        asked_by=export.asked_by,
        asked_at_ms=unix_ms(export.asked_at),
        error=export.error,
        file=f"/v1/admin/exports/{export.id}/file" if ready else None,
    )
