"""Several gateway workers on one Redis, as tests of presence and typing know them."""

import trio

from gateway.presence.tracker import PresenceTracker
from gateway.presence.typing import TypingBoard
from protocol.ids import ConnectionId, UserId, WorkerId
from protocol.topics import Topic, user_topic
from protocol.views import Person
from tests.fakes.redis import FakeChannels, FakeLink

ROOM = Topic("room:rom_01JDZZZZZZZZZZZZZZZZZZZZZZ")


def person(name):
    return Person(id=UserId(f"usr_{name}"), name=name)


def own_topic(name):
    """Return the topic under which a user's own presence is kept."""
    return user_topic(person(name).id)


class Worker:
    """One worker: what it was told, and a way to kill it."""

    def __init__(self, name, link, channels):
        self.link = link
        self.tracker = PresenceTracker(worker=WorkerId(name), link=link, channels=channels)
        self.board = TypingBoard(worker=WorkerId(name), link=link, presence=self.tracker)
        self.told = []
        self.told_typing = []
        self.tracker.on_change = lambda topic, signal: self.told.append((topic, signal))
        self.board.on_change = lambda topic, signal: self.told_typing.append((topic, signal))
        self._channels = channels
        self._scope = trio.CancelScope()

    async def run(self, *, task_status=trio.TASK_STATUS_IGNORED):
        with self._scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.tracker.run)
                await nursery.start(self.board.run)
                task_status.started()

    def kill(self):
        """End it at once: it can tell nobody any more."""
        self._scope.cancel()
        self.link.is_dead = True
        self._channels._receivers.clear()

    def cut(self):
        """Cut it off from Redis; the others are not."""
        self.link.is_cut = self._channels.is_cut = True
        self._channels.drop()

    def heal(self):
        """Let it reach Redis again."""
        self.link.is_cut = self._channels.is_cut = False

    def enter(self, name, tab="tab", *, visible=True, topic=ROOM):
        self.tracker.enter(topic, person(name), connection=_connection(name, tab), visible=visible)

    def leave(self, name, tab="tab", *, closing=False, topic=ROOM):
        self.tracker.leave(
            topic, person(name).id, connection=_connection(name, tab), closing=closing
        )

    def look(self, name, tab="tab", *, visible):
        self.tracker.set_visible(
            person(name).id, connection=_connection(name, tab), visible=visible
        )

    def present(self, topic=ROOM):
        """Return who is here, by name, with their state."""
        return {user.name: user.state for user in self.tracker.current(topic).users or []}

    def writing(self, topic=ROOM):
        """Return who is writing, longest first."""
        return [user.name for user in self.board.current(topic).users]


async def start_worker(nursery, redis, name, *, seed=0):
    """Start a worker that hears the room."""
    worker = Worker(name, FakeLink(redis, seed=seed), FakeChannels(redis))
    await nursery.start(worker.run)
    await worker.tracker.open(ROOM)
    return worker


def _connection(name, tab):
    return ConnectionId(f"con_{name}_{tab}")
