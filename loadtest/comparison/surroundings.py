"""On what it was measured."""

import platform
from importlib.metadata import version

import msgspec
import psutil

from loadtest.comparison.cores import choose_cores


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """The machine and the versions that matter."""

    processor: str
    cores_count: int
    memory_gib: int
    system: str
    python: str
    trio: str
    runs: int
    server_core: int
    generator_core: int

    def sentence(self) -> str:
        """Return all of it in words."""
        return (
            f"Medians of {self.runs} runs on {self.cores_count} cores of {self.processor}, "
            f"{self.memory_gib} GiB, {self.system}, Python {self.python}, trio {self.trio}; "
            f"the server on core {self.server_core}, the generator on core {self.generator_core}."
        )


def look_around(*, runs: int) -> Surroundings:
    """Return where we are."""
    cores = choose_cores()
    return Surroundings(
        processor=_processor(),
        cores_count=psutil.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        trio=version("trio"),
        runs=runs,
        server_core=cores.server,
        generator_core=cores.generator,
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as told:  # noqa: PTH123 - not a file of ours
            names = [line.partition(":")[2] for line in told if line.startswith("model name")]
    except OSError:
        return platform.machine()
    return names[0].strip() if names else platform.machine()
