"""The whole run: sign everybody in, let the workers simulate, judge and report."""

import itertools
import math
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import trio

from loadtest.display import Display
from loadtest.history import stored_messages
from loadtest.orders import (
    Begin,
    Cut,
    Finish,
    Freeze,
    Habits,
    Message,
    Progress,
    Result,
    Rush,
    Start,
    StopWriting,
)
from loadtest.people import sign_in_everybody
from loadtest.processes import WorkerProcess
from loadtest.profiles import PROFILES, Profile
from loadtest.recorder import seconds_per_point
from loadtest.report import Circumstances, CourseTold, Report, machine, moment, write_up
from loadtest.rest import Shop, open_shop
from loadtest.sale import Sale, choose_sale, give_back, judge_sale, stock_left
from loadtest.timeline import Moment
from loadtest.verdict import judge
from loadtest.violations import Kind, Violation
from loadtest.watching import look_at, machine_busy_seconds
from protocol.ids import RoomId
from protocol.topics import Position, Topic
from protocol.version import WireFormat

ROOMS_MAX: Final = 5_000
FREEZE_SECONDS: Final = 20.0
"""How long slow users do not read: long enough to fill what is kept for them, and shorter than
the time after which a client that heard nothing takes its connection for dead."""

_CONNECTING_SPARE_SECONDS: Final = 30
_LOOK_AGAIN_SECONDS: Final = 0.2


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate, and against which shop."""

    web_url: str
    socket_url: str
    users: int
    seconds: float
    processes: int
    seed: int
    wire_format: WireFormat
    origin: str | None
    connects_per_second: float
    habits: Habits
    profile: str = "shop"
    watched: dict[str, int] = {}

    @property
    def kind(self) -> Profile:
        """The profile by its name."""
        return PROFILES[self.profile]


class NoRoomsError(Exception):
    """The shop has no products, so there is nowhere to chat."""


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where the users go: rooms to chat in, products to look at."""

    rooms: list[RoomId]
    slugs: list[str]
    sale: Sale | None = None


class Course:
    """What happened when, in seconds since the run began."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.began_at = time.monotonic()
        self.seconds_per_point = seconds_per_point(plan.seconds)
        self.moments: list[Moment] = []
        self.busy_from = math.inf
        self.busy_until = math.inf
        self.disturbed_at: list[float] = []

    def now(self) -> float:
        """Return how many seconds the run has lasted."""
        return time.monotonic() - self.began_at


async def run(plan: Plan, display: Display, stop: trio.Event) -> Report:
    """Carry out a plan; `stop` ends it early, with a report of what there is."""
    async with open_shop(plan.web_url, recorder=None, now=time.monotonic) as shop:
        display.says(f"signing in {plan.users} users")
        tokens = await sign_in_everybody(
            shop, plan.web_url, plan.users, told=lambda done: display.signed_in(done, plan.users)
        )
        places = await find_places(shop, plan)
        started_at = moment()
        course = Course(plan)
        workers = _hire(course, tokens, places)
        async with trio.open_nursery() as nursery:
            for worker in workers:
                await nursery.start(worker.run)
            nursery.start_soon(_keep_timeline, workers, course)
            nursery.start_soon(_show_progress, workers, display)
            await _simulate(workers, course, display, stop)
            nursery.cancel_scope.cancel()
        results = [worker.result for worker in workers if worker.result is not None]
        display.says("looking up every committed message in the shop's history")
        stored = await stored_messages(shop, tokens[0], results)
        sold = await _judge_sale(shop, places.sale, tokens, results)
        verdict = judge([result.findings for result in results], stored, sold)
    display.close()
    circumstances = _circumstances(plan, places, started_at, interrupted=stop.is_set())
    return write_up(circumstances, results, verdict, course=_course_told(course))


def _course_told(course: Course) -> CourseTold:
    return CourseTold(
        seconds_per_point=course.seconds_per_point,
        moments=course.moments,
        busy_from=min(course.busy_from, course.now()),
        busy_until=min(course.busy_until, course.now()),
        disturbed_at=course.disturbed_at,
    )


async def find_places(shop: Shop, plan: Plan) -> Places:
    """Choose as many product rooms as the users fill, from the beginning of the catalogue."""
    visits = plan.users * plan.habits.rooms
    members = plan.kind.members_per_room
    wanted = min(max(math.ceil(visits / members), plan.habits.rooms), ROOMS_MAX)
    slugs: list[str] = []
    limited: list[str] = []
    rooms: list[RoomId] = []
    page = await shop.products()
    while True:
        for product in page.items:
            slugs.append(product.slug)
            if product.stock:
                limited.append(product.slug)
            rooms.append(RoomId(f"rom_{product.id[4:]}"))
        if len(rooms) >= wanted or page.next is None:
            break
        page = await shop.products(after=page.next)
    if not rooms:
        raise NoRoomsError("The shop has no products to talk about: run `./rialto seed` first.")
    sale = None
    if plan.kind.disturbance == "rush":
        sale = await choose_sale(shop, limited, plan.users)
    return Places(rooms=rooms[:wanted], slugs=slugs, sale=sale)


async def _judge_sale(
    shop: Shop, sale: Sale | None, tokens: Sequence[str], results: Sequence[Result]
) -> list[Violation]:
    """Compare orders with stock, then have the orders canceled, and the stock back."""
    if sale is None:
        return []
    parts = [result.sale for result in results if result.sale is not None]
    found = judge_sale(sale, parts, left=await stock_left(shop, sale))
    await give_back(shop, tokens, parts)
    left = await stock_left(shop, sale)
    if not found and left != sale.stock:
        told = f"{sale.stock} before the sale, {left} after all orders were canceled"
        found.append(Violation(kind=Kind.OVERSOLD, told=told))
    return found


def _hire(course: Course, tokens: Sequence[str], places: Places) -> list[WorkerProcess]:
    plan = course.plan
    run_name = f"ld{secrets.token_hex(4)}"
    share = math.ceil(len(tokens) / plan.processes)
    return [
        WorkerProcess(
            Start(
                run=run_name,
                web_url=plan.web_url,
                socket_url=plan.socket_url,
                origin=plan.origin,
                wire_format=plan.wire_format,
                seed=plan.seed,
                first_user=first,
                tokens=list(tokens[first : first + share]),
                rooms=places.rooms,
                slugs=places.slugs,
                sale=places.sale,
                habits=plan.habits,
                connects_per_second=plan.connects_per_second / plan.processes,
                began_at=course.began_at,
                seconds_per_point=course.seconds_per_point,
            )
        )
        for first in range(0, len(tokens), share)
    ]


async def _simulate(
    workers: list[WorkerProcess], course: Course, display: Display, stop: trio.Event
) -> None:
    plan = course.plan
    display.says("users are coming in")
    connecting_seconds = plan.users / plan.connects_per_second + _CONNECTING_SPARE_SECONDS
    await _until(lambda: _decided(workers) >= plan.users, connecting_seconds, stop)
    here = sum(progress.ready for progress in _progresses(workers))
    told = "everybody is here" if here >= plan.users else f"only {here} of {plan.users} are here"
    display.says(told, seconds=plan.seconds)
    course.busy_from = course.now()
    await _tell(workers, Begin())
    await _be_busy(workers, course, stop)
    course.busy_until = course.now()
    display.says("waiting for the last outcomes")
    await _tell(workers, StopWriting())
    for worker in workers:
        await worker.has_settled.wait()
    heads = newest_heads([worker.settled.heads for worker in workers if worker.settled])
    await _tell(workers, Finish(heads=heads))
    for worker in workers:
        await worker.is_done.wait()


async def _be_busy(workers: Sequence[WorkerProcess], course: Course, stop: trio.Event) -> None:
    """Let the users act for their time, with the profile's disturbance in the middle of it."""
    plan = course.plan
    ends_at = time.monotonic() + plan.seconds
    disturbance = plan.kind.disturbance
    if disturbance != "none":
        await _until(lambda: False, plan.seconds / 3, stop)
        course.disturbed_at.append(course.now())
    if disturbance == "cut":
        await _tell(workers, Cut())
    if disturbance == "rush":
        await _tell(workers, Rush())
    if disturbance == "freeze":
        await _tell(workers, Freeze(on=True))
        await _until(lambda: False, min(FREEZE_SECONDS, plan.seconds / 3), stop)
        await _tell(workers, Freeze(on=False))
        course.disturbed_at.append(course.now())
    await _until(lambda: False, ends_at - time.monotonic(), stop)


