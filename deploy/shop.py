"""The shop as a list of stages: engines, then the database's content, then the programs."""

import resource
from collections.abc import Mapping
from typing import Final

import msgspec

from deploy.data_folder import DataFolder
from deploy.engines.postgres import Postgres
from deploy.engines.valkey import Valkey
from deploy.keys import Keys
from deploy.launch import Launch
from deploy.paths import ROOT, python_argv, python_environment
from deploy.port_plan import PortPlan
from deploy.probes import ask_postgres, http_probe
from deploy.settings import (
    OPERATOR_TOKEN_VARIABLE,
    ORIGINS_VARIABLE,
    SIGNING_KEY_VARIABLE,
    VERIFYING_KEYS_VARIABLE,
    DeploySettings,
)
from deploy.stripe_child import WEBHOOK_PATH, StripeChild, uses_standin
from deploy.supervisor.errors import StartError
from deploy.supervisor.spec import ProcessSpec, Stage, StepSpec, TaskSpec
from deploy.supervisor.state import ShopAddress

DATABASE: Final = "rialto"
OPEN_FILES_WANTED: Final = 20_000
"""A gateway holds one descriptor a socket; fewer than this and a busy shop runs out."""

_RANK_GATEWAY, _RANK_WEB, _RANK_WORKER, _RANK_STRIPE, _RANK_ENGINES = range(5)
_COUNT_TABLES: Final = "select count(*) from pg_tables where schemaname = 'public'"


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was decided before the first process starts."""

    settings: DeploySettings
    variables: Mapping[str, str]
    folder: DataFolder
    ports: PortPlan
    keys: Keys

    @property
    def postgres(self) -> Postgres | None:
        """The embedded Postgres, unless another is used."""
        if self.settings.database_url:
            return None
        return Postgres(
            folder=self.folder.postgres,
            port=self.ports.postgres,
            password=self.keys.postgres_password,
        )

    @property
    def valkey(self) -> Valkey | None:
        """The embedded Valkey, unless another is used."""
        if self.settings.redis_url:
            return None
        return Valkey(folder=self.folder.valkey, port=self.ports.valkey)

    @property
    def stripe(self) -> StripeChild | None:
        """The Stripe stand-in, unless a real account is used."""
        if not uses_standin(self.settings):
            return None
        return StripeChild(
            port=self.ports.stripe,
            file=self.folder.stripe,
            keys=self.keys,
            webhooks=self.settings.stripe_webhooks
            or (f"http://127.0.0.1:{self.ports.web}{WEBHOOK_PATH}",),
        )

    @property
    def database_url(self) -> str:
        """The Postgres in use."""
        return self.postgres.url(DATABASE) if self.postgres else self.settings.database_url

    @property
    def redis_url(self) -> str:
        """The Redis in use."""
        return self.valkey.url() if self.valkey else self.settings.redis_url


def address_of(shop: Shop) -> ShopAddress:
    """Return where people and scripts find the shop."""
    variables = environment_of(shop)
    return ShopAddress(
        url=variables["RIALTO_PUBLIC_URL"],
        socket_url=variables["RIALTO_SOCKET_URL"],
        data=str(shop.folder.path),
        profile=shop.settings.profile,
        ports={
            "web": shop.ports.web,
            "gateway": shop.ports.gateway,
            "postgres": shop.ports.postgres,
            "valkey": shop.ports.valkey,
            "stripe": shop.ports.stripe,
        },
    )


def environment_of(shop: Shop) -> dict[str, str]:
    """Return the environment of every program of the shop.

    What was found in our own environment stays, except for what we decide: ports and engines.
    """
    web, gateway = shop.ports.web, shop.ports.gateway
    defaults = {
        "RIALTO_PUBLIC_URL": f"http://localhost:{web}",
        "RIALTO_SOCKET_URL": f"ws://localhost:{gateway}/ws",
        ORIGINS_VARIABLE: f"http://localhost:{web},http://127.0.0.1:{web}",
        "RIALTO_FILES_DIR": str(shop.folder.files),
    }
    if not shop.settings.signing_key:
        defaults[SIGNING_KEY_VARIABLE] = shop.keys.ticket_signing_key
        defaults[VERIFYING_KEYS_VARIABLE] = shop.keys.ticket_verifying_key
    if not shop.settings.operator_token:
        defaults[OPERATOR_TOKEN_VARIABLE] = shop.keys.operator_token
    if shop.settings.profile == "dev":
        defaults["RIALTO_LICENSE_SECRET"] = shop.keys.license_secret
        defaults["RIALTO_LICENSE_FILE_KEYS"] = shop.keys.license_file_key
    decided = {
        "RIALTO_PROFILE": shop.settings.profile,
        "RIALTO_LOG_LEVEL": shop.settings.log_level,
        "RIALTO_DATABASE_URL": shop.database_url,
        "RIALTO_REDIS_URL": shop.redis_url,
        "RIALTO_GATEWAY_PORT": str(gateway),
        "RIALTO_GATEWAY_OPERATOR_PORT": str(shop.ports.gateway_operators[0]),
        "RIALTO_WEB_PORT": str(web),
        "RIALTO_WEB_OPERATOR_PORT": str(shop.ports.web_operator),
        "RIALTO_WORKER_OPERATOR_PORT": str(shop.ports.worker_operator),
    }
    stripe = shop.stripe.environment() if shop.stripe else {}
    found = {name: value for name, value in shop.variables.items() if value}
    return python_environment({**defaults, **found, **decided, **stripe})


def stages_of(shop: Shop) -> list[Stage]:
    """Return what is to be started, in order."""
    return [
        Stage(processes=tuple(_engines(shop))),
        Stage(steps=(_database_step(shop),), tasks=(_migrate(shop), _seed(shop))),
        Stage(
            processes=(*_stripe(shop), _worker(shop), _web(shop), *_gateways(shop)),
            essential=False,
        ),
    ]


def open_files_max() -> int:
    """Return how many files and sockets this user may let a process have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def _engines(shop: Shop) -> list[ProcessSpec]:
    engines = (("postgres", shop.postgres), ("valkey", shop.valkey))
    return [
        ProcessSpec(
            name=name,
            launch=engine.launch(),
            probe=engine.is_ready,
            ports={name: engine.port},
            where=f"127.0.0.1:{engine.port}",
            stop_rank=_RANK_ENGINES,
            stop_seconds_max=30.0,
        )
        for name, engine in engines
        if engine is not None
    ]


