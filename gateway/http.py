"""The operator's door: is it alive, is it ready, how is it doing."""

from collections.abc import Awaitable, Callable
from typing import Final, cast

import hypercorn.trio
import trio
from hypercorn.config import Config
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from quart import Blueprint, Response
from quart_trio import QuartTrio

from gateway.limits import OPERATOR_BODY_BYTES_MAX
from gateway.settings import OperatorSettings

READY: Final = "ready"

_serve: Final = cast("Callable[..., Awaitable[None]]", hypercorn.trio.serve)


def create_app(
    *, readiness: Callable[[], str], measure: Callable[[], None], operators: Blueprint
) -> QuartTrio:
    """Return the operator's application.

    What is in here is open to whoever reaches the port, as probes and Prometheus expect: it tells
    numbers, and nothing of any user. What `operators` adds asks for a token.

    Args:
        readiness: returns `READY`, or why not.
        measure: brings the gauges up to date, before they are read.
        operators: what only those may do who look after the shop.
    """
    app = QuartTrio(__name__)
    app.config["MAX_CONTENT_LENGTH"] = OPERATOR_BODY_BYTES_MAX
    app.register_blueprint(operators)

    @app.get("/livez")
    async def livez() -> Response:
        return _plain("alive", 200)

    @app.get("/readyz")
    async def readyz() -> Response:
        reason = readiness()
        return _plain(reason, 200 if reason == READY else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        measure()
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    return app


def _plain(text: str, status: int) -> Response:
    return Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")


async def serve_operator(
    app: QuartTrio,
    settings: OperatorSettings,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the operator until canceled; started with the address that is listened on."""
    config = Config()
    config.bind = [f"{settings.host}:{settings.port}"]
    config.errorlog = None
    config.graceful_timeout = 1
    async with trio.open_nursery() as nursery:
        bound = cast("list[str]", await nursery.start(_serve, app, config))
        task_status.started(bound[0])
