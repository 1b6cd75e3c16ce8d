"""The HTTP door of exports, for the shop's staff."""

from typing import Final

from commerce.exports import service
from commerce.exports.errors import (
    ExportNotFoundError,
    ExportNotReadyError,
    TooManyExportsError,
)
from commerce.exports.schemas import (
    MEDIA_TYPES,
    AskedAfter,
    ExportDetails,
    NewExport,
    details,
)
from commerce.exports.settings import ExportFolder
from commerce.foundation.downloads import Download
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from protocol.ids import ExportId

door: Final = Door("exports")

STAFF_ROLE: Final = "staff"


@door.api(
    "POST",
    "/v1/admin/exports",
    body=NewExport,
    out=ExportDetails,
    status=201,
    errors=(TooManyExportsError,),
)
async def ask(call: Call[NewExport, None]) -> ExportDetails:
    """Ask for a file; how far it is comes as `export_changed` on one's own topic."""
    staff = call.require_role(STAFF_ROLE)
    wanted = call.body
    async with call.database.transaction() as tx:
        asked = await service.ask(
            tx,
            staff.user,
            kind=wanted.kind,
            file_format=wanted.format,
            filters=wanted.filters,
        )
    return details(asked)


@door.api("GET", "/v1/admin/exports", query=PageQuery, out=Page[ExportDetails])
async def listed(call: Call[None, PageQuery]) -> Page[ExportDetails]:
    """List the exports of the last days, the newest first."""
    call.require_role(STAFF_ROLE)
    query = call.query
    after = None if query.after is None else decode_cursor(AskedAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await service.newest(tx, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda each: AskedAfter(id=each.id))
    return Page(items=[details(each) for each in page.items], next=page.next)


@door.api("GET", "/v1/admin/exports/{export}", out=ExportDetails, errors=(ExportNotFoundError,))
async def one(call: Call[None, None]) -> ExportDetails:
    """Show how far an export is."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        return details(await service.find(tx, ExportId(call.path["export"])))


@door.api(
    "DELETE",
    "/v1/admin/exports/{export}",
    out=ExportDetails,
    errors=(ExportNotFoundError, ExportNotReadyError),
)
async def cancel(call: Call[None, None]) -> ExportDetails:
    """Take an export back; nobody can have its file from now on."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        return details(await service.cancel(tx, ExportId(call.path["export"])))


@door.api(
    "GET",
    "/v1/admin/exports/{export}/file",
    out=Download,
    errors=(ExportNotFoundError, ExportNotReadyError),
)
async def file(call: Call[None, None]) -> Download:
    """Download the file. A download that broke off goes on by `Range` and `If-Range`."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        export = await service.find(tx, ExportId(call.path["export"]))
    place = call.service(ExportFolder).path / export.file_name
    if export.state != "ready" or export.tag is None or not place.is_file():
        raise ExportNotReadyError(export.state)
    return Download(
        content=place,
        media_type=MEDIA_TYPES[export.format],
        name=export.download_name,
        tag=export.tag,
    )