def _database_step(shop: Shop) -> StepSpec:
    """See that the database is there; note whether it is empty, before it is migrated."""

    def call() -> str:
        try:
            if shop.postgres is not None:
                _ensure_database(shop.postgres)
            is_empty = ask_postgres(shop.database_url, _COUNT_TABLES) == "0"
        except ConnectionError as error:
            raise StartError(f"the database does not answer: {error}") from error
        if is_empty and shop.settings.profile == "dev":
            shop.folder.seed_pending.touch()
        return "empty" if is_empty else "has data"

    return StepSpec(name="database", call=call)


def _ensure_database(postgres: Postgres) -> None:
    server = postgres.url("postgres")
    if DATABASE not in ask_postgres(server, "select datname from pg_database").split():
        ask_postgres(server, f"create database {DATABASE}")


def _program(shop: Shop, module: str, *words: str, **variables: str) -> Launch:
    return Launch(
        argv=python_argv(module, *words),
        environment={**environment_of(shop), **variables},
        working_folder=ROOT,
    )


def _migrate(shop: Shop) -> TaskSpec:
    return TaskSpec(
        name="migrate",
        launch=_program(shop, "commerce", "migrate", "up"),
        result="the database is up to date",
    )


def _seed(shop: Shop) -> TaskSpec:
    return TaskSpec(
        name="seed",
        launch=_program(shop, "commerce", "seed", "--scale", "small"),
        result="a small shop's products, people and rooms",
        is_essential=False,
        is_needed=shop.folder.seed_pending.exists,
        on_done=shop.folder.seed_pending.unlink,
    )


def _stripe(shop: Shop) -> list[ProcessSpec]:
    if shop.stripe is None:
        return []
    port = shop.stripe.port
    return [
        ProcessSpec(
            name="stripe",
            launch=_program(shop, "deploy.stripe_standin"),
            probe=http_probe(port),
            ports={"stripe": port},
            where=f"stand-in, 127.0.0.1:{port}",
            stop_rank=_RANK_STRIPE,
        )
    ]


def _worker(shop: Shop) -> ProcessSpec:
    port = shop.ports.worker_operator
    return ProcessSpec(
        name="worker",
        launch=_program(shop, "commerce", "worker"),
        probe=http_probe(port),
        ports={"operator": port},
        where=f"operator 127.0.0.1:{port}",
        stop_rank=_RANK_WORKER,
    )


def _web(shop: Shop) -> ProcessSpec:
    operator = shop.ports.web_operator
    return ProcessSpec(
        name="web",
        launch=_program(shop, "commerce", "web"),
        probe=http_probe(operator),
        ports={"web": shop.ports.web, "operator": operator},
        where=f"port {shop.ports.web}, operator 127.0.0.1:{operator}",
        stop_rank=_RANK_WEB,
    )


def _gateways(shop: Shop) -> list[ProcessSpec]:
    specs = []
    for number, operator in enumerate(shop.ports.gateway_operators, start=1):
        launch = _program(shop, "gateway", RIALTO_GATEWAY_OPERATOR_PORT=str(operator))
        specs.append(
            ProcessSpec(
                name=f"gateway-{number}",
                launch=msgspec.structs.replace(launch, open_files_max=open_files_max()),
                probe=http_probe(operator),
                ports={"gateway": shop.ports.gateway, "operator": operator},
                where=f"port {shop.ports.gateway}, operator 127.0.0.1:{operator}",
                stop_rank=_RANK_GATEWAY,
            )
        )
    return specs
