"""One simulated user: chats in a few rooms, types, reads, and looks around the shop."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
import trio
from typing_extensions import override

from loadtest.buying import Basket, SaleLedger
from loadtest.clients import Client, ClientOptions, RefusedError
from loadtest.listening import Listener
from loadtest.model import ReferenceModel
from loadtest.orders import Habits
from loadtest.outstanding import GivenCommand
from loadtest.reader import Reader
from loadtest.recorder import Measure, Now, Recorder
from loadtest.rest import RestError, Shop
from protocol.commands import MarkRead, MessageResult, PlaceOrder, SendMessage
from protocol.events import CommandCommitted, CommandRejected, MessageSent, ProductChanged
from protocol.ids import RoomId
from protocol.server_frames import Error, EventFrame, Gap, SignalFrame, Welcome
from protocol.topics import Position, Topic, room_topic

Act = Callable[[], Awaitable[None]]

_TYPING_SECONDS_MIN: Final = 0.5
_TYPING_SECONDS_MAX: Final = 2.5
_FAVOURITE_SHARE: Final = 0.9
_LONG_TEXT_CHARACTERS: Final = 2_000
_TYPING_SHARE_MAX: Final = 0.25
_SEARCHES: Final = ("light", "sound", "map", "book", "color", "night", "garden", "paper")
_SENTENCES: Final = (
    "Does this work on a tablet too?",
    "Bought it last week, and it is lovely.",
    "Thank you!",
    "Is there a preview of the second part somewhere?",
    "I had the same question, and the answer is in the description, near the end.",
    "Good evening everybody",
    "The new version fixed it for me.",
    "How does it compare with the older one? I still have that and like it a lot.",
)


class Tally(msgspec.Struct, kw_only=True):
    """What the users of one process count together."""

    connected: int = 0
    ready: int = 0
    connect_failures: int = 0
    disconnects: int = 0
    refused: int = 0
    signals_seen: int = 0
    messages_committed: int = 0
    closes: dict[int, int] = {}
    first_trouble: str = ""

    def trouble(self, told: str) -> None:
        """Remember the first thing that went wrong."""
        self.first_trouble = self.first_trouble or told


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What the users of one process share."""

    run: str
    model: ReferenceModel
    recorder: Recorder
    tally: Tally
    shop: Shop
    now: Now
    habits: Habits
    slugs: list[str]
    begun: trio.Event
    stopping: trio.Event
    reader: Reader | None
    users: "list[SimulatedUser]"
    ledger: SaleLedger | None


