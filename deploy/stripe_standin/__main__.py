"""`python -m deploy.stripe_standin`."""

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import Final

from hypercorn.asyncio import serve
from hypercorn.config import Config

from deploy.stripe_standin.app import StandIn
from deploy.stripe_standin.settings import StandInSettings
from deploy.stripe_standin.store import Store
from shared.clock import SystemClock
from shared.environment import SettingsError, load, process_variables, read_profile
from shared.logging import configure_logging, get_logger

CANNOT_START: Final = 2
HOST: Final = "127.0.0.1"
_GRACEFUL_STOP_SECONDS: Final = 2.0
_BACKLOG: Final = 128

_log = get_logger("stripe")


def main() -> int:
    """Run the stand-in until SIGTERM; return the exit code."""
    try:
        settings = _read_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT_START
    configure_logging(program="stripe-standin")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, settings.port))
    except OSError as error:
        sys.stderr.write(f"Port {settings.port} cannot be had: {error.strerror}.\n")
        return CANNOT_START
    listener.listen(_BACKLOG)
    store = Store(Path(settings.file) if settings.file else None)
    try:
        asyncio.run(_serve(settings, store, listener))
    except KeyboardInterrupt:
        return 130
    finally:
        store.close()
    return 0


def _read_settings() -> StandInSettings:
    variables = {name: value for name, value in process_variables().items() if value}
    if read_profile(variables) != "dev":
        raise SettingsError(["The Stripe stand-in takes no money: it runs in dev only."])
    return load(StandInSettings, variables)


async def _serve(settings: StandInSettings, store: Store, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    stand_in = StandIn(
        settings,
        store,
        SystemClock(),
        public_url=settings.public_url or f"http://localhost:{port}",
    )
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = _GRACEFUL_STOP_SECONDS
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    _log.info("port.opened", address=f"{HOST}:{port}")
    async with stand_in.running():
        await serve(stand_in.app(), config, shutdown_trigger=stop.wait, mode="asgi")


if __name__ == "__main__":
    sys.exit(main())
