"""Everything `rialto up` sees to before and while the shop runs."""

import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

import trio

from deploy.data_folder import DataFolder
from deploy.engines.errors import EngineError
from deploy.engines.leftovers import servers_in
from deploy.keys import read_or_make_keys
from deploy.port_plan import plan_ports
from deploy.probes import ask_postgres, ping_redis
from deploy.program_settings import check_programs
from deploy.settings import BASE_PORT_DEFAULT, DeploySettings, listed
from deploy.shop import (
    OPEN_FILES_WANTED,
    Shop,
    address_of,
    environment_of,
    open_files_max,
    stages_of,
)
from deploy.supervisor.errors import StartError
from deploy.supervisor.identity import end, identify
from deploy.supervisor.reporter import Reporter
from deploy.supervisor.state import end_leftovers
from deploy.supervisor.supervisor import Supervisor
from shared.environment import SettingsError

_LEFTOVER_SECONDS_MAX: Final = 10.0


def decide(
    variables: Mapping[str, str], folder: DataFolder, settings: DeploySettings, reporter: Reporter
) -> Shop:
    """Look at the machine and decide what will run where; nothing is started yet.

    Only call this while holding the folder's lock.

    Raises:
        StartError: if something on this machine has to be changed first.
    """
    _check_outside(settings)
    _clear(folder, reporter)
    ports = plan_ports(
        base=settings.port,
        is_explicit="RIALTO_PORT" in variables,
        gateways=settings.gateways,
    )
    if ports.web != settings.port:
        reporter.note("rialto", f"port {BASE_PORT_DEFAULT} is taken; using {ports.web}")
    shop = Shop(
        settings=settings,
        variables=variables,
        folder=folder,
        ports=ports,
        keys=read_or_make_keys(folder.secrets),
    )
    _check_settings(shop)
    if open_files_max() < OPEN_FILES_WANTED:
        reporter.note(
            "rialto",
            f"the limit of open files is {open_files_max()} (ulimit -Hn); a gateway "
            f"will hold fewer sockets than the {OPEN_FILES_WANTED} it is made for",
        )
    return shop


def make_engine_files(shop: Shop, reporter: Reporter) -> None:
    """Make the files of the embedded engines where there are none.

    Raises:
        StartError: if that does not work, or they are of another major version.
    """
    for name, engine in (("postgres", shop.postgres), ("valkey", shop.valkey)):
        if engine is None:
            continue
        is_new = not engine.folder.exists()
        started = time.monotonic()
        try:
            engine.prepare()
        except (EngineError, OSError) as error:
            raise StartError(str(error), exit_code=2) from error
        if is_new and name == "postgres":
            reporter.ready(name, "made its files", time.monotonic() - started)


def run(shop: Shop, reporter: Reporter, *, on_up: Callable[[bool], None]) -> None:
    """Run the shop until it is asked to stop.

    Raises:
        StartError: if something essential does not start.
    """
    supervisor = Supervisor(
        folder=shop.folder.path,
        address=address_of(shop),
        stages=stages_of(shop),
        reporter=reporter,
    )

    async def supervise() -> None:
        await supervisor.supervise(on_up=on_up)

    trio.run(supervise)


def _clear(folder: DataFolder, reporter: Reporter) -> None:
    """End what a killed supervisor has left in this folder, and nothing else."""
    for name in end_leftovers(folder.state):
        reporter.note(name, "was left over from a run that was killed; ended it")
    for place in (folder.postgres, folder.valkey):
        identities = [identity for pid in servers_in(place) if (identity := identify(pid))]
        if identities:
            end(identities, stop_signal=signal.SIGINT, seconds_max=_LEFTOVER_SECONDS_MAX)
            reporter.note(place.name, "a server of a run that was killed was ended")


def _check_outside(settings: DeploySettings) -> None:
    problems: list[str] = []
    for name, url, check in (
        ("RIALTO_DATABASE_URL", settings.database_url, lambda url: ask_postgres(url, "select 1")),
        ("RIALTO_REDIS_URL", settings.redis_url, ping_redis),
    ):
        if not url:
            continue
        try:
            check(url)
        except ConnectionError as error:
            problems.append(f"{name} does not answer: {error}")
    if problems:
        raise StartError(listed(problems), exit_code=2)


def _check_settings(shop: Shop) -> None:
    """The programs would say the same, but later and one by one."""
    try:
        check_programs(environment_of(shop))
    except SettingsError as error:
        raise StartError(listed(error.problems), exit_code=2) from error
