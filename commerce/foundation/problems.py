"""Every refusal leaves the program in one shape: problem+json (RFC 9457)."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from quart import Quart, Response, request
from werkzeug.exceptions import HTTPException

from shared.errors import ExpectedError
from shared.logging import get_logger

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

_log = get_logger("commerce.http")
_encode: Final = msgspec.json.Encoder().encode

_HTTP_CODES: Final = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    414: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}
_HTTP_DETAILS: Final = {
    400: "The request cannot be read.",
    404: "There is nothing here.",
    405: "This address does not take that method.",
    408: "The request took too long to arrive.",
    413: "The request is too large.",
    415: "The media type is not one we read.",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why the request was refused. `code` is fixed; `detail` is a sentence for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    temporary: bool = False
    request_id: str | None = None


ProblemPage = Callable[[Problem], Awaitable[Response | None]]
"""Shows a problem as a page to people; None leaves it to be JSON."""


def problem_of(error: ExpectedError) -> Problem:
    """Return what a client is told of an expected error."""
    return _problem(error.code, error.http_status, str(error), temporary=error.temporary)


def problem_of_status(status: int) -> Problem:
    """Return what a client is told when the framework itself refuses."""
    detail = _HTTP_DETAILS.get(status, "The request was refused.")
    return _problem(_HTTP_CODES.get(status, "refused"), status, detail, temporary=False)


def problem_of_bug() -> Problem:
    """Return what a client is told when we failed: nothing of how."""
    return _problem(
        "internal", 500, "Something went wrong on our side; it has been noted.", temporary=True
    )


def render_problem(problem: Problem, members: Mapping[str, object] | None = None) -> Response:
    """Encode a problem as an answer; `members` are told beside those that every problem has."""
    told = problem if not members else {**members, **msgspec.to_builtins(problem)}
    return Response(
        _encode(told),
        problem.status,
        headers={"cache-control": "no-store"},
        content_type=PROBLEM_MEDIA_TYPE,
    )


def install_problems(app: Quart, *, page: ProblemPage | None = None) -> None:
    """Make every error leave `app` as a problem; with `page`, to browsers as a page."""

    async def refuse(problem: Problem, members: Mapping[str, object] | None = None) -> Response:
        shown = await page(problem) if page is not None and _wants_page() else None
        return shown or render_problem(problem, members)

    async def expected(error: ExpectedError) -> Response:
        answer = await refuse(problem_of(error), error.members)
        wait = getattr(error, "retry_after_seconds", None)
        if wait is not None:
            answer.headers["retry-after"] = str(wait)
        return answer

    async def framework(error: HTTPException) -> Response:
        if error.code is None or error.code < 400:
            return Response("", error.code or 500, headers=dict(error.get_headers()))
        answer = await refuse(problem_of_status(error.code))
        answer.headers.extend(_kept_headers(error))
        return answer

    async def bug(error: Exception) -> Response:
        _log.error("request.failed", path=request.path, method=request.method, exc_info=error)
        return await refuse(problem_of_bug())

    app.register_error_handler(ExpectedError, expected)
    app.register_error_handler(HTTPException, framework)
    app.register_error_handler(Exception, bug)


def _kept_headers(error: HTTPException) -> dict[str, str]:
    kept = {"allow", "retry-after"}
    return {name: value for name, value in error.get_headers() if name.lower() in kept}


def _problem(code: str, status: int, detail: str, *, temporary: bool) -> Problem:
    return Problem(
        type=f"/problems/{code}",
        title=_title(status),
        status=status,
        code=code,
        detail=detail,
        temporary=temporary,
    )


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"


def _wants_page() -> bool:
    accepted = request.accept_mimetypes
    return not request.path.startswith("/v1/") and (
        accepted.best_match(["application/json", "text/html"]) == "text/html"
        and accepted["text/html"] > 0
    )
