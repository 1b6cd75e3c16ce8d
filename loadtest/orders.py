"""What the crew and its worker processes say to one another: one JSON object a line."""

from typing import Final

import msgspec

from loadtest.model import Findings
from loadtest.recorder import Measure, MeasuredCounts
from loadtest.rest import RestCounts
from loadtest.sale import Sale, SaleCounts
from protocol.ids import RoomId
from protocol.topics import Position, Topic
from protocol.version import WireFormat


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How busy one simulated user is; the moments are random (a Poisson process).

    `slow_share` of the users stop reading when they are told to; `long_texts` fill their buffers.
    """

    messages_per_minute: float = 2.0
    reads_per_minute: float = 1.0
    requests_per_minute: float = 2.0
    rooms: int = 3
    long_texts: bool = False
    slow_share: float = 0.0


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Anything the crew and a worker say."""


class Start(Message, frozen=True, kw_only=True, tag="start"):
    """To a worker, first: the users it simulates and where."""

    run: str
    web_url: str
    socket_url: str
    origin: str | None
    wire_format: WireFormat
    seed: int
    first_user: int
    tokens: list[str]
    rooms: list[RoomId]
    slugs: list[str]
    habits: Habits
    connects_per_second: float
    began_at: float
    seconds_per_point: int
    sale: Sale | None = None


class StopWriting(Message, frozen=True, kw_only=True, tag="stop_writing"):
    """To a worker: no new commands; answer with `settled` once every outcome is known."""


class Begin(Message, frozen=True, kw_only=True, tag="begin"):
    """To a worker: everybody is here, so they may act by their habits."""


class Cut(Message, frozen=True, kw_only=True, tag="cut"):
    """To a worker: lose every connection at once."""


class Freeze(Message, frozen=True, kw_only=True, tag="freeze"):
    """To a worker: the slow users stop reading (`on`), or go on."""

    on: bool


class Rush(Message, frozen=True, kw_only=True, tag="rush"):
    """To a worker: everybody orders now what is in the cart."""


class Finish(Message, frozen=True, kw_only=True, tag="finish"):
    """To a worker: wait until everybody has seen everything up to `heads`, then report."""

    heads: dict[Topic, Position]


class Progress(Message, frozen=True, kw_only=True, tag="progress"):
    """From a worker, every second: how it goes."""

    connected: int
    ready: int
    commands_given: int
    commands_committed: int
    events_seen: int
    signals_seen: int
    messages_committed: int
    requests: int
    violations: int
    connect_failures: int
    disconnects: int
    refused: int
    closes: dict[int, int]
    recent_p95_seconds: dict[Measure, float | None]
    first_trouble: str = ""


class Settled(Message, frozen=True, kw_only=True, tag="settled"):
    """From a worker: nothing it gave is without an outcome, or the time for it is over."""

    heads: dict[Topic, Position]


class Result(Message, frozen=True, kw_only=True, tag="result"):
    """From a worker, last: everything it measured and found."""

    progress: Progress
    measured: dict[Measure, MeasuredCounts]
    findings: Findings
    rest: RestCounts
    cpu_seconds: float
    sale: SaleCounts | None = None


AnyMessage = (
    Start | Begin | Cut | Freeze | Rush | StopWriting | Finish | Progress | Settled | Result
)

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[AnyMessage]] = msgspec.json.Decoder(AnyMessage)


def encode_line(message: Message) -> bytes:
    """Return a message as one line."""
    return _encoder.encode(message) + b"\n"


def decode_line(line: bytes) -> AnyMessage:
    """Return the message in a line."""
    return _decoder.decode(line)
