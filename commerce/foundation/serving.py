"""Processes that listen: the operator's port, a graceful stop, and no port open too early."""

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from quart import Quart, Response

from shared.logging import get_logger

GRACEFUL_STOP_SECONDS: Final = 5.0
_CHECK_SECONDS_MAX: Final = 2.0
_BACKLOG: Final = 512
_HEADER_BYTES_MAX: Final = 16 * 1024
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log = get_logger("commerce.serving")

Check = Callable[[], Awaitable[object]]
"""Raises if something the process needs is not there."""


class PortTakenError(Exception):
    """The port asked for is not free; the message says which."""


class Listener:
    """A port that is bound already, and the app to answer there."""

    def __init__(self, app: Quart, *, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.app = app
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind((host, port))
            self.socket.listen(_BACKLOG)
        except OSError as error:
            self.socket.close()
            raise PortTakenError(
                f"Port {port} of {host} cannot be had: {error.strerror}."
            ) from error
        self.address = f"{host}:{self.socket.getsockname()[1]}"


def operator_app(checks: Mapping[str, Check]) -> Quart:
    """Return the app of the operator's port: /livez, /readyz and /metrics."""
    app = Quart("commerce.operator", static_folder=None)

    @app.get("/livez")
    async def livez() -> Response:
        return Response("ok\n", content_type="text/plain")

    @app.get("/readyz")
    async def readyz() -> Response:
        failed = {name: why for name, why in await _run_checks(checks) if why is not None}
        state = {"ready": not failed, "failed": failed}
        return Response(
            msgspec.json.encode(state), 503 if failed else 200, content_type="application/json"
        )

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    return app


async def _run_checks(checks: Mapping[str, Check]) -> list[tuple[str, str | None]]:
    async def run(name: str, check: Check) -> tuple[str, str | None]:
        try:
            async with asyncio.timeout(_CHECK_SECONDS_MAX):
                await check()
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the answer is "not ready"
            return name, type(error).__name__
        return name, None

    return await asyncio.gather(*(run(name, check) for name, check in checks.items()))


@asynccontextmanager
async def stop_signals() -> AsyncGenerator[asyncio.Event]:
    """Give an event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in _STOP_SIGNALS:
        loop.add_signal_handler(each, stop.set)
    try:
        yield stop
    finally:
        for each in _STOP_SIGNALS:
            loop.remove_signal_handler(each)


async def serve(listeners: list[Listener], stop: asyncio.Event) -> None:
    """Answer on every listener until `stop`; then let the requests under way end, for a while."""
    for listener in listeners:
        _log.info("port.opened", address=listener.address, app=listener.app.name)
    async with asyncio.TaskGroup() as tasks:
        for listener in listeners:
            tasks.create_task(_serve_one(listener, stop))


async def _serve_one(listener: Listener, stop: asyncio.Event) -> None:
    config = Config()
    config.bind = [f"fd://{listener.socket.detach()}"]  # hypercorn closes it
    config.backlog = _BACKLOG
    config.graceful_timeout = GRACEFUL_STOP_SECONDS
    config.h11_max_incomplete_size = _HEADER_BYTES_MAX
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = None
    try:
        await hypercorn_serve(listener.app, config, shutdown_trigger=stop.wait, mode="asgi")
    except asyncio.CancelledError:
        # Hypercorn asks for the exception of the requests it has just cancelled.
        task = asyncio.current_task()
        if not stop.is_set() or (task is not None and task.cancelling()):
            raise