async def _tell(workers: Sequence[WorkerProcess], message: Message) -> None:
    for worker in workers:
        await worker.send(message)


def newest_heads(parts: Sequence[dict[Topic, Position]]) -> dict[Topic, Position]:
    """Return the furthest position anybody has seen of each topic."""
    heads: dict[Topic, Position] = {}
    for part in parts:
        for topic, position in part.items():
            known = heads.setdefault(topic, position)
            if position.epoch == known.epoch and position.offset > known.offset:
                heads[topic] = position
    return heads


def _decided(workers: Sequence[WorkerProcess]) -> int:
    """Return how many users are in, or will never be."""
    return sum(progress.ready + progress.refused for progress in _progresses(workers))


def _progresses(workers: Sequence[WorkerProcess]) -> list[Progress]:
    return [worker.progress for worker in workers if worker.progress is not None]


async def _until(condition: Callable[[], bool], seconds_max: float, stop: trio.Event) -> None:
    with trio.move_on_after(max(0, seconds_max)):
        while not condition() and not stop.is_set():
            with trio.move_on_after(_LOOK_AGAIN_SECONDS):
                await stop.wait()


async def _show_progress(workers: Sequence[WorkerProcess], display: Display) -> None:
    while True:
        display.progress(_progresses(workers))
        await trio.sleep(1)


async def _keep_timeline(workers: Sequence[WorkerProcess], course: Course) -> None:
    own = {f"load-{number}": worker.pid for number, worker in enumerate(workers, start=1)}
    watched = course.plan.watched | own | {"load-crew": os.getpid()}
    for number in itertools.count():
        due_at = course.began_at + number * course.seconds_per_point
        await trio.sleep(max(0.0, due_at - time.monotonic()))
        course.moments.append(_moment(_progresses(workers), watched, course.now()))


def _moment(parts: Sequence[Progress], watched: Mapping[str, int], second: float) -> Moment:
    return Moment(
        second=round(second, 3),
        connected=sum(part.connected for part in parts),
        events_seen=sum(part.events_seen for part in parts),
        signals_seen=sum(part.signals_seen for part in parts),
        commands_committed=sum(part.commands_committed for part in parts),
        messages_committed=sum(part.messages_committed for part in parts),
        requests=sum(part.requests for part in parts),
        busy_seconds=machine_busy_seconds(),
        processes=look_at(watched, alone=frozenset({"load-crew"})),
    )


def _circumstances(
    plan: Plan, places: Places, started_at: str, *, interrupted: bool
) -> Circumstances:
    return Circumstances(
        web_url=plan.web_url,
        socket_url=plan.socket_url,
        users=plan.users,
        seconds=plan.seconds,
        processes=plan.processes,
        rooms=len(places.rooms),
        seed=plan.seed,
        wire_format=plan.wire_format,
        started_at=started_at,
        machine=machine(),
        profile=plan.profile,
        interrupted=interrupted,
    )
