"""Micro benchmarks: what one thing costs, without a shop."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from loadtest.bench_client import measure_lean_client, measure_trio_websocket
from loadtest.bench_samples import a_message_event
from loadtest.histogram import Histogram
from loadtest.model import ReferenceModel
from loadtest.wire import TEXT, FrameReader, build_frame
from protocol.codec import decode_server_frame, encode_frame
from protocol.topics import Position
from protocol.version import WireFormat

_ROUNDS: Final = 100_000


class BenchmarkResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one operation costs."""

    name: str
    cpu_us: float
    per_second: float


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be measured by itself."""

    meaning: str
    measure: Callable[[], list[BenchmarkResult]]


def run_benchmarks(names: Iterable[str]) -> list[BenchmarkResult]:
    """Measure the named benchmarks, one after the other."""
    return [result for name in names for result in BENCHMARKS[name].measure()]


def print_results(results: list[BenchmarkResult], console: Console) -> None:
    """Print what was measured."""
    table = Table("operation")
    table.add_column("CPU µs", justify="right")
    table.add_column("per second", justify="right")
    for result in results:
        table.add_row(result.name, f"{result.cpu_us:.2f}", f"{result.per_second:,.0f}")
    console.print(table)


def _timed(name: str, work: Callable[[], object], *, rounds: int = _ROUNDS) -> BenchmarkResult:
    began_at = time.process_time()
    for _ in range(rounds):
        work()
    return _result(name, time.process_time() - began_at, rounds)


def _result(name: str, cpu_seconds: float, rounds: int) -> BenchmarkResult:
    return BenchmarkResult(
        name=name, cpu_us=cpu_seconds / rounds * 1e6, per_second=rounds / cpu_seconds
    )


def _codec() -> list[BenchmarkResult]:
    return [*_codec_of("json"), *_codec_of("msgpack")]


def _codec_of(wire_format: WireFormat) -> list[BenchmarkResult]:
    frame = a_message_event(1)
    encoded = encode_frame(frame, wire_format)
    return [
        _timed(f"encode a message, {wire_format}", lambda: encode_frame(frame, wire_format)),
        _timed(
            f"decode a message, {wire_format}", lambda: decode_server_frame(encoded, wire_format)
        ),
    ]


def _wire() -> list[BenchmarkResult]:
    payload = encode_frame(a_message_event(1), "json")
    reader = FrameReader()
    head = bytes((0x81, 126)) + len(payload).to_bytes(2, "big")
    return [
        _timed("build a client frame", lambda: build_frame(TEXT, payload)),
        _timed("read a server frame", lambda: reader.receive(head + payload)),
    ]


def _model() -> list[BenchmarkResult]:
    model = ReferenceModel()
    frames = [a_message_event(number) for number in range(1, _ROUNDS + 1)]
    model.starts(1, frames[0].topic, Position("e", 0))
    coming = iter(frames)
    result = _timed("check one event against the model", lambda: model.sees(1, next(coming)))
    assert model.violation_count == 0
    return [result]


def _histogram() -> list[BenchmarkResult]:
    histogram = Histogram()
    return [_timed("record one duration", lambda: histogram.record(0.0123))]


def _client() -> list[BenchmarkResult]:
    lean, theirs = measure_lean_client(), measure_trio_websocket()
    return [
        _result("receive a message, our client", lean.cpu_seconds, lean.messages),
        _result("receive a message, trio-websocket", theirs.cpu_seconds, theirs.messages),
    ]


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "codec": Benchmark(meaning="encode and decode a frame, both formats", measure=_codec),
    "wire": Benchmark(meaning="build and read WebSocket frames", measure=_wire),
    "model": Benchmark(meaning="check an event against the reference model", measure=_model),
    "histogram": Benchmark(meaning="record a duration", measure=_histogram),
    "client": Benchmark(
        meaning="receive messages on many sockets: our client beside trio-websocket's",
        measure=_client,
    ),
}
