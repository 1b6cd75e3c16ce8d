"""The load harness against a whole shop, as its user starts it."""

import os
import signal
import subprocess

import msgspec
import pytest

from deploy.paths import ROOT, python_argv, python_environment
from loadtest.report import Report
from shared.environment import process_variables

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


FEW_WORDS = ("--messages-per-minute", "20")


def start_load(shop, folder, *choices):
    words = ["--users", "20", "--messages-per-minute", "60", "--report", str(folder)]
    urls = ["--web-url", shop.web_url, "--socket-url", shop.socket_url]
    return subprocess.Popen(
        python_argv("loadtest", "load", *words, *urls, *choices),
        env=python_environment({**process_variables(), "HOME": str(folder)}),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def read_report(folder):
    return msgspec.json.decode((folder / "report.json").read_bytes(), type=Report)


class TestALoadRun:
    @pytest.mark.parametrize(
        "choices",
        [
            pytest.param(["--format", "json"], id="json"),
            pytest.param(["--format", "msgpack", "--processes", "2"], id="msgpack, two processes"),
        ],
    )
    def test_of_twenty_users_finds_nothing_wrong(self, shop, tmp_path, choices):
        watch = ["--watch", f"this test={os.getpid()}"]
        with start_load(shop, tmp_path, "--seconds", "5", *watch, *choices) as process:
            told, _ = process.communicate(timeout=100)

        report = read_report(tmp_path)
        assert report.verdict.violations.told == [], told
        assert report.users_ready == 20
        assert report.verdict.commands_committed == report.verdict.commands_given > 50
        assert report.measures["chat.seen"].count > 0
        assert process.returncode == (0 if report.passed else 1)
        assert "<svg" in (tmp_path / "report.html").read_text()
        moments = report.course.moments
        assert all(moment.processes["this test"].private_bytes > 0 for moment in moments)
        assert any("load-1" in moment.processes for moment in moments)

    @pytest.mark.parametrize("profile", ["flash-sale", "stampede", "slow"])
    def test_of_a_hard_profile_finds_nothing_wrong_either(self, shop, tmp_path, profile):
        # The product that most, but not all, of so many can buy has a stock of 12.
        with start_load(
            shop, tmp_path, "--seconds", "4", "--profile", profile, *FEW_WORDS
        ) as process:
            told, _ = process.communicate(timeout=100)

        report = read_report(tmp_path)
        assert report.verdict.violations.told == [], told
        assert report.users_ready == 20
        assert report.course.disturbed_at
        if profile == "stampede":
            assert report.disconnects == 20
            assert report.measures["resumed"].count >= 20
        if profile == "flash-sale":
            assert report.measures["ordered"].count == 20

    def test_that_is_interrupted_still_reports(self, shop, tmp_path):
        with start_load(shop, tmp_path, "--seconds", "600") as process:
            next(line for line in process.stdout if line.startswith("everybody is here"))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)

        report = read_report(tmp_path)
        assert report.circumstances.interrupted
        assert report.verdict.perfect
        assert process.returncode == 130
