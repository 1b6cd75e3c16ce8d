"""Files as answers: an endpoint returns a `Download`, and the door sends it.

A download can be resumed (RFC 9110): it has a strong tag of its content, answers `Range` and
`If-Range` with 206 or 416, and `If-None-Match` with 304. Whoever asks for several ranges at once is
sent the whole, as the standard allows. Quart's own `make_conditional` fails on `bytes=-500`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
from quart import Response, request
from quart.wrappers.response import FileBody

_CHUNK_BYTES: Final = 64 * 1024
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PARTIAL: Final = 206
_NOT_MODIFIED: Final = 304
_NOT_SATISFIABLE: Final = 416


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A file to send: its bytes, or where they are. `tag` changes whenever they do."""

    content: bytes | Path
    media_type: str
    name: str
    tag: str


class UnsatisfiableError(Exception):
    """What is asked for lies beyond the end."""


def part_of(asked: str, *, size: int) -> tuple[int, int] | None:
    """Return from where to where (exclusive) a `Range` header asks; None for the whole.

    Raises:
        UnsatisfiableError: if none of it is there.
    """
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    begin = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if begin >= end:
        raise UnsatisfiableError
    return begin, end


def send(download: Download, status: int, headers: Mapping[str, str]) -> Response:
    """Make the answer that carries a file, or the part of it that is asked for."""
    content = download.content
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    response = _response(download, size, status)
    response.set_etag(download.tag)
    response.headers["accept-ranges"] = "bytes"
    response.headers["cache-control"] = "private, no-cache"
    response.headers["content-disposition"] = _disposition(download.name)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def _response(download: Download, size: int, status: int) -> Response:
    if request.if_none_match.contains(download.tag):
        return Response(b"", _NOT_MODIFIED)
    try:
        part = part_of(_asked(download.tag), size=size)
    except UnsatisfiableError:
        nothing = Response(b"", _NOT_SATISFIABLE)
        nothing.headers["content-range"] = f"bytes */{size}"
        return nothing
    begin, end = part or (0, size)
    response = Response(
        _body(download.content, begin, end),
        status if part is None else _PARTIAL,
        content_type=download.media_type,
    )
    response.content_length = end - begin
    if part is not None:
        response.headers["content-range"] = f"bytes {begin}-{end - 1}/{size}"
    return response


def _asked(tag: str) -> str:
    """Return which part is asked for, if it is of the file as it is now."""
    condition = request.headers.get("If-Range")
    return request.headers.get("Range", "") if condition in (None, f'"{tag}"') else ""


def _body(content: bytes | Path, begin: int, end: int) -> bytes | FileBody:
    if isinstance(content, bytes):
        return content[begin:end]
    body = FileBody(content, buffer_size=_CHUNK_BYTES)
    body.begin, body.end = begin, end
    return body


def _disposition(name: str) -> str:
    """Return the header that has a browser keep the file under this name (RFC 6266)."""
    plain = "".join(each if each.isascii() and each.isprintable() else "_" for each in name)
    plain = plain.replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
