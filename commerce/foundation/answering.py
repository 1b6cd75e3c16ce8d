"""From a request on a route to its answer: the one path every endpoint's requests take."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from prometheus_client import Histogram
from quart import Quart, Request, Response, g, request
from redis.exceptions import RedisError

from commerce.foundation import idempotency
from commerce.foundation.carrying import (
    Asked,
    carry_out,
    decode_body,
    decode_query,
    encode_answer,
    name_of,
)
from commerce.foundation.database import count_statements
from commerce.foundation.downloads import Download, send
from commerce.foundation.errors import (
    InvalidRequestError,
    KeyMissingError,
    StreamsUnavailableError,
    UnauthenticatedError,
    UnsupportedMediaTypeError,
)
from commerce.foundation.http import Call, Door, Principal, Route, WebContext
from commerce.foundation.security import check_origin, guest_cart_cookie
from shared.logging import get_logger

REQUEST_BODY_BYTES_MAX: Final = 64 * 1024
_TOKEN_CHARS_MAX: Final = 128
_REQUEST_ID_HEADER: Final = "x-request-id"
STATEMENTS_HEADER: Final = "x-rialto-statements"

_log = get_logger("commerce.http")

_seconds = Histogram(
    "rialto_commerce_http_request_seconds",
    "Time from a request's head to its answer, by route.",
    ("method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def open_doors(app: Quart, doors: tuple[Door, ...], context: WebContext) -> None:
    """Make the endpoints of `doors` answer in `app`."""
    app.request_class = _request_class(
        {
            route.path: route.body_bytes_max
            for door in doors
            for route in door.routes
            if route.body_bytes_max is not None
        }
    )
    for door in doors:
        for route in door.routes:
            app.add_url_rule(
                route.path.replace("{", "<").replace("}", ">"),
                name_of(route),
                _Answerer(route, context).answer,
                methods=[route.method],
                provide_automatic_options=False,
            )


def _request_class(bytes_max: Mapping[str, int]) -> type[Request]:
    """Return requests of which some, by path, may have a larger body than the others."""

    class Sized(Request):
        def __init__(
            self,
            method: str,
            scheme: str,
            path: str,
            *rest: Any,  # noqa: ANN401 - the framework's own
            max_content_length: int | None = None,
            **named: Any,  # noqa: ANN401
        ) -> None:
            allowed = bytes_max.get(path, max_content_length)
            super().__init__(method, scheme, path, *rest, max_content_length=allowed, **named)

    return Sized


def install_request_log(app: Quart, *, tells_statements: bool = False) -> None:
    """Give every request an id and one line in the log; in dev say how much SQL it took."""

    @app.before_request
    async def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = secrets.token_hex(8)
        if tells_statements:
            g.statements = count_statements()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    async def end(response: Response) -> Response:
        took = time.perf_counter() - g.began
        rule = request.url_rule.rule if request.url_rule is not None else "none"
        _seconds.labels(request.method, rule, response.status_code).observe(took)
        response.headers.setdefault(_REQUEST_ID_HEADER, g.request_id)
        if tells_statements:
            response.headers[STATEMENTS_HEADER] = str(g.statements[0])
        _log.info(
            "request.answered",
            method=request.method,
            route=rule,
            status=response.status_code,
            took_ms=round(took * 1000, 2),
        )
        return response


async def current_principal(context: WebContext) -> tuple[Principal | None, str | None]:
    """Return who is signed in, by header or cookie, and the token that says so.

    Raises:
        StreamsUnavailableError: if the sessions cannot be reached.
    """
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else _cookie(context)
    if not token or len(token) > _TOKEN_CHARS_MAX:
        return None, None
    try:
        return await context.authenticator.authenticate(token), token
    except RedisError as error:
        raise StreamsUnavailableError from error


class _Answerer:
    def __init__(self, route: Route, context: WebContext) -> None:
        self._route = route
        self._context = context
        self._body = None if route.body in {None, bytes} else msgspec.json.Decoder(route.body)

    async def answer(self, **path: str) -> Response:
        """Answer a request on this route."""
        self._check_origin()
        if any("\x00" in text for text in (*path.values(), *request.args.values())):
            raise InvalidRequestError("The address holds a character that cannot be stored.")
        principal, token = await self._authenticate()
        raw = await request.get_data(as_text=False)
        assert isinstance(raw, bytes)
        call: Call[object, object] = Call(
            context=self._context,
            database=self._context.database,
            body=self._decode_body(raw),
            query=decode_query(self._route, _given()),
            path=path,
            principal=principal,
            token=token,
            client_address=request.remote_addr or "unknown",
            asked_headers=request.headers,  # type: ignore[arg-type]  # read as one, though not typed so
            asked_cookies=request.cookies,
        )
        try:
            if self._route.limit is not None:
                await call.take(self._route.limit, call.client_address)
            return await self._run(call, raw)
        except RedisError as error:
            raise StreamsUnavailableError from error

    def _check_origin(self) -> None:
        if request.headers.get("Authorization"):
            return
        check_origin(
            request.method,
            origin=request.headers.get("Origin"),
            site=request.headers.get("Sec-Fetch-Site"),
            own_origins=(*self._context.allowed_origins, request.host_url.rstrip("/")),
            has_cookie=self._route.auth != "none" and _cookie(self._context) is not None,
        )

    async def _authenticate(self) -> tuple[Principal | None, str | None]:
        if self._route.auth == "none":
            return None, None
        principal, token = await current_principal(self._context)
        if principal is None and self._route.auth == "required":
            raise UnauthenticatedError
        return principal, token

    def _decode_body(self, raw: bytes) -> object:
        if self._route.body is bytes:
            return raw
        if self._body is None:
            return None
        if request.mimetype != "application/json":
            raise UnsupportedMediaTypeError
        return decode_body(self._body, raw)

    async def _run(self, call: Call[object, object], raw: bytes) -> Response:
        key = self._key()
        if key is None and self._route.idempotency == "required":
            raise KeyMissingError
        scope = self._scope(call)
        if key is None or scope is None:
            answer = await self._route.run(call)
            if isinstance(answer, Download):
                return send(answer, self._route.status, dict(call.headers))
            return _respond(self._route.status, dict(call.headers), encode_answer(answer))
        return await self._run_once(call, raw, _checked_key(key), scope)

    def _key(self) -> str | None:
        if request.method == "GET" or self._route.idempotency == "none":
            return None
        return request.headers.get("Idempotency-Key")

    def _scope(self, call: Call[object, object]) -> str | None:
        """Return whose key it is; None if it is nobody's, and counts for nothing.

        A guest is who holds the cart. Where a key must come from people we do not know, only the
        same body again has the answer again, so that a key alone gives nothing away.
        """
        if call.principal_or_none is not None:
            return call.principal_or_none.user
        cart = request.cookies.get(guest_cart_cookie(self._context.cookie).name)
        if cart and self._route.auth == "optional":
            return f"guest:{hashlib.sha256(cart.encode()).hexdigest()}"
        return "anyone" if self._route.idempotency == "required" else None

    async def _run_once(
        self, call: Call[object, object], raw: bytes, key: str, scope: str
    ) -> Response:
        claimed = await idempotency.claim(
            self._context.database,
            principal=scope,
            key=key,
            fingerprint=idempotency.fingerprint_of(
                method=request.method,
                path=request.path,
                query=request.query_string,
                body=raw,
            ),
            request=self._asked(call, raw) if self._route.calls_outside else None,
        )
        if isinstance(claimed, idempotency.StoredAnswer):
            replayed = {**claimed.headers, "idempotency-replayed": "true"}
            return _respond(claimed.status, replayed, claimed.body)
        answer = await carry_out(self._route, call, claimed)
        return _respond(answer.status, answer.headers, answer.body)

    def _asked(self, call: Call[object, object], raw: bytes) -> Asked:
        return Asked(
            route=name_of(self._route),
            path=dict(call.path),
            query=_given(),
            body=raw,
            principal=call.principal_or_none,
        )


def _given() -> dict[str, Any]:
    return {
        name: values[0] if len(values) == 1 else values
        for name, values in request.args.to_dict(flat=False).items()
    }


def _checked_key(key: str) -> str:
    try:
        return msgspec.convert(key, idempotency.IdempotencyKey)
    except msgspec.ValidationError as error:
        raise InvalidRequestError("An Idempotency-Key is 1 to 255 visible characters.") from error


def _cookie(context: WebContext) -> str | None:
    return request.cookies.get(context.cookie.name)


def _respond(status: int, headers: Mapping[str, str], body: bytes) -> Response:
    kind = "application/json" if body else None
    response = Response(body, status, content_type=kind)
    response.headers["cache-control"] = "no-store"
    for name, value in headers.items():
        response.headers[name] = value
    return response
