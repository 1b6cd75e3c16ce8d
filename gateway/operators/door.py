"""The HTTP side: every request shows the token, and everything done leaves an audit line."""

import hmac
import re
from typing import Final, TypeVar

import msgspec
from prometheus_client import Counter
from quart import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from gateway.operators.crowd import Crowd
from gateway.operators.requests import Broadcast, Filters, Kick
from protocol.ids import ConnectionId, UserId
from shared.logging import get_audit_logger

OPERATOR_HEADER: Final = "X-Rialto-Operator"
"""Who it is, for the audit line; taken on trust, since the token was shown."""

_NAME: Final = re.compile(r"[\w.@+-]{1,64}")
_audit: Final = get_audit_logger("gateway.audit")
_requests: Final = Counter(
    "rialto_gateway_operator_requests_total", "Requests of operators, by answer.", ["status"]
)

Asked = TypeVar("Asked", Filters, Kick, Broadcast)


class _RefusedError(Exception):
    """The request is answered with an error."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence


def operators_door(crowd: Crowd, *, token: str) -> Blueprint:
    """Return the operators' part of the application; without a token it lets nobody in."""
    door = Blueprint("operators", __name__)

    @door.before_request
    async def check() -> None:
        _check_token(request.headers.get("Authorization", ""), token)

    @door.after_request
    async def count(response: Response) -> Response:
        _requests.labels(status=str(response.status_code)).inc()
        return response

    @door.errorhandler(_RefusedError)
    async def refused(error: _RefusedError) -> Response:
        return _json({"error": error.code, "message": error.sentence}, error.status)

    @door.errorhandler(HTTPException)
    async def failed(error: HTTPException) -> Response:
        sentence = error.description or error.name
        return _json({"error": "bad_request", "message": sentence}, error.code or 400)

    _add_views(door, crowd)
    _add_actions(door, crowd)
    return door


def _add_views(door: Blueprint, crowd: Crowd) -> None:
    @door.get("/connections")
    async def connections() -> Response:
        return _json(await crowd.page(_asked(dict(request.args), Filters)))

    @door.get("/top")
    async def top() -> Response:
        return _json(await crowd.top())


def _add_actions(door: Blueprint, crowd: Crowd) -> None:
    @door.post("/connections/<string(maxlength=64):connection>/kick")
    async def kick(connection: str) -> Response:
        wish = await _body(Kick)
        closed = crowd.kick(ConnectionId(connection), reconnect=wish.reconnect)
        _note("kicked", connection=connection, reconnect=wish.reconnect, closed=closed)
        if not closed:
            raise _RefusedError(404, "not_found", "There is no such connection on this worker.")
        return _json({"closed": closed})

    @door.post("/users/<string(maxlength=64):user>/kick")
    async def kick_user(user: str) -> Response:
        wish = await _body(Kick)
        closed = crowd.kick_user(UserId(user), reconnect=wish.reconnect)
        _note("kicked", user=user, reconnect=wish.reconnect, closed=closed)
        return _json({"closed": closed})

    @door.post("/broadcast")
    async def broadcast() -> Response:
        wish = await _body(Broadcast)
        if wish.topic is not None and wish.user is not None:
            raise _RefusedError(400, "bad_request", "Name a topic or a user, not both.")
        told = await crowd.tell(wish)
        _note(
            "broadcast",
            text=wish.text,
            level_told=wish.level,
            topic=wish.topic,
            user=wish.user,
            told=told,
        )
        return _json({"told": told})


def _check_token(authorization: str, token: str) -> None:
    scheme, _, shown = authorization.partition(" ")
    if not token:
        raise _RefusedError(
            403, "no_operator_token", "RIALTO_OPERATOR_TOKEN is not set: there are no operators."
        )
    is_good = hmac.compare_digest(shown.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not is_good:
        _note("refused", path=request.path[:100])
        raise _RefusedError(401, "unauthenticated", "Show the operator token as a bearer token.")


def _asked(fields: dict[str, str], kind: type[Asked]) -> Asked:
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _RefusedError(400, "bad_request", str(error)) from error


async def _body(kind: type[Asked]) -> Asked:
    body = await request.get_data()
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _RefusedError(400, "bad_request", str(error)) from error


def _note(what: str, **facts: object) -> None:
    named = request.headers.get(OPERATOR_HEADER, "")
    who = named if _NAME.fullmatch(named) else "unnamed"
    _audit.info(f"operator.{what}", operator=who, address=request.remote_addr, **facts)


def _json(answer: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status=status, content_type="application/json")
