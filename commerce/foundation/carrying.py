"""Carrying a request out under the lease of its key: for a client, or later without one."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from commerce.foundation.errors import InvalidRequestError, MalformedRequestError
from commerce.foundation.http import Call, Principal, Route
from commerce.foundation.idempotency import Lease, LeasedDatabase, StoredAnswer

_encode: Final = msgspec.json.Encoder().encode


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is kept with its key: who asked for what, without any proof of it."""

    route: str
    path: dict[str, str]
    query: dict[str, Any]
    body: bytes
    principal: Principal | None


def name_of(route: Route) -> str:
    """Return what a route is known by where requests are kept."""
    return f"{route.feature}.{route.name}"


async def carry_out(route: Route, call: Call[object, object], lease: Lease) -> StoredAnswer:
    """Run an endpoint and store its answer; what fails frees the key, or is gone on with later.

    Raises:
        RequestInFlightError: if another took the request over meanwhile.
    """
    leased = LeasedDatabase(call.database, lease, calls_outside=route.calls_outside)
    call.lease(leased)
    try:
        body = encode_answer(await route.run(call))
        answer = StoredAnswer(status=route.status, headers=dict(call.headers), body=body)
        await leased.finish(status=answer.status, headers=answer.headers, body=answer.body)
    except BaseException as error:
        await leased.abandon(error)
        raise
    return answer


def encode_answer(answer: object) -> bytes:
    """Return the body of an answer."""
    return b"" if answer is None else _encode(answer)


def decode_body(decoder: "msgspec.json.Decoder[Any]", raw: bytes) -> object:
    """Return a JSON body as its route takes it.

    Raises:
        InvalidRequestError: if it is not what the route takes.
        MalformedRequestError: if it is no JSON.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"{error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequestError(f"The body is not JSON: {error}.") from error


def decode_query(route: Route, given: Mapping[str, Any]) -> object:
    """Return a query as its route takes it.

    Raises:
        InvalidRequestError: if it is not what the route takes.
    """
    if route.query is None:
        return None
    try:
        return msgspec.convert(given, route.query, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"{error}.") from error
