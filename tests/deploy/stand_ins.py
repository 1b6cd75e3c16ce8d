"""Stand-ins to supervise, and somebody who writes down what the supervisor says."""

import sys
from pathlib import Path

from deploy.engines.ports import free_port
from deploy.launch import Launch
from deploy.probes import http_probe
from deploy.supervisor.reporter import Reporter
from deploy.supervisor.spec import ProcessSpec
from shared.environment import process_variables

STAND_IN = Path(__file__).with_name("stand_in.py")


class Notebook(Reporter):
    """Keeps what it is told."""

    def __init__(self):
        self.lines = []

    def ready(self, name, where, seconds):
        self.lines.append(("ready", name, where))

    def note(self, name, sentence):
        self.lines.append(("note", name, sentence))

    def trouble(self, name, sentence):
        self.lines.append(("trouble", name, sentence))

    def about(self, kind, name):
        return [line for line in self.lines if line[:2] == (kind, name)]


def stand_in_launch(*words):
    return Launch(
        argv=(sys.executable, str(STAND_IN), *map(str, words)), environment=process_variables()
    )


def a_server(name, *words, **changes):
    """A stand-in that is ready as soon as it listens."""
    port = free_port()
    return ProcessSpec(
        name=name,
        launch=stand_in_launch("serve", port, *words),
        probe=http_probe(port),
        ports={"operator": port},
        **changes,
    )


def a_failure(name, code=1, **changes):
    """A stand-in that ends at once."""
    return ProcessSpec(
        name=name, launch=stand_in_launch("fail", code), probe=lambda: False, **changes
    )
