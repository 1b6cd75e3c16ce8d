"""What two looks at the processes of a shop say together, and how it is shown."""

import io

import msgspec
import pytest

from deploy.cli.output import console
from deploy.cli.top_view import render
from deploy.operations.client import Operators
from deploy.operations.overview import Look, overview
from deploy.operations.reading import Reading
from deploy.supervisor.state import ProcessState, ProcessStatus, ShopStatus

SLOW = {
    "id": "con_1",
    "user": "usr_1",
    "name": "[bold]Ada",
    "address": "192.0.2.1",
    "waiting_seconds": 3.0,
    "waiting_bytes": 2048,
    "open_seconds": 60.0,
}


def process(name, **ports):
    return ProcessStatus(
        name=name,
        pid=1,
        state=ProcessState.READY,
        restarts=0,
        ports={"operator": 1, **ports},
        started_at=None,
    )


STATUS = ShopStatus(
    running=True,
    url="http://localhost:8300",
    socket_url=None,
    data="/",
    profile="dev",
    supervisor_pid=1,
    processes=[
        process("worker"),
        process("web", web=8300),
        process("gateway-1", gateway=8301),
        process("gateway-2", gateway=8301),
    ],
)


def gateway(connections, deliveries):
    return Reading(
        f"rialto_gateway_connections {connections}\n"
        f"rialto_gateway_deliveries_total {deliveries}\n"
        'rialto_gateway_closes_total{code="4008"} 2\n'
    )


def top(listeners, offset, *, slowest=()):
    row = {"topic": "room:rom_1", "listeners": listeners, "offset": offset, "waiting_bytes": 0}
    return {"topics": [row], "slowest": list(slowest)}


@pytest.fixture
def shown():
    worker = Reading("rialto_outbox_lag_seconds 1.5\n")
    earlier = Look(
        at=10.0,
        status=STATUS,
        readings={"gateway-1": gateway(3, 100), "worker": worker, "web": worker},
        tops={"gateway-1": top(2, 5)},
        silent={},
    )
    now = Look(
        at=12.0,
        status=STATUS,
        readings={
            "gateway-1": gateway(4, 300),
            "gateway-2": gateway(1, 0),
            "worker": worker,
            "web": worker,
        },
        tops={"gateway-1": top(2, 9), "gateway-2": top(1, 8, slowest=[SLOW])},
        silent={"gateway-3": "port 1 does not answer"},
    )
    return overview(earlier, now)


class TestAnOverview:
    def test_has_a_row_for_each_process(self, shown):
        assert [(row.name, row.connections, row.deliveries_rate) for row in shown.gateways] == [
            ("gateway-1", 4, 100.0),
            ("gateway-2", 1, 0.0),
        ]
        assert [(row.name, row.outbox_lag_seconds) for row in shown.commerce] == [
            ("worker", 1.5),
            ("web", None),
        ]

    def test_adds_up_what_the_workers_say_of_a_topic(self, shown):
        (topic,) = shown.topics
        assert (topic["listeners"], topic["offset"], topic["events_rate"]) == (3, 9, 2.0)

    def test_names_who_is_slow_and_who_is_silent(self, shown):
        assert [(row["id"], row["gateway"]) for row in shown.slowest] == [("con_1", "gateway-2")]
        assert shown.silent == {"gateway-3": "port 1 does not answer"}
        assert shown.closes == {"4008": 4}

    def test_can_be_written_as_json(self, shown):
        assert msgspec.json.decode(msgspec.json.encode(shown))["gateways"][0]["connections"] == 4

    def test_is_shown_with_names_as_they_are(self, shown):
        paper = io.StringIO()
        console(paper).print(render(shown))

        said = paper.getvalue()
        assert "[bold]Ada" in said
        assert "1,500.0 ms" in said
        assert "gateway-3: port 1 does not answer" in said


class TestOperators:
    def test_ask_only_those_that_listen(self):
        starting = msgspec.structs.replace(
            process("gateway-3", gateway=1), state=ProcessState.STARTING
        )
        status = msgspec.structs.replace(STATUS, processes=[*STATUS.processes, starting])

        assert Operators(status, token="x").gateways == ["gateway-1", "gateway-2"]
