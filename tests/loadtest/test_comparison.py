import base64
import hashlib
import socket
import threading

import msgspec
import pytest
from click.testing import CliRunner

from loadtest.__main__ import main
from loadtest.comparison.command import BenchReport, read_plan
from loadtest.comparison.dialects import Guest, PlainDialect
from loadtest.comparison.drawing import to_svg
from loadtest.comparison.messages import a_message, number_of
from loadtest.comparison.results import Comparison, Metric, Promise, Run, judge, standing
from loadtest.comparison.servers import LOCALHOST, Server, ServerDiedError, free_port, python_argv
from loadtest.comparison.swarm import Swarm, SwarmError, Track
from loadtest.wire import CLOSE, TEXT
from protocol.topics import Topic

SPEED = Metric(name="speed", unit="/s", meaning="how fast")
DELAY = Metric(name="p99", unit="ms", meaning="how late", better="less", digits=1)
METRICS = {metric.name: metric for metric in (SPEED, DELAY)}


def a_standing(contender, *speeds, p99=1.0):
    return standing(contender, [Run(values={"speed": speed, "p99": p99}) for speed in speeds])


def server_frame(payload, opcode=TEXT):
    return bytes((0x80 | opcode, len(payload))) + payload


class TestResults:
    def test_are_medians_and_keep_every_run(self):
        measured = a_standing("ws", 10, 1000, 30)

        assert measured.medians["speed"] == 30
        assert len(measured.runs) == 3

    def test_are_judged_beside_a_peer(self):
        standings = [a_standing("rialto", 150), a_standing("ws", 100)]

        held, missed = judge(
            [
                Promise(metric="speed", at_least=1.4, peer="ws"),
                Promise(metric="speed", at_least=1.6, peer="ws"),
            ],
            METRICS,
            standings,
        )

        assert (held.held, missed.held) == (True, False)
        assert held.promised == "speed ≥ 1.4 x ws"
        assert held.measured == "1.50 x (150 /s)"

    def test_are_judged_beside_each_peer(self):
        standings = [
            a_standing("rialto", 1, p99=5.0),
            a_standing("ws", 1, p99=4.0),
            a_standing("socket.io", 1, p99=40.0),
        ]

        judged = judge([Promise(metric="p99", at_most=1.0, peer="all")], METRICS, standings)

        assert [one.held for one in judged] == [False, True]

    def test_are_judged_by_themselves(self):
        [judged] = judge([Promise(metric="p99", at_most=2)], METRICS, [a_standing("rialto", 1)])

        assert judged.held

    def test_say_when_the_peer_was_not_measured(self):
        [judged] = judge(
            [Promise(metric="speed", at_least=1, peer="ws")], METRICS, [a_standing("rialto", 1)]
        )

        assert judged.held is None

    def test_keep_what_may_make_a_run_worthless(self):
        runs = [Run(values={"speed": 1}), Run(values={"speed": 2}, flags=["too slow"])]

        assert standing("ws", runs).flags == ["too slow"]

    def test_can_be_drawn(self):
        standings = [a_standing("rialto", 150), a_standing("<ws>", 100)]
        picture = to_svg(
            [
                Comparison(
                    benchmark="b",
                    meaning="m",
                    metrics=[SPEED],
                    standings=standings,
                    judgements=[],
                )
            ]
        )

        assert "&lt;ws&gt;" in picture
        assert picture.count('class="rialto"') == 1


class ScriptedServer:
    """Upgrades one socket and sends what a test asks for."""

    def __init__(self):
        self._listener = socket.create_server((LOCALHOST, 0))
        self.port = self._listener.getsockname()[1]
        self._connected = None
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        self._connected, _ = self._listener.accept()
        request = self._connected.recv(4096)
        [key] = [line for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key")]
        salted = key.partition(b": ")[2] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(salted).digest())  # noqa: S324
        self._connected.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            b"" + server_frame(b'{"type":"welcome"}')
        )

    def send(self, data):
        self._thread.join()
        self._connected.sendall(data)

    def close(self):
        self._listener.close()
        if self._connected is not None:
            self._connected.close()


