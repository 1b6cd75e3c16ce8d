"""The whole run: sign everybody in, let the workers simulate, judge and report."""

import math
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import trio

from loadtest.display import Display
from loadtest.orders import Finish, Habits, Progress, Result, Start, StopWriting
from loadtest.people import sign_in_everybody
from loadtest.processes import WorkerProcess
from loadtest.recorder import seconds_per_point
from loadtest.report import Circumstances, Report, machine, moment, write_up
from loadtest.rest import Shop, open_shop
from loadtest.verdict import judge
from protocol.ids import RoomId
from protocol.topics import Position, Topic, room_topic
from protocol.version import WireFormat
from protocol.views import ChatMessage

MEMBERS_PER_ROOM: Final = 20
"""Users per room that the number of rooms aims at."""

ROOMS_MAX: Final = 200
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


class NoRoomsError(Exception):
    """The shop has no products, so there is nowhere to chat."""


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where the users go: rooms to chat in, products to look at."""

    rooms: list[RoomId]
    slugs: list[str]


async def run(plan: Plan, display: Display, stop: trio.Event) -> Report:
    """Carry out a plan; `stop` ends it early, with a report of what there is."""
    async with open_shop(plan.web_url, recorder=None, now=time.monotonic) as shop:
        display.says(f"signing in {plan.users} users")
        tokens = await sign_in_everybody(
            shop, plan.web_url, plan.users, told=lambda done: display.signed_in(done, plan.users)
        )
        places = await find_places(shop, plan)
        started_at = moment()
        workers = _hire(plan, tokens, places)
        async with trio.open_nursery() as nursery:
            for worker in workers:
                await nursery.start(worker.run)
            nursery.start_soon(_show_progress, workers, display)
            await _simulate(plan, workers, display, stop)
            nursery.cancel_scope.cancel()
        results = [worker.result for worker in workers if worker.result is not None]
        display.says("looking up every committed message in the shop's history")
        verdict = judge(
            [result.findings for result in results], await _stored(shop, tokens[0], results)
        )
    display.close()
    circumstances = _circumstances(plan, places, started_at, interrupted=stop.is_set())
    return write_up(
        circumstances, results, verdict, seconds_per_point=seconds_per_point(plan.seconds)
    )


async def find_places(shop: Shop, plan: Plan) -> Places:
    """Choose as many product rooms as the users fill, from the beginning of the catalogue."""
    visits = plan.users * plan.habits.rooms
    wanted = min(max(math.ceil(visits / MEMBERS_PER_ROOM), plan.habits.rooms), ROOMS_MAX)
    slugs: list[str] = []
    rooms: list[RoomId] = []
    page = await shop.products()
    while True:
        for product in page.items:
            slugs.append(product.slug)
            rooms.append(RoomId(f"rom_{product.id[4:]}"))
        if len(rooms) >= wanted or page.next is None:
            break
        page = await shop.products(after=page.next)
    if not rooms:
        raise NoRoomsError("The shop has no products to talk about: run `./rialto seed` first.")
    return Places(rooms=rooms[:wanted], slugs=slugs)


def _hire(plan: Plan, tokens: Sequence[str], places: Places) -> list[WorkerProcess]:
    began_at = time.monotonic()
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
                habits=plan.habits,
                connects_per_second=plan.connects_per_second / plan.processes,
                began_at=began_at,
                seconds_per_point=seconds_per_point(plan.seconds),
            )
        )
        for first in range(0, len(tokens), share)
    ]


async def _simulate(
    plan: Plan, workers: list[WorkerProcess], display: Display, stop: trio.Event
) -> None:
    display.says("users are coming in")
    connecting_seconds = plan.users / plan.connects_per_second + _CONNECTING_SPARE_SECONDS
    await _until(lambda: _decided(workers) >= plan.users, connecting_seconds, stop)
    here = sum(progress.ready for progress in _progresses(workers))
    told = "everybody is here" if here >= plan.users else f"only {here} of {plan.users} are here"
    display.says(told, seconds=plan.seconds)
    await _until(lambda: False, plan.seconds, stop)
    display.says("waiting for the last outcomes")
    for worker in workers:
        await worker.send(StopWriting())
    for worker in workers:
        await worker.has_settled.wait()
    heads = newest_heads([worker.settled.heads for worker in workers if worker.settled])
    for worker in workers:
        await worker.send(Finish(heads=heads))
    for worker in workers:
        await worker.is_done.wait()


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
    with trio.move_on_after(seconds_max):
        while not condition() and not stop.is_set():
            with trio.move_on_after(_LOOK_AGAIN_SECONDS):
                await stop.wait()


async def _show_progress(workers: Sequence[WorkerProcess], display: Display) -> None:
    while True:
        display.progress(_progresses(workers))
        await trio.sleep(1)


async def _stored(
    shop: Shop, token: str, results: Sequence[Result]
) -> dict[Topic, dict[int, ChatMessage]]:
    """Return the history of every room with a committed message, from the first of them on."""
    first_seqs: dict[Topic, int] = {}
    for result in results:
        for topic, found in result.findings.topics.items():
            if found.committed:
                first = min(found.committed)
                first_seqs[topic] = min(first, first_seqs.get(topic, first))
    stored: dict[Topic, dict[int, ChatMessage]] = {}
    for topic, first in first_seqs.items():
        room = RoomId(topic.partition(":")[2])
        assert room_topic(room) == topic
        history = await shop.history(room, token=token, after=first - 1)
        stored[topic] = {message.seq: message for message in history}
    return stored


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
        interrupted=interrupted,
    )
