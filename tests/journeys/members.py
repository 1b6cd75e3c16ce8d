"""A member of a room as an application sees it: the client library, and a list of messages."""

import trio

from loadtest.clients import RefusedError
from loadtest.listening import Listener
from loadtest.model import ReferenceModel
from protocol.commands import SendMessage
from protocol.events import CommandCommitted, MessageSent
from protocol.topics import room_topic

RIGHT_SECONDS_MAX = 5


class Member(Listener):
    """Keeps a room's messages in order, and reads them again when it is told of a gap."""

    def __init__(self, number, *, shop, rest, token, room, model=None):
        self.number = number
        self.room = room
        self.topic = room_topic(room)
        self.messages = []
        self.wrong = []
        self.rereads = 0
        self.disconnects = 0
        self.committed = {}
        self._rest = rest
        self._token = token
        self._model = model or ReferenceModel()
        self._reread_wanted = trio.Event()
        self._ahead = {}
        self._reading = False
        self._read_ahead = {}
        self.client = shop.client(
            rest,
            token,
            device=f"journey-{number:04}",
            listener=self,
            wire_format="msgpack" if number % 2 else "json",
        )

    async def run(self):
        """Stay connected, and read again whatever cannot be replayed."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.client.run)
            while True:
                await self._reread_wanted.wait()
                self._reread_wanted = trio.Event()
                await self._read_again()

    async def enter(self):
        """Hear the room; a right that was just given reaches the gateways a moment later."""
        with trio.fail_after(RIGHT_SECONDS_MAX):
            while True:
                try:
                    return await self.client.subscribe(self.topic)
                except RefusedError:
                    await trio.sleep(0.02)

    async def say(self, text):
        """Send a message and wait for the outcome."""
        command = await self.client.give(SendMessage(room=self.room, text=text))
        outcome = await command.wait()
        assert isinstance(outcome, CommandCommitted), outcome
        self.committed[command.key] = outcome.result

    def last_seq(self):
        return self.messages[-1].seq if self.messages else 0

    def starts(self, topic, position):
        self._model.starts(self.number, topic, position)

    def disconnected(self, code):
        self.disconnects += 1

    def gap(self, frame):
        self._model.starts(self.number, frame.topic, frame.position)
        if frame.topic == self.topic:
            self._reading = True
            self._reread_wanted.set()

    def event(self, frame):
        self._model.sees(self.number, frame)
        if isinstance(frame.body, MessageSent):
            self._take(frame.body.message)

    def _take(self, message):
        expected = self.last_seq() + 1
        if message.seq == expected:
            self.messages.append(message)
        elif self._reading:
            self._ahead[message.seq] = message
        elif self._read_ahead.pop(message.seq, None) != message.id:
            self.wrong.append(f"message {message.seq} instead of {expected}")

    async def _read_again(self):
        """What happened in a gap is read by REST; what is heard meanwhile waits its turn.

        The history may already hold what the topic is yet to tell; once each, that is right.
        """
        self.rereads += 1
        missed = await self._rest.history(self.room, token=self._token, after=self.last_seq())
        self._reading = self._reread_wanted.is_set()  # told of another gap meanwhile
        ahead, self._ahead = self._ahead, {}
        self.messages += [message for message in missed if message.seq > self.last_seq()]
        self._read_ahead = {one.seq: one.id for one in missed if one.seq not in ahead}
        for message in sorted(ahead.values(), key=lambda message: message.seq):
            if message.seq > self.last_seq():
                self._take(message)


async def wait_until(condition, *, seconds):
    """Return as soon as `condition()` holds; fail if it does not in time."""
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for knows no events
            await trio.sleep(0.01)
