"""One process of the harness: simulates its share of the users and reports to the crew."""

import gc
import random
import secrets
import time
from collections.abc import Callable
from typing import Final

import trio

from loadtest.buying import SaleLedger
from loadtest.clients import ClientOptions
from loadtest.decoding import SharedDecoder
from loadtest.limits import SETTLE_SECONDS_MAX
from loadtest.model import ReferenceModel
from loadtest.orders import (
    AnyMessage,
    Begin,
    Cut,
    Finish,
    Freeze,
    Message,
    Progress,
    Result,
    Rush,
    Settled,
    Start,
    StopWriting,
)
from loadtest.reader import make_reader
from loadtest.recorder import Measure, Now, Recorder
from loadtest.rest import open_shop
from loadtest.simulated_user import SimulatedUser, Tally, World
from loadtest.sockets import SocketAddress, pin
from protocol.ids import RoomId
from protocol.topics import Position, Topic

_LOOK_AGAIN_SECONDS: Final = 0.05
_PROGRESS_SECONDS: Final = 1.0
_YOUNG_OBJECTS_MAX: Final = 20_000
_POPULAR: Final = 1.5

Inbox = trio.MemoryReceiveChannel[AnyMessage]
Outbox = trio.MemorySendChannel[Message]


async def work(start: Start, inbox: Inbox, outbox: Outbox, *, now: Now = time.monotonic) -> None:
    """Simulate the users of `start`, then answer `stop_writing` and `finish` in that order."""
    gc.set_threshold(_YOUNG_OBJECTS_MAX, 20, 50)
    recorder = Recorder(began_at=start.began_at, now=now, seconds_per_point=start.seconds_per_point)
    async with open_shop(start.web_url, recorder=recorder, now=now) as shop:
        world = World(
            run=start.run,
            model=ReferenceModel(),
            recorder=recorder,
            tally=Tally(),
            shop=shop,
            now=now,
            habits=start.habits,
            slugs=start.slugs,
            begun=trio.Event(),
            stopping=trio.Event(),
            reader=make_reader(),
            users=[],
            ledger=None if start.sale is None else SaleLedger(start.sale),
        )
        async with trio.open_nursery() as nursery:
            if world.reader is not None:
                nursery.start_soon(world.reader.run)
            nursery.start_soon(_bring_in, start, world)
            nursery.start_soon(_report_progress, world, outbox)
            await _follow(world, inbox, outbox)
            nursery.cancel_scope.cancel()


async def _bring_in(start: Start, world: World) -> None:
    """Let the users come one after the other, so that connecting is a stream and no stampede."""
    pause_seconds = 1 / start.connects_per_second
    address = await pin(SocketAddress.parse(start.socket_url))
    decoder = SharedDecoder()
    async with trio.open_nursery() as nursery:
        for index, token in enumerate(start.tokens):
            number = start.first_user + index
            dice = random.Random(f"{start.seed} {number}")
            options = ClientOptions(
                address=address,
                device=f"load-{secrets.token_hex(8)}",
                wire_format=start.wire_format,
                origin=start.origin,
                shared=world.reader,
                decode=decoder.decode,
            )
            usual = random.Random(f"the rooms of user {number}")  # the same in every run
            rooms = choose_rooms(start.rooms, start.habits.rooms, usual)
            user = SimulatedUser(
                number, token, world=world, options=options, rooms=rooms, dice=dice
            )
            world.users.append(user)
            nursery.start_soon(user.live)
            await trio.sleep(pause_seconds)


def choose_rooms(rooms: list[RoomId], count: int, dice: random.Random) -> list[RoomId]:
    """Return `count` different rooms; the first is chosen thrice as often as the last.

    So rooms have half as many members as the mean to half as many more: real ones differ by more,
    but one room of thousands would be all that a run measures.
    """
    last = max(1, len(rooms) - 1)
    chosen: dict[RoomId, None] = {}
    while len(chosen) < min(count, len(rooms)):
        place = dice.randrange(len(rooms))
        if dice.random() * _POPULAR <= _POPULAR - place / last:
            chosen[rooms[place]] = None
    return list(chosen)


async def _report_progress(world: World, outbox: Outbox) -> None:
    """Report, and set aside what has lived: the collector would stop all users to look at it."""
    while True:
        await outbox.send(_progress(world))
        gc.freeze()
        await trio.sleep(_PROGRESS_SECONDS)


async def _follow(world: World, inbox: Inbox, outbox: Outbox) -> None:
    model = world.model
    async for message in inbox:
        if isinstance(message, StopWriting):
            world.stopping.set()
            await _wait_for(lambda: not model.commands_outstanding and not model.committed_unseen)
            await outbox.send(Settled(heads=model.heads()))
        elif isinstance(message, Finish):
            await outbox.send(await _result(world, message.heads))
            return
        else:
            await _have_done(world, message)


async def _have_done(world: World, message: AnyMessage) -> None:
    match message:
        case Begin():
            world.begun.set()
        case Cut():
            for user in world.users:
                await user.cut()
        case Rush():
            for user in world.users:
                await user.rush()
        case Freeze(on=on):
            for user in world.users:
                user.freeze(on=on)
        case _:
            raise AssertionError("the crew said what only a worker says")


async def _result(world: World, heads: dict[Topic, Position]) -> Result:
    await _wait_for(lambda: not world.model.behind(heads))
    return Result(
        progress=_progress(world),
        measured=world.recorder.counts(),
        findings=world.model.finish(heads),
        rest=world.shop.counts(),
        cpu_seconds=time.process_time(),
        sale=None if world.ledger is None else world.ledger.counts(),
    )


async def _wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, or the time for settling is over."""
    with trio.move_on_after(SETTLE_SECONDS_MAX):
        while not condition():  # noqa: ASYNC110  what changes it must not pay for an event each time
            await trio.sleep(_LOOK_AGAIN_SECONDS)


def _progress(world: World) -> Progress:
    model, tally, recorder = world.model, world.tally, world.recorder
    recent = {measure: recorder.recent(measure) for measure in Measure}
    return Progress(
        connected=tally.connected,
        ready=tally.ready,
        commands_given=model.commands_given,
        commands_committed=model.commands_committed,
        events_seen=model.events_seen,
        signals_seen=tally.signals_seen,
        messages_committed=tally.messages_committed,
        requests=sum(world.shop.counts().requests.values()),
        violations=model.violation_count,
        connect_failures=tally.connect_failures,
        disconnects=tally.disconnects,
        refused=tally.refused,
        closes=dict(tally.closes),
        recent_p95_seconds={
            measure: histogram.quantile(0.95) if histogram.count else None
            for measure, histogram in recent.items()
        },
        first_trouble=tally.first_trouble,
    )
