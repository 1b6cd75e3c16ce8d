import random
import resource

import click
import pytest
from click.testing import CliRunner

from loadtest.__main__ import _plan, main
from loadtest.crew import newest_heads
from loadtest.descriptors import TooFewDescriptorsError, raise_limit
from loadtest.orders import Finish, StopWriting, decode_line, encode_line
from loadtest.profiles import PROFILES
from loadtest.worker import choose_rooms
from protocol.topics import Position


@pytest.fixture
def run():
    return lambda *words: CliRunner().invoke(main, words)


class TestTheCommandLine:
    def test_explains_itself(self, run):
        told = run("load", "--help").output

        assert "--users" in told
        assert all(name in told for name in PROFILES)

    @pytest.mark.parametrize(
        "words",
        [
            pytest.param(["--users", "0"], id="no users"),
            pytest.param(["--seconds", "soon"], id="a time that is no number"),
            pytest.param(["--socket-url", "http://localhost"], id="a socket that is none"),
            pytest.param(["--format", "xml"], id="a format nobody speaks"),
            pytest.param(["--profile", "siesta"], id="a profile there is none of"),
            pytest.param(["--watch", "gateway"], id="a process without a pid"),
        ],
    )
    def test_refuses_with_status_2(self, run, words):
        assert run("load", *words).exit_code == 2

    def test_says_what_can_be_measured_by_itself(self, run):
        listed = run("bench", "--list")

        assert listed.exit_code == 0
        assert "trio-websocket" in listed.output

    def test_measures_small_parts_and_our_client_beside_another(self, run):
        measured = run("bench", "codec", "wire", "model", "histogram", "client")

        assert measured.exit_code == 0
        assert "record one duration" in measured.output
        assert "receive a message, trio-websocket" in measured.output

    def test_has_status_2_when_there_is_no_shop(self, run):
        finished = run("load", "--users", "1", "--web-url", "http://127.0.0.1:1")

        assert finished.exit_code == 2
        assert "/v1/sessions/demo" in finished.output


CHOICES = {
    "users": 12_000,
    "profile": "shop",
    "seconds": None,
    "minutes": None,
    "watch": {"worker": 7},
    "web_url": "http://localhost:8300/",
    "socket_url": "ws://localhost:8301/ws",
    "origin": None,
    "seed": None,
    "wire_format": "msgpack",
    "processes": None,
    "connects_per_second": 100.0,
    "messages_per_minute": None,
    "requests_per_minute": None,
    "rooms": 3,
}


class TestAPlan:
    def test_spreads_many_users_over_processes(self):
        assert _plan(CHOICES).processes == 3

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            pytest.param({}, 60, id="neither"),
            pytest.param({"seconds": 7.0}, 7, id="seconds"),
            pytest.param({"minutes": 5.0}, 300, id="minutes"),
        ],
    )
    def test_lasts_as_long_as_was_asked(self, asked, expected):
        assert _plan({**CHOICES, **asked}).seconds == expected

    def test_does_not_take_both_seconds_and_minutes(self):
        with pytest.raises(click.UsageError):
            _plan({**CHOICES, "seconds": 5.0, "minutes": 5.0})

    def test_has_the_habits_of_its_profile_unless_others_were_asked_for(self):
        usual, busier = _plan(CHOICES), _plan({**CHOICES, "messages_per_minute": 60.0})

        assert usual.habits == PROFILES["shop"].habits
        assert busier.habits.messages_per_minute == 60
        assert busier.habits.requests_per_minute == usual.habits.requests_per_minute

    def test_can_be_repeated_by_its_seed(self):
        assert _plan({**CHOICES, "seed": 7}).seed == 7


class TestTheRoomsOfAUser:
    def test_are_different_ones(self):
        rooms = [f"rom_{number:026d}" for number in range(10)]

        chosen = choose_rooms(rooms, 3, random.Random(5))  # noqa: S311  # must be repeatable

        assert len(set(chosen)) == 3

    def test_are_no_more_than_there_are(self):
        assert choose_rooms(["rom_1"], 3, random.Random(5)) == ["rom_1"]  # noqa: S311


class TestTheHeadsOfSeveralWorkers:
    def test_are_the_furthest_that_anybody_saw(self):
        heads = newest_heads([{"room:a": Position("e", 4)}, {"room:a": Position("e", 9)}])

        assert heads == {"room:a": Position("e", 9)}


class TestWhatCrewAndWorkersSay:
    @pytest.mark.parametrize("message", [StopWriting(), Finish(heads={"room:a": Position("e", 4)})])
    def test_fits_on_a_line(self, message):
        line = encode_line(message)

        assert decode_line(line) == message
        assert line.count(b"\n") == 1


class TestFileDescriptors:
    def test_are_raised_when_more_sockets_are_wanted(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, before[1]))
        try:
            assert raise_limit(700) >= 1000
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)

    def test_that_the_system_forbids_are_explained(self):
        more_than_any_system_has = 2**31 - 1_000

        with pytest.raises(TooFewDescriptorsError, match="--processes"):
            raise_limit(more_than_any_system_has)
