"""The shop that runs in a data folder, as others than its supervisor see it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from deploy.data_folder import DataFolder, locked, prepare
from deploy.engines.errors import EngineError
from deploy.engines.ports import free_port
from deploy.engines.running import running
from deploy.keys import read_or_make_keys
from deploy.port_plan import PortPlan
from deploy.probes import ask_postgres
from deploy.settings import DeploySettings
from deploy.shop import DATABASE, Shop, environment_of
from deploy.supervisor.control import AskStatus, NotRunningError, ask
from deploy.supervisor.errors import StartError
from deploy.supervisor.state import ShopAddress, read_state


def address_of_running(folder: DataFolder) -> ShopAddress | None:
    """Return where the running shop is; None if none is running."""
    try:
        ask(folder.path, AskStatus())
    except NotRunningError:
        return None
    state = read_state(folder.state)
    return None if state is None else state.address


def pids_of_running(folder: DataFolder) -> list[tuple[str, int]]:
    """Return the name and pid of each process of the running shop; nothing if none is running."""
    try:
        processes = ask(folder.path, AskStatus()).status.processes
    except NotRunningError:
        return []
    return [(one.name, one.pid) for one in processes if one.pid is not None]


def environment_of_running(
    variables: Mapping[str, str], settings: DeploySettings, folder: DataFolder
) -> dict[str, str] | None:
    """Return what a program would be given to belong to the running shop; None if none runs."""
    address = address_of_running(folder)
    if address is None:
        return None
    return environment_of(_shop(variables, settings, folder, address.ports))


@contextmanager
def database_environment(
    variables: Mapping[str, str], settings: DeploySettings, folder: DataFolder
) -> Iterator[dict[str, str]]:
    """Yield an environment whose database answers.

    It is the running shop's; or the one that the variables name; or else the folder's own, whose
    Postgres is started for the length of the block.

    Raises:
        StartError: if there is no such database.
    """
    environment = environment_of_running(variables, settings, folder)
    if environment is not None:
        yield environment
        return
    prepare(folder)
    shop = _shop(variables, settings, folder, {})
    if shop.postgres is None:
        yield environment_of(shop)
        return
    with locked(folder) as is_ours:
        if not is_ours:
            raise StartError(f"the shop in {folder.path} is just starting or stopping.")
        try:
            with running(shop.postgres, log=folder.logs / "postgres.log"):
                known = ask_postgres(
                    shop.postgres.url("postgres"), "select datname from pg_database"
                )
                if DATABASE not in known.split():
                    ask_postgres(shop.postgres.url("postgres"), f"create database {DATABASE}")
                yield environment_of(shop)
        except EngineError as error:
            raise StartError(str(error), exit_code=2) from error


def _shop(
    variables: Mapping[str, str],
    settings: DeploySettings,
    folder: DataFolder,
    ports: Mapping[str, int],
) -> Shop:
    return Shop(
        settings=settings,
        variables=variables,
        folder=folder,
        ports=PortPlan(
            web=ports.get("web", settings.port),
            gateway=ports.get("gateway", settings.port + 1),
            gateway_operators=(0,),
            web_operator=0,
            worker_operator=0,
            postgres=ports.get("postgres") or free_port(),
            valkey=ports.get("valkey") or free_port(),
            stripe=ports.get("stripe", 0),
        ),
        keys=read_or_make_keys(folder.secrets),
    )
