"""Who is here: this worker's users, the other workers' lists, and the union of all. Pure.

Times are seconds of any one clock that never goes back.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

import msgspec
from prometheus_client import Counter

from gateway.presence.messages import LISTED_USERS_MAX, PresentUsers
from protocol.ids import ConnectionId, UserId, WorkerId
from protocol.signals import PRESENCE_USERS_MAX, Presence, Present
from protocol.topics import Topic
from protocol.views import Person

CLOSING_GRACE_SECONDS: Final = 15.0
"""How long a user whose socket went away is still here: most come back with a new one."""

RETELL_SECONDS_MAX: Final = 16.0
"""Every worker tells its list again within this, whether or not it has changed."""

LIST_SECONDS_MAX: Final = 3 * RETELL_SECONDS_MAX
"""A living worker's list that was not told again for so long is out of date."""

NEVER: Final = float("-inf")

_changes: Final = Counter(
    "rialto_gateway_presence_changes_total",
    "Users of this worker who came to be present and who ceased to be, in rooms or at all.",
    ["scope", "change"],
)
_counters: Final = {
    (is_person, change): _changes.labels(scope="person" if is_person else "room", change=change)
    for is_person in (False, True)
    for change in ("add", "remove")
}


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How often a worker's list is told again, and how long it is believed and stored."""

    refresh_seconds: float
    list_seconds_max: float
    stored_seconds: float


ROOM_TIMING: Final = Timing(
    refresh_seconds=12.0, list_seconds_max=LIST_SECONDS_MAX, stored_seconds=60.0
)
PERSON_TIMING: Final = Timing(refresh_seconds=600.0, list_seconds_max=1800.0, stored_seconds=3600.0)
"""There are as many of these lists as connected users, so they are told again a fiftieth as often:
what Redis loses is told again when the connection to it is back."""


def timing_of(topic: Topic) -> Timing:
    """Return the timing of a room's lists, or of a user's."""
    return PERSON_TIMING if is_person(topic) else ROOM_TIMING


def is_person(topic: Topic) -> bool:
    """Say whether the topic is a user's, under which the user's own presence is kept."""
    return topic.startswith("user:")


class _Stay:
    """One user in one room on this worker: over all their connections, and in their grace."""

    __slots__ = ("connections", "name", "online_until", "present_until")

    def __init__(self, name: str) -> None:
        self.name = name
        self.connections: dict[ConnectionId, bool] = {}  # whether its page can be seen
        self.present_until = NEVER
        self.online_until = NEVER

    def is_over(self, now: float) -> bool:
        return not self.connections and self.present_until <= now

    def is_online(self, now: float) -> bool:
        return self.online_until > now or any(self.connections.values())


class _Grace(msgspec.Struct, frozen=True, kw_only=True):
    until: float
    topic: Topic
    user: UserId


class LocalUsers:
    """The users of this worker, room by room."""

    def __init__(self) -> None:
        self.changed: set[Topic] = set()
        """Rooms whose list may differ from what it was; for the owner to empty."""
        self._rooms: dict[Topic, dict[UserId, _Stay]] = {}
        self._topics: dict[UserId, set[Topic]] = {}
        # Every grace is equally long, so they end in the order in which they began.
        self._graces: deque[_Grace] = deque()

    def enter(
        self, topic: Topic, person: Person, *, connection: ConnectionId, visible: bool
    ) -> None:
        """Add a connection of a user to a room."""
        stays = self._rooms.setdefault(topic, {})
        stay = stays.get(person.id)
        if stay is None:
            stay = stays[person.id] = _Stay(person.name)
            _count(topic, "add")
        stay.name = person.name
        stay.connections[connection] = visible
        self._topics.setdefault(person.id, set()).add(topic)
        self.changed.add(topic)

    def leave(
        self, topic: Topic, user: UserId, *, connection: ConnectionId, closing: bool, now: float
    ) -> None:
        """Take a connection out of a room; a `closing` one leaves its user a grace."""
        stay = self._rooms.get(topic, {}).get(user)
        if stay is None or connection not in stay.connections:
            return
        visible = stay.connections.pop(connection)
        if closing:
            stay.present_until = now + CLOSING_GRACE_SECONDS
            if visible:
                stay.online_until = stay.present_until
            self._graces.append(_Grace(until=stay.present_until, topic=topic, user=user))
            return
        self.changed.add(topic)
        if not stay.connections:
            self._remove(topic, user)

    def set_visible(self, user: UserId, *, connection: ConnectionId, visible: bool) -> None:
        """Note in every room of a connection whether its page can be seen."""
        for topic in self._topics.get(user, ()):
            connections = self._rooms[topic][user].connections
            if connections.get(connection, visible) != visible:
                connections[connection] = visible
                self.changed.add(topic)

    def end_graces(self, now: float) -> None:
        """Remove those whose grace is over and who did not come back."""
        while self._graces and self._graces[0].until <= now:
            grace = self._graces.popleft()
            stay = self._rooms.get(grace.topic, {}).get(grace.user)
            if stay is None:
                continue
            self.changed.add(grace.topic)
            if stay.is_over(now):
                self._remove(grace.topic, grace.user)

    def count(self, topic: Topic) -> int:
        """Count the users of a room."""
        return len(self._rooms.get(topic, ()))

    def topics(self) -> Iterable[Topic]:
        """Return the rooms that have users."""
        return self._rooms.keys()

    @property
    def people_count(self) -> int:
        """Count the users who are in some room."""
        return len(self._topics)

    def users(self, topic: Topic, now: float) -> list[Present]:
        """List the users of a room, `LISTED_USERS_MAX` of them at most."""
        return [
            Present(id=user, name=stay.name, state="online" if stay.is_online(now) else "away")
            for user, stay in islice(self._rooms.get(topic, {}).items(), LISTED_USERS_MAX)
        ]

    def _remove(self, topic: Topic, user: UserId) -> None:
        stays = self._rooms[topic]
        del stays[user]
        _count(topic, "remove")
        if not stays:
            del self._rooms[topic]
        topics = self._topics[user]
        topics.discard(topic)
        if not topics:
            del self._topics[user]


