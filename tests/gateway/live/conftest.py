"""Real sockets and a real Valkey, on the real clock."""

import functools

import pytest
import trio

from gateway.server import serve
from gateway.settings import (
    GatewaySettings,
    ListenerSettings,
    OperatorSettings,
    StreamsSettings,
    TicketSettings,
)
from gateway.streams.opening import make_streams
from shared.clock import SystemClock
from tests.gateway.live.client import connected
from tests.gateway.live.publisher import Publisher


class Worker:
    """A gateway that runs in this process."""

    def __init__(self, settings):
        self.settings = settings
        self.stop = trio.Event()
        self.listening = None

    @property
    def port(self):
        return self.listening.port

    async def run(self, *, task_status):
        serving = functools.partial(serve, self.settings, clock=SystemClock(), stop=self.stop)
        async with trio.open_nursery() as nursery:
            self.listening = await nursery.start(serving)
            task_status.started()

    def connect(self, wire_format="json", **options):
        return connected(self.port, wire_format, **options)


def worker_settings(redis_url, **listener):
    return GatewaySettings(
        listener=ListenerSettings(**{"port": 0} | listener),
        operator=OperatorSettings(port=0),
        tickets=TicketSettings(),
        streams=StreamsSettings(redis_url=redis_url),
    )


@pytest.fixture
async def start_worker_on(nursery):
    """Starts gateways on any Redis."""

    async def start(url, **listener):
        worker = Worker(worker_settings(url, **listener))
        await nursery.start(worker.run)
        return worker

    return start


@pytest.fixture
async def start_worker(redis_url, start_worker_on):
    """Starts gateways on the test's own Redis."""

    async def start(url=redis_url, **listener):
        return await start_worker_on(url, **listener)

    return start


@pytest.fixture
async def worker(start_worker):
    """A gateway that is up."""
    return await start_worker()


@pytest.fixture
async def redis(redis_url, nursery):
    """What others do to Redis."""
    link, _ = make_streams(redis_url, name="test")
    await nursery.start(link.run)
    return link


@pytest.fixture
async def commerce(redis):
    """Commerce's side of Redis; the rights are known."""
    publisher = Publisher(redis)
    await publisher.finish_projection()
    return publisher