class SimulatedUser(Listener):
    """Tells the model and the recorder what one client hears and does."""

    def __init__(
        self,
        number: int,
        token: str,
        *,
        world: World,
        options: ClientOptions,
        rooms: list[RoomId],
        dice: random.Random,
    ) -> None:
        self._number = number
        self._token = token
        self._world = world
        self._rooms = rooms
        self._dice = dice
        self._messages_sent = 0
        self._newest_seq: dict[RoomId, int] = {}
        self._marked_seq: dict[RoomId, int] = {}
        self._wrote_in: set[RoomId] = set()
        self._basket = None if world.ledger is None else Basket(world.ledger, world.shop, token)
        self._lost_at: float | None = None
        self._is_cut = False
        slow_share = world.habits.slow_share
        self._is_slow = bool(slow_share) and number % round(1 / slow_share) == 0
        self._client = Client(
            options,
            fetch_ticket=lambda: world.shop.ticket(token),
            listener=self,
            dice=dice,
            now=world.now,
        )

    async def cut(self) -> None:
        """Lose the connection; the client comes back by itself."""
        self._is_cut = True
        await self._client.cut()

    async def rush(self) -> None:
        """Order what is in the cart, if this is a sale."""
        order = None if self._basket is None else self._basket.order()
        if order is not None:
            await self._give(order)

    def freeze(self, *, on: bool) -> None:
        """Stop reading, or go on, if this is one of the slow users."""
        if self._is_slow:
            self._client.pause(on=on)

    async def live(self) -> None:
        """Connect; once everybody is here act by habit until the world stops, and listen on."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stay_connected, nursery.cancel_scope)
            try:
                for room in self._rooms:
                    await self._client.subscribe(room_topic(room))
                if self._basket is not None:
                    await self._basket.fill(self._client)
            except (RefusedError, RestError) as error:
                self._world.tally.refused += 1
                self._world.tally.trouble(f"subscribe: {error}")
                return
            self._world.tally.ready += 1
            await self._world.begun.wait()
            await self._act_until_the_end()
            if self._basket is not None:
                await self._basket.empty()
            await trio.sleep_forever()

    async def _stay_connected(self, scope: trio.CancelScope) -> None:
        try:
            await self._client.run()
        except (RefusedError, RestError) as error:
            self._world.tally.refused += 1
            self._world.tally.trouble(str(error))
            scope.cancel()

    async def _act_until_the_end(self) -> None:
        habits = self._world.habits
        acts: dict[Act, float] = {
            self._chat: habits.messages_per_minute,
            self._mark_read: habits.reads_per_minute,
            self._look_around: habits.requests_per_minute,
        }
        per_second = {act: rate / 60 for act, rate in acts.items() if rate > 0}
        if not per_second:
            return
        total = sum(per_second.values())
        next_at = trio.current_time()
        while not self._world.stopping.is_set():
            next_at += self._dice.expovariate(total)
            with trio.move_on_at(next_at):
                await self._world.stopping.wait()
                return
            await self._pick(per_second)()

    def _pick(self, rates: Mapping[Act, float]) -> Act:
        return self._dice.choices(list(rates), weights=list(rates.values()))[0]

    async def _chat(self) -> None:
        room = self._choose_room()
        topic = room_topic(room)
        await self._client.set_typing(topic, on=True)
        with trio.move_on_after(self._typing_seconds()):
            await self._world.stopping.wait()
            return
        text = self._dice.choice(_SENTENCES)
        if self._world.habits.long_texts:
            text = " ".join([text] * (_LONG_TEXT_CHARACTERS // len(text)))
        self._messages_sent += 1
        await self._give(SendMessage(room=room, text=text))

    def _choose_room(self) -> RoomId:
        """Return the user's own favourite mostly; the others are for listening."""
        if self._dice.random() < _FAVOURITE_SHARE:
            return self._rooms[0]
        return self._dice.choice(self._rooms)

    def _typing_seconds(self) -> float:
        """Return how long a message takes to write; who writes often writes fast."""
        seconds_per_message = 60 / self._world.habits.messages_per_minute
        usual = self._dice.uniform(_TYPING_SECONDS_MIN, _TYPING_SECONDS_MAX)
        return min(usual, seconds_per_message * _TYPING_SHARE_MAX)

    async def _mark_read(self) -> None:
        """Only members have read marks, and who writes in a public room becomes one."""
        unread = [
            room
            for room in sorted(self._wrote_in)
            if self._newest_seq.get(room, 0) > self._marked_seq.get(room, 0)
        ]
        if unread:
            room = self._dice.choice(unread)
            self._marked_seq[room] = self._newest_seq[room]
            await self._give(MarkRead(room=room, seq=self._newest_seq[room]))

    async def _look_around(self) -> None:
        shop, token = self._world.shop, self._token
        try:
            if self._dice.random() < 0.4:
                await shop.products(search=self._dice.choice(_SEARCHES), token=token)
            elif self._world.slugs:
                await shop.product(self._dice.choice(self._world.slugs), token=token)
        except RestError as error:
            self._world.tally.trouble(str(error))

    async def _give(self, body: SendMessage | MarkRead | PlaceOrder) -> None:
        """Give a command whose key carries the moment, so that who sees it knows how long ago."""
        given_us = int(self._world.now() * 1e6)
        kind = {SendMessage: "m", MarkRead: "r", PlaceOrder: "o"}[type(body)]
        key = f"{self._world.run}_{self._number}_{kind}{self._messages_sent}_{given_us}"
        self._world.model.gives(key)
        await self._client.give(body, key=key)

    @override
    def connected(self, welcome: Welcome, seconds: float) -> None:
        self._world.tally.connected += 1
        if self._lost_at is None:
            self._world.recorder.record(Measure.CONNECT, seconds)

    @override
    def connect_failed(self, reason: str) -> None:
        self._world.tally.connect_failures += 1
        self._world.tally.trouble(f"connect: {reason}")

    @override
    def disconnected(self, code: int) -> None:
        self._world.tally.connected -= 1
        self._lost_at = self._world.now()
        tally = self._world.tally
        tally.disconnects += 1
        tally.closes[code] = tally.closes.get(code, 0) + 1
        if not self._is_cut:
            tally.trouble(f"disconnected with {code}")
        self._is_cut = False

    @override
    def replayed(self, topic: Topic) -> None:
        if self._lost_at is not None:
            self._world.recorder.record(Measure.RESUMED, self._world.now() - self._lost_at)

    @override
    def signal(self, frame: SignalFrame) -> None:
        self._world.tally.signals_seen += 1

    @override
    def starts(self, topic: Topic, position: Position) -> None:
        self._world.model.starts(self._number, topic, position)

    @override
    def stops(self, topic: Topic) -> None:
        self._world.model.stops(self._number, topic)
        self._world.tally.trouble(f"the right to {topic} was lost")

    @override
    def gap(self, frame: Gap) -> None:
        self._world.model.meets_gap(self._number, frame.topic, frame.position, frame.reason)

    @override
    def event(self, frame: EventFrame) -> None:
        self._world.model.sees(self._number, frame)
        if isinstance(frame.body, MessageSent):
            self._sees_message(frame.body)
        elif isinstance(frame.body, ProductChanged) and self._world.ledger is not None:
            self._world.ledger.sees(frame.body)

    def _sees_message(self, sent: MessageSent) -> None:
        message = sent.message
        self._newest_seq[message.room] = message.seq
        run, _, rest = (message.key or "").partition("_")
        if run != self._world.run or self._is_slow:
            return
        number, _, rest = rest.partition("_")
        if int(number) != self._number:
            given_at = int(rest.rpartition("_")[2]) / 1e6
            self._world.recorder.record(Measure.SEEN, self._world.now() - given_at)

    @override
    def accepted(self, command: GivenCommand) -> None:
        if isinstance(command.body, SendMessage) and not self._is_slow:
            self._world.recorder.record(Measure.ACCEPTED, self._world.now() - command.given_at)

    @override
    def finished(self, command: GivenCommand) -> None:
        model = self._world.model
        if self._has_ordered(command):
            return
        match command.outcome:
            case CommandCommitted(result=MessageResult(message=message, seq=seq)):
                self._world.tally.messages_committed += 1
                if not self._is_slow:
                    took = self._world.now() - command.given_at
                    self._world.recorder.record(Measure.COMMITTED, took)
                assert isinstance(command.body, SendMessage)
                self._wrote_in.add(command.body.room)
                model.commits_message(command.key, command.body.room, message, seq)
            case CommandCommitted():
                model.commits(command.key)
            case CommandRejected(code=code):
                model.rejects(command.key, code)
            case Error(name=name):
                model.rejects(command.key, name)
            case None:
                raise AssertionError("a finished command has an outcome")

    def _has_ordered(self, command: GivenCommand) -> bool:
        """Take note of an order; False if this is none, or did not end as it may."""
        ledger, model = self._world.ledger, self._world.model
        if ledger is None or not isinstance(command.body, PlaceOrder):
            return False
        self._world.recorder.record(Measure.ORDERED, self._world.now() - command.given_at)
        if not ledger.finishes(self._number, command):
            return False
        if isinstance(command.outcome, CommandCommitted):
            model.commits(command.key)
        else:
            model.declines(command.key)
        return True
