"""The people whose presence clients follow, in rooms or out of them: by interest, never everybody.

A user's presence is kept as a room's is, under the user's own topic, so it returns to the truth in
the same way. A worker hears only those users that somebody on it follows.
"""

from typing import Final, Protocol

import msgspec
import trio
from prometheus_client import Counter

from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane
from gateway.connections.wire import data_frame
from gateway.limits import FEED_IDLE_SECONDS, WATCHED_FEEDS_MAX
from protocol.client_frames import WatchPeople
from protocol.codec import encode_frame
from protocol.error_codes import LIMIT_REACHED
from protocol.ids import UserId
from protocol.server_frames import PersonFrame, WatchingPeople
from protocol.signals import PersonPresence, PersonState, Presence
from protocol.topics import Topic, parse_topic, user_topic
from protocol.version import WireFormat

_SWEEP_SECONDS: Final = 1.0
_told: Final = Counter(
    "rialto_gateway_person_states_total", "Changes of followed users handed to outboxes."
)


class Presences(Protocol):
    """Who is where; `gateway.presence.tracker` knows."""

    async def open(self, topic: Topic) -> None:
        """Begin to hear a topic; see `PresenceTracker.open`."""
        ...

    async def close(self, topic: Topic) -> None:
        """Stop hearing a topic; see `PresenceTracker.close`."""
        ...

    def current(self, topic: Topic) -> Presence:
        """Return who is there now."""
        ...


class PeopleStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Who is followed now."""

    people_count: int
    follows_count: int


class _Person:
    """One user: who follows them, and what each was told; None before the first answer."""

    __slots__ = ("followers", "opening_count")

    def __init__(self) -> None:
        self.followers: dict[Connection, PersonPresence | None] = {}
        self.opening_count = 0


class PeopleBoard:
    """Knows which connection follows which users."""

    def __init__(self, *, presence: Presences) -> None:
        self._presence = presence
        self._people: dict[Topic, _Person] = {}
        self._followed: dict[Connection, list[Topic]] = {}
        self._idle: dict[Topic, float] = {}  # since when, the longest first

    def statistics(self) -> PeopleStatistics:
        """Count what there is."""
        return PeopleStatistics(
            people_count=len(self._people),
            follows_count=sum(map(len, self._followed.values())),
        )

    async def run(self) -> None:
        """Stop hearing people whom nobody has followed for a while, for ever."""
        while True:
            await trio.sleep(_SWEEP_SECONDS)
            bound = trio.current_time() - FEED_IDLE_SECONDS
            for topic in [topic for topic, since in self._idle.items() if since < bound]:
                self._idle.pop(topic, None)
                person = self._people.get(topic)
                if person is not None and not person.followers and not person.opening_count:
                    del self._people[topic]
                    await self._presence.close(topic)

    async def watch(self, connection: Connection, frame: WatchPeople) -> None:
        """Answer `watch_people`: the named users in place of those followed before.

        While Redis cannot be reached the answer knows this worker's users only; the rest is told
        when it is back.
        """
        wanted = list(dict.fromkeys(user_topic(user) for user in frame.users))
        fresh = [topic for topic in wanted if topic not in self._people]
        if len(self._people) + len(fresh) > WATCHED_FEEDS_MAX:
            connection.send_error(LIMIT_REACHED, question=frame.id)
            return
        self._replace(connection, wanted)
        async with trio.open_nursery() as nursery:
            for topic in fresh:
                nursery.start_soon(self._open, topic)
        if not connection.has_left:
            self._answer(connection, frame, wanted)

    def leave(self, connection: Connection) -> None:
        """Forget everybody a connection follows, at once."""
        for topic in self._followed.pop(connection, []):
            self._unfollow(connection, topic)

    def tell(self, topic: Topic, presence: Presence) -> None:
        """Tell a user's followers, if the user's state is another than they were told."""
        person = self._people.get(topic)
        if person is None:
            return
        state = _state_of(presence)
        frames: dict[WireFormat, bytes] = {}
        for connection, told in list(person.followers.items()):
            if told is None or told == state:
                continue
            person.followers[connection] = state
            name = connection.wire_format
            if name not in frames:
                frame = PersonFrame(person=PersonState(user=_user_of(topic), state=state))
                frames[name] = data_frame(encode_frame(frame, name), name)
            connection.transport.push(frames[name], Lane.STATE, f"person:{topic}")
            _told.inc()

    def _replace(self, connection: Connection, wanted: list[Topic]) -> None:
        for topic in set(self._followed.get(connection, [])).difference(wanted):
            self._unfollow(connection, topic)
        self._followed[connection] = wanted
        for topic in wanted:
            self._idle.pop(topic, None)
            self._people.setdefault(topic, _Person()).followers.setdefault(connection, None)
        if not wanted:
            del self._followed[connection]

    def _answer(self, connection: Connection, frame: WatchPeople, wanted: list[Topic]) -> None:
        """In the lane of the changes, so that an older one cannot come after it."""
        people: list[PersonState] = []
        for topic in wanted:
            state = _state_of(self._presence.current(topic))
            self._people[topic].followers[connection] = state
            people.append(PersonState(user=_user_of(topic), state=state))
        answer = WatchingPeople(id=frame.id, people=people)
        connection.send(answer, Lane.STATE, key=f"watching_people:{frame.id}")

    async def _open(self, topic: Topic) -> None:
        person = self._people[topic]
        person.opening_count += 1
        try:
            await self._presence.open(topic)
        finally:
            person.opening_count -= 1
            if not person.followers:
                self._idle[topic] = trio.current_time()

    def _unfollow(self, connection: Connection, topic: Topic) -> None:
        person = self._people[topic]
        person.followers.pop(connection, None)
        if not person.followers:
            self._idle.pop(topic, None)
            self._idle[topic] = trio.current_time()


def _state_of(presence: Presence) -> PersonPresence:
    return presence.users[0].state if presence.users else "offline"


def _user_of(topic: Topic) -> UserId:
    return UserId(parse_topic(topic)[1])
