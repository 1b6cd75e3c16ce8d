"""Frames and findings for tests of the harness: valid by default."""

from loadtest.histogram import Histogram
from loadtest.orders import Progress, Result
from loadtest.recorder import Measure, MeasuredCounts
from loadtest.report import Circumstances, CourseTold
from loadtest.rest import RestCounts
from loadtest.timeline import Moment, ProcessUse
from protocol.events import MessageSent
from protocol.server_frames import EventFrame
from protocol.views import ChatMessage, Person

ROOM = "rom_01JD0000000000000000000000"
TOPIC = f"room:{ROOM}"


def message_id(number):
    return f"msg_{number:026d}"


def a_message(seq, *, identity=None):
    return ChatMessage(
        id=identity or message_id(seq),
        room=ROOM,
        seq=seq,
        version=1,
        author=Person(id="usr_01JD0000000000000000000000", name="Ada"),
        text="Hello",
        sent_at_ms=0,
    )


def a_sighting(offset, *, seq=None, identity=None, event=None):
    """Return the event of message `seq` at `offset`, by default of the same number."""
    message = a_message(seq or offset, identity=identity)
    return EventFrame(
        topic=TOPIC,
        offset=offset,
        id=event or f"evt_{offset:026d}",
        at_ms=0,
        body=MessageSent(message=message),
    )


def a_result(model, *, users_ready=1, seconds=0.010, durations=100, failures=None):
    """Return what a worker reports, with the same duration everywhere."""
    histogram = Histogram()
    for _ in range(durations):
        histogram.record(seconds)
    measured = MeasuredCounts(
        whole=histogram.counts(), series={0: histogram.counts(), 1: histogram.counts()}
    )
    return Result(
        progress=a_progress(ready=users_ready),
        measured=dict.fromkeys(Measure, measured),
        findings=model.finish(model.heads()),
        rest=RestCounts(requests={"GET /v1/products": 1000}, failures=failures or {}),
        cpu_seconds=1.5,
    )


def a_progress(**changes):
    given = {
        "connected": 1,
        "ready": 1,
        "commands_given": 4,
        "commands_committed": 3,
        "events_seen": 10,
        "signals_seen": 5,
        "messages_committed": 3,
        "requests": 2,
        "closes": {},
        "violations": 0,
        "connect_failures": 0,
        "disconnects": 0,
        "refused": 0,
        "recent_p95_seconds": dict.fromkeys(Measure, 0.02),
    }
    return Progress(**(given | changes))


def some_circumstances(**changes):
    given = {
        "web_url": "http://localhost:8300",
        "socket_url": "ws://localhost:8301/ws",
        "users": 1,
        "seconds": 5,
        "processes": 1,
        "rooms": 3,
        "seed": 7,
        "wire_format": "json",
        "started_at": "2026-11-23 12:00:00 UTC",
        "machine": "2 CPUs",
    }
    return Circumstances(**(given | changes))


def a_moment(second, *, sizes=None, pid=7, commands=0):
    """Return a moment of a steady run: ten events, five signals and one message a second."""
    processes = {
        name: ProcessUse(
            pid=pid, private_bytes=size, resident_bytes=2 * size, cpu_seconds=second * 0.25
        )
        for name, size in (sizes or {}).items()
    }
    return Moment(
        second=second,
        connected=1,
        events_seen=10 * second,
        signals_seen=5 * second,
        commands_committed=commands,
        messages_committed=second,
        requests=2 * second,
        busy_seconds=1.5 * second,
        processes=processes,
    )


def a_course(**changes):
    given = {
        "seconds_per_point": 1,
        "moments": [a_moment(second, sizes={"worker": 10**8}) for second in range(6)],
        "busy_from": 0.0,
        "busy_until": 5.0,
    }
    return CourseTold(**(given | changes))