@pytest.fixture
def scripted():
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def swarm(scripted):
    swarm = Swarm(scripted.port, PlainDialect())
    yield swarm
    swarm.close()


@pytest.fixture
def track(swarm):
    track = Track()
    swarm.gather([Guest(number=8, ticket="t", topics=(Topic("room"),))], lambda _guest: track)
    return track


def told(number):
    return server_frame(b'{"text":"#%08d"}' % number)


def hear(swarm, track, count):
    for _ in range(500):
        if track.delivered >= count:
            return
        swarm.step(0.05)


class TestTheSwarm:
    def test_counts_what_comes_in_order(self, scripted, swarm, track):
        scripted.send(told(1) + told(2) + told(3))
        hear(swarm, track, 3)

        assert track.delivered == 3
        assert track.violations == []

    def test_puts_frames_together_that_come_in_pieces(self, scripted, swarm, track):
        both = told(1) + told(2)
        scripted.send(both[:7])
        swarm.step(0.2)
        scripted.send(both[7:])
        hear(swarm, track, 2)

        assert track.delivered == 2
        assert track.violations == []

    @pytest.mark.parametrize(
        "numbers",
        [
            pytest.param((1, 3), id="a hole"),
            pytest.param((1, 1), id="one twice"),
            pytest.param((2, 1), id="another order"),
        ],
    )
    def test_notices(self, scripted, swarm, track, numbers):
        scripted.send(b"".join(map(told, numbers)))
        for _ in range(100):
            if track.violations:
                break
            swarm.step(0.05)

        assert track.violations != []

    def test_notices_a_message_that_another_socket_heard_differently(self, scripted, swarm, track):
        track.frames.append(server_frame(b'{"text":"#00000001?"}'))
        scripted.send(told(1))
        hear(swarm, track, 1)

        assert "another message" in track.violations[0]

    def test_records_how_late_a_message_is(self, scripted, swarm, track):
        track.sent_at.append(swarm.now)
        scripted.send(told(1))
        hear(swarm, track, 1)

        assert track.delays.count == 1

    def test_fails_when_the_server_says_goodbye(self, scripted, swarm, track):
        scripted.send(server_frame(b"\x0f\xa0", CLOSE))
        with pytest.raises(SwarmError, match="closed"):
            hear(swarm, track, 1)


class TestMessages:
    def test_carry_their_number(self):
        assert number_of(msgspec.json.encode(a_message(42))) == 42

    def test_are_told_from_everything_else(self):
        assert number_of(b'{"type":"signal"}') == 0


class TestServers:
    def test_that_end_at_once_are_reported_with_what_they_said(self):
        server = Server(
            python_argv("loadtest", "no-such-command"), variables={}, port=free_port(), core=0
        )
        with pytest.raises(ServerDiedError, match="no-such-command"), server:
            pass


class TestTheCommand:
    def test_refuses_a_peer_nobody_knows(self):
        refused = CliRunner().invoke(main, ["bench", "fan-out", "--peers", "nobody"])

        assert refused.exit_code == 2
        assert "nobody" in refused.output

    def test_takes_none_for_no_peers(self):
        options = {"runs": 1, "sockets": None, "seconds": None, "report": None, "peers": "none"}

        assert read_plan(options).peers == ()

    def test_lists_the_comparisons(self):
        assert "3 000 sockets" in CliRunner().invoke(main, ["bench", "--list"]).output

    def test_measures_the_gateway_alone(self, tmp_path):
        words = ["--sockets", "20", "--seconds", "0.5", "--runs", "1", "--peers", "none"]
        measured = CliRunner().invoke(
            main, ["bench", "fan-out", "pressure", *words, "--report", str(tmp_path)]
        )

        assert measured.exception is None or isinstance(measured.exception, SystemExit)
        report = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=BenchReport)
        fan_out, pressure = report.comparisons
        assert fan_out.standings[0].medians["per core"] > 0
        assert pressure.standings[0].medians["delivered"] == 100
        assert pressure.standings[0].medians["out of order"] == 0
        assert "rialto" in (tmp_path / "report.svg").read_text()
        assert "fan-out" in (tmp_path / "report.md").read_text()