def _count(topic: Topic, change: str) -> None:
    _counters[is_person(topic), change].inc()


class _Heard(msgspec.Struct, frozen=True, kw_only=True):
    present: PresentUsers
    at: float


class OtherWorkers:
    """What the other workers last said of one room."""

    def __init__(self, *, list_seconds_max: float = LIST_SECONDS_MAX) -> None:
        self._heard: dict[WorkerId, _Heard] = {}
        self._list_seconds_max = list_seconds_max

    def count(self) -> int:
        """Count whom they have, those on several of them more than once."""
        return sum(heard.present.count for heard in self._heard.values())

    def lists(self) -> Iterable[PresentUsers]:
        """Return the newest list of each worker."""
        return (heard.present for heard in self._heard.values())

    def workers(self) -> set[WorkerId]:
        """Return whom we know something of."""
        return set(self._heard)

    def hear(self, present: PresentUsers, now: float) -> bool:
        """Take a worker's list unless a newer one is known; tell whether anything changed.

        An empty list is kept too, so that an older one cannot bring its users back.
        """
        known = self._heard.get(present.worker)
        if known is not None and known.present.version > present.version:
            return False
        self._heard[present.worker] = _Heard(present=present, at=now)
        return known is None or _differs(known.present, present)

    def load(self, lists: Mapping[WorkerId, PresentUsers], *, asked_at: float, now: float) -> bool:
        """Take the lists that were stored when we asked; tell whether anything changed.

        A worker that had none then is not dropped at once, for Redis may have lost it: its list is
        made so old that it is dropped if it is not told again within `RETELL_SECONDS_MAX`.
        """
        doubtful_at = now - self._list_seconds_max + RETELL_SECONDS_MAX
        for worker, heard in self._heard.items():
            if worker not in lists and heard.at < asked_at:
                aged_at = min(heard.at, doubtful_at)
                self._heard[worker] = msgspec.structs.replace(heard, at=aged_at)
        changed = [self.hear(present, now) for present in lists.values()]
        return any(changed)

    def forget(self, workers: Iterable[WorkerId]) -> bool:
        """Drop workers that are no more; tell whether anything changed."""
        dropped = [self._heard.pop(worker, None) for worker in workers]
        return any(heard is not None and heard.present.count > 0 for heard in dropped)

    def silent_since(self, moment: float) -> set[WorkerId]:
        """Return those who said nothing after `moment`."""
        return {worker for worker, heard in self._heard.items() if heard.at < moment}


def unite(lists: Iterable[PresentUsers]) -> Presence:
    """Return the union of what workers say: online anywhere is online."""
    users: dict[UserId, Present] = {}
    unlisted_count = 0
    for present in lists:
        unlisted_count += present.count - len(present.users)
        for user in present.users:
            known = users.get(user.id)
            if known is None or known.state == "away":
                users[user.id] = user
    count = len(users) + unlisted_count
    if count > PRESENCE_USERS_MAX:
        return Presence(count=count)
    return Presence(count=count, users=sorted(users.values(), key=_by_name))


def _differs(one: PresentUsers, other: PresentUsers) -> bool:
    return one.count != other.count or one.users != other.users


def _by_name(user: Present) -> tuple[str, str]:
    return user.name.casefold(), user.id
