"""The completer: finishes requests that were broken off past a recovery point.

It runs in the web program, which has the doors and all they stand on, and needs no client. Any
number may run: each takes a request up under a new fence, so that only one of them, or the client's
own retry, carries it on.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from prometheus_client import Counter

from commerce.foundation import idempotency
from commerce.foundation.carrying import Asked, carry_out, decode_body, decode_query, name_of
from commerce.foundation.errors import RequestInFlightError
from commerce.foundation.http import Call, Door, Route, WebContext
from shared.errors import ExpectedError
from shared.logging import get_logger

_POLL_SECONDS: Final = 5.0
_CLIENT_ADDRESS: Final = "nowhere"

_log = get_logger("commerce.completer")

_completed = Counter(
    "rialto_idempotency_completed",
    "Requests that were broken off, and what became of them without their client.",
    ("route", "outcome"),
)


class Completer:
    """Goes on with the requests of `doors`."""

    def __init__(self, doors: Iterable[Door], context: WebContext) -> None:
        self._routes = {name_of(route): route for door in doors for route in door.routes}
        self._context = context

    async def run(self) -> None:
        """Complete what is due until the database fails; run it `for_ever`."""
        while True:
            await self.complete_due()
            await asyncio.sleep(_POLL_SECONDS)

    async def complete_due(self) -> int:
        """Go on with every request that is due, one by one; return how many were taken up.

        The keys of those that had not done anything yet are freed.
        """
        await idempotency.free_left_behind(self._context.database)
        count = 0
        while (left := await idempotency.take_unfinished(self._context.database)) is not None:
            count += 1
            await self._complete(left)
        return count

    async def _complete(self, left: idempotency.Unfinished) -> None:
        asked = msgspec.convert(left.request, Asked)
        route = self._routes.get(asked.route)
        if route is None or left.attempts > idempotency.ATTEMPTS_MAX:
            await idempotency.free(self._context.database, left)
            _log.error("completer.gave_up", route=asked.route, reached=left.recovery_point)
            _completed.labels(asked.route, "given_up").inc()
            return
        outcome = await self._go_on(route, asked, left)
        _log.info(
            "completer.tried", route=asked.route, reached=left.recovery_point, outcome=outcome
        )
        _completed.labels(asked.route, outcome).inc()

    async def _go_on(self, route: Route, asked: Asked, left: idempotency.Unfinished) -> str:
        try:
            await carry_out(route, self._call(route, asked, left.key), left)
        except RequestInFlightError:
            return "taken_over"
        except ExpectedError as error:
            return "refused" if idempotency.is_refusal(error) else "failed"
        except Exception:  # noqa: BLE001 - one request that fails holds up no other
            _log.exception("completer.failed", route=asked.route, attempts=left.attempts)
            return "failed"
        return "done"

    def _call(self, route: Route, asked: Asked, key: str) -> Call[object, object]:
        return Call(
            context=self._context,
            database=self._context.database,
            body=_body(route, asked.body),
            query=decode_query(route, asked.query),
            path=asked.path,
            principal=asked.principal,
            token=None,
            client_address=_CLIENT_ADDRESS,
            asked_headers={"idempotency-key": key},
        )


def _body(route: Route, raw: bytes) -> object:
    if route.body is bytes:
        return raw
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(route.body)
    return None if route.body is None else decode_body(decoder, raw)
