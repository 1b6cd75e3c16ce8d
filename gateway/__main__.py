"""`python -m gateway`: one worker of the realtime program."""

import resource
import signal
import sys
from typing import Final

import trio

from gateway.errors import PortTakenError
from gateway.server import serve
from gateway.settings import GatewaySettings
from shared.clock import SystemClock
from shared.collector import LOOK_SECONDS, Collector
from shared.environment import SettingsError, load, process_variables
from shared.logging import configure_logging, get_logger

EXIT_SETTINGS: Final = 2


def main() -> int:
    """Run a worker until it is told to stop; return the exit status."""
    try:
        settings = load(GatewaySettings, process_variables())
    except SettingsError as error:
        sys.stderr.write(f"The gateway's settings are not right:\n{error}\n")
        return EXIT_SETTINGS
    configure_logging(program="gateway", level=settings.log_level)
    _allow_many_files()
    status = 0
    try:
        trio.run(_run, settings)
    except* PortTakenError as taken:
        get_logger("gateway").error("gateway.refused", reason=str(taken.exceptions[0]))
        status = EXIT_SETTINGS
    return status


async def _run(settings: GatewaySettings) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal, stop, nursery.cancel_scope)
        nursery.start_soon(_keep_collector_brief)
        await serve(settings, clock=SystemClock(), stop=stop)
        nursery.cancel_scope.cancel()


async def _keep_collector_brief() -> None:
    collector = Collector()
    while True:
        await trio.sleep(LOOK_SECONDS)
        collector.look()


async def _stop_on_signal(
    stop: trio.Event,
    everything: trio.CancelScope,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Stop in order at the first signal, at once at the second."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            if stop.is_set():
                everything.cancel()
            stop.set()


def _allow_many_files() -> None:
    """A socket is a file: take as many as the system lets us."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
