"""What every test may ask for: real engines, a database and a Redis of its own.

The engines belong to the test run: they start when the first test needs them, live in a folder of
their own on ports of their own, and the kernel kills them with the run, however it ends.
"""

import asyncio
import inspect
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import structlog

from commerce.foundation.migrate import migrate_up
from deploy.engines.ports import free_port
from deploy.engines.postgres import Postgres
from deploy.engines.running import running
from deploy.engines.valkey import Valkey
from tests.valkey_cluster import ValkeyCluster

ROOT = Path(__file__).parents[1]
TEMPLATE = "rialto_template"
SCRATCH_PREFIX = "rialto-tests-"
TRIO_FOLDERS = {"deploy", "gateway", "loadtest"}
ASYNCIO_FOLDERS = {"commerce", "contracts"}
LOOP_MARKS = {"trio", "asyncio", "anyio"}
WHOLE_SHOP_FOLDERS = {"browser", "deploy", "journeys", "js"}
ONE_SERVER, CLUSTER = "one", "cluster"
ON_A_CLUSTER_TOO = (
    "gateway/live",
    "gateway/presence",
    "gateway/streams/test_access",
    "gateway/streams/test_commands",
    "gateway/streams/test_topic_log",
    "commerce/foundation/test_inbox",
    "commerce/foundation/test_rate_limit",
)
"""Tests that are run on a Redis Cluster as well, if they need a Redis and no certain server."""


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector, name, obj):
    """Give an async test the loop of the program it is about; elsewhere tests mark themselves."""
    if not (name.startswith("test") and inspect.iscoroutinefunction(obj)):
        return
    if {mark.name for mark in getattr(obj, "pytestmark", [])} & LOOP_MARKS:
        return
    folder = collector.path.relative_to(ROOT / "tests").parts[0]
    if folder in TRIO_FOLDERS:
        pytest.mark.trio(obj)
    elif folder in ASYNCIO_FOLDERS:
        pytest.mark.asyncio(obj)


def pytest_collection_modifyitems(items):
    """Keep together what shares fixtures when several processes share the tests.

    Tests that run whole shops stay in one process, so that only one shop at a time is at work.
    """
    for item in items:
        path = item.path.relative_to(ROOT / "tests")
        group = "whole shops" if path.parts[0] in WHOLE_SHOP_FOLDERS else str(path)
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_generate_tests(metafunc):
    """Run some tests on one server and on a cluster."""
    place = Path(metafunc.module.__file__).relative_to(ROOT / "tests").as_posix()
    needs = metafunc.fixturenames
    if "redis_url" in needs and "valkey_server" not in needs and place.startswith(ON_A_CLUSTER_TOO):
        metafunc.parametrize("redis_url", [ONE_SERVER, CLUSTER], indirect=True)


@pytest.fixture(scope="session")
def scratch_folder():
    """A folder for the files of this run's engines; those of runs that were killed are cleared."""
    for old in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"):
        pid = old.name.removeprefix(SCRATCH_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{SCRATCH_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_server(scratch_folder):
    """A `RunningEngine[Postgres]`, shared by the run and fast rather than safe."""
    server = Postgres(folder=scratch_folder / "postgres", port=free_port(), tuning="fast")
    with running(server, log=scratch_folder / "postgres.log") as running_server:
        yield running_server


@pytest.fixture(scope="session")
def valkey_server(scratch_folder):
    """A `RunningEngine[Valkey]`, shared by the run."""
    server = Valkey(folder=scratch_folder / "valkey", port=free_port(), tuning="fast")
    with running(server, log=scratch_folder / "valkey.log") as running_server:
        yield running_server


@pytest.fixture(scope="session")
def valkey_cluster(scratch_folder):
    """A cluster of three, shared by the run."""
    cluster = ValkeyCluster(scratch_folder / "cluster")
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres_server):
    """The name of a database with every migration applied, to copy from; nobody connects to it."""
    postgres = postgres_server.engine
    postgres.execute(f"create database {TEMPLATE}")
    # In a thread of its own, for an event loop that no test ever sees.
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, migrate_up(postgres.url(TEMPLATE))).result()
    return TEMPLATE


@pytest.fixture(scope="session")
def database_names():
    """Names that no other database of the run has."""
    return (f"test_{number}" for number in range(1_000_000))


@pytest.fixture
def database_url(postgres_server, migrated_template, database_names):
    """The address of a migrated database that only this test knows."""
    postgres = postgres_server.engine
    name = next(database_names)
    postgres.execute(f"create database {name} template {migrated_template}")
    yield postgres.url(name)
    postgres.execute(f"drop database if exists {name} with (force)")


@pytest.fixture
def redis_url(request):
    """The address of an empty Redis that only this test uses: one server, or a cluster."""
    if getattr(request, "param", ONE_SERVER) == CLUSTER:
        cluster = request.getfixturevalue("valkey_cluster")
        cluster.flush()
        return cluster.url
    server = request.getfixturevalue("valkey_server")
    server.engine.flush()
    return server.engine.url()


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    """Undo what a test, or a program's main() called by one, did to the process's logging."""
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
