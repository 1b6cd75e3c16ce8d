"""The door of the API: keys, versions, idempotency, failures on demand, errors as Stripe's."""

import asyncio
import base64
import binascii
import secrets
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from quart import Response, request

from deploy.stripe_standin import expansion
from deploy.stripe_standin.errors import (
    BrokenError,
    CardDeclinedError,
    KeyInUseError,
    MalformedError,
    StripeError,
    TooManyRequestsError,
    UnauthorizedError,
)
from deploy.stripe_standin.faults import Fault, Faults
from deploy.stripe_standin.forms import decode, parse
from deploy.stripe_standin.idempotency import Answer, Keys, fingerprint
from deploy.stripe_standin.ids import mint
from deploy.stripe_standin.limits import API_VERSION
from deploy.stripe_standin.routing import Routes
from deploy.stripe_standin.world import Request, World, shown

_BROKEN: Final = "An error occurred on our side. Sorry; please try again."


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request, read whole."""

    method: str
    path: str
    """Everything after `/v1/`."""
    parameters: str
    key: str | None
    id: str


class Api:
    """Answers calls to the API."""

    def __init__(self, *, world: World, routes: Routes, faults: Faults, secret_key: str) -> None:
        self._world = world
        self._routes = routes
        self._faults = faults
        self._secret_key = secret_key
        self._keys = Keys(world.store)

    async def answer(self, path: str) -> Response:
        """Answer the request of this context."""
        body = str(await request.get_data(as_text=True)).strip()
        method = request.method
        call = Call(
            method=method,
            path=path,
            parameters=request.query_string.decode() if method in {"GET", "DELETE"} else body,
            key=request.headers.get("Idempotency-Key") if method == "POST" else None,
            id=mint("req"),
        )
        if method == "DELETE" and body:
            call = msgspec.structs.replace(call, parameters=body)
        try:
            self._check_key(request.headers.get("Authorization", ""))
            _check_version(request.headers.get("Stripe-Version"))
        except StripeError as error:
            return _response(call, _failure(call, error))
        fault = self._faults.take(method, f"/v1/{path}")
        if fault is not None and fault.kind != "hold":
            return await self._fail(call, fault)
        return await self._carry_out(call, is_held=fault is not None)

    async def _fail(self, call: Call, fault: Fault) -> Response:
        if fault.kind in {"error", "error_after"}:
            return await self._carry_out(call, breaks=fault.kind)
        if fault.kind == "overload":
            answer = _failure(call, BrokenError(_BROKEN))
            return _response(call, answer, **{"Stripe-Should-Retry": "true"})
        if fault.kind == "rate_limit":
            error = TooManyRequestsError("Request rate limit exceeded.", code="rate_limit")
            headers = {"Retry-After": str(fault.retry_after), "Stripe-Should-Retry": "false"}
            return _response(call, _failure(call, error), **headers)
        if fault.kind in {"timeout_after", "cut_after"}:
            await self._carry_out(call)
        if fault.kind in {"timeout_before", "timeout_after"}:
            await asyncio.sleep(fault.seconds)
        return _cut(call)

    async def _carry_out(
        self, call: Call, *, is_held: bool = False, breaks: str | None = None
    ) -> Response:
        """Give the answer the key got before, or carry out the call under its key."""
        if call.key is None:
            if is_held:
                await self._faults.hold()
            return _response(call, self._run(call, None, breaks))
        mark = fingerprint(call.method, call.path, call.parameters.encode())
        try:
            earlier = self._keys.claim(call.key, mark, now=self._world.now())
        except StripeError as error:
            retry = {"Stripe-Should-Retry": "true"} if isinstance(error, KeyInUseError) else {}
            return _response(call, _failure(call, error), **retry)
        if earlier is not None:
            replayed = {"Idempotent-Replayed": "true", "Original-Request": earlier.request}
            return _response(call, earlier, **replayed)
        try:
            if is_held:
                await self._faults.hold()
            return _response(call, self._run(call, mark, breaks))
        finally:
            self._keys.release(call.key)

    def _run(self, call: Call, mark: str | None, breaks: str | None) -> Answer:
        """Carry out a call in one transaction that is committed before it is answered."""
        world = self._world
        try:
            with world.store.transaction():
                world.request = Request(id=call.id, idempotency_key=call.key)
                answer = self._attempt(call, breaks)
                if mark is not None and call.key is not None:
                    self._keys.keep(call.key, mark, answer, now=world.now())
                return answer
        except MalformedError as error:
            return _failure(call, error)
        finally:
            world.request = Request()

    def _attempt(self, call: Call, breaks: str | None) -> Answer:
        if breaks == "error":
            return _failure(call, BrokenError(_BROKEN))
        try:
            with self._world.store.undone_on_error():
                answer = self._dispatch_keeping(call)
        except MalformedError:
            raise
        except StripeError as error:
            answer = _failure(call, error)
        return _failure(call, BrokenError(_BROKEN)) if breaks == "error_after" else answer

    def _dispatch_keeping(self, call: Call) -> Answer:
        """A refused card is an answer: the attempt stays recorded."""
        try:
            return self._dispatch(call)
        except CardDeclinedError as error:
            return _failure(call, error)

    def _dispatch(self, call: Call) -> Answer:
        route, identity = self._routes.match(call.method, call.path)
        asked = decode(parse(call.parameters), route.takes)
        document = route.handler(self._world, asked, identity)
        paths: list[str] = getattr(asked, "expand", None) or []
        # A copy: expanding fills in what the kept object only names.
        copied = msgspec.json.decode(msgspec.json.encode(document))
        full = expansion.expanded(self._world, copied, paths)
        body = msgspec.json.encode(shown(expansion.hidden(full, paths)))
        return Answer(status=200, body=body, request=call.id)

    def _check_key(self, authorization: str) -> None:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if not given:
            raise UnauthorizedError(
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer KEY')."
            )
        if not secrets.compare_digest(given.encode(), self._secret_key.encode()):
            raise UnauthorizedError(f"Invalid API Key provided: {given[:8]}****{given[-4:]}")


def _check_version(version: str | None) -> None:
    if version not in (None, API_VERSION):
        raise MalformedError(
            f"Invalid Stripe API version: {version}. This stand-in speaks {API_VERSION}."
        )


def _failure(call: Call, error: StripeError) -> Answer:
    return Answer(status=error.status, body=msgspec.json.encode(error.body()), request=call.id)


def _response(call: Call, answer: Answer, **headers: str) -> Response:
    response = Response(answer.body, answer.status, content_type="application/json")
    response.headers["Request-Id"] = call.id
    response.headers["Stripe-Version"] = API_VERSION
    if call.key is not None:
        response.headers["Idempotency-Key"] = call.key
        response.headers["Original-Request"] = answer.request
    for name, value in headers.items():
        response.headers[name] = value
    return response


def _cut(call: Call) -> Response:
    """Return an answer that breaks off: it promises more than it sends, and the server hangs up."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{"

    response = Response(pieces(), 200, content_type="application/json")
    response.headers["Content-Length"] = "4096"
    response.headers["Request-Id"] = call.id
    return response
