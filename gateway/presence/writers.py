"""Who is writing in which room: this worker's users and the other workers'. Pure.

Times are seconds of any one clock that never goes back.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.presence.messages import Writer, WritingUsers
from protocol.ids import UserId, WorkerId
from protocol.signals import TYPING_NAMES_MAX, Typing
from protocol.topics import Topic
from protocol.views import Person

WRITING_SECONDS: Final = 10.0
"""How long one is taken to be writing without saying so again."""


class _Spell(msgspec.Struct, frozen=True, kw_only=True):
    """A time of writing, unbroken so far."""

    person: Person
    since: float
    until: float


class RoomWriters:
    """Those who write in one room."""

    def __init__(self) -> None:
        self._own: dict[UserId, _Spell] = {}
        self._others: dict[WorkerId, list[_Spell]] = {}

    @property
    def has_own(self) -> bool:
        """Whether a user of this worker writes."""
        return bool(self._own)

    @property
    def is_empty(self) -> bool:
        """Whether nobody writes."""
        return not self._own and not self._others

    def start(self, person: Person, now: float) -> bool:
        """Note that a user writes, or still does; tell whether that is news."""
        known = self._own.get(person.id)
        self._own[person.id] = _Spell(
            person=person,
            since=now if known is None else known.since,
            until=now + WRITING_SECONDS,
        )
        return known is None

    def stop(self, user: UserId) -> bool:
        """Note that a user has stopped; tell whether that is news."""
        return self._own.pop(user, None) is not None

    def forget(self, user: UserId) -> None:
        """Note that a user of another worker has stopped, before that worker says so."""
        for worker, spells in list(self._others.items()):
            left = [spell for spell in spells if spell.person.id != user]
            if left:
                self._others[worker] = left
            else:
                del self._others[worker]

    def hear(self, message: WritingUsers, now: float) -> None:
        """Take what another worker says, in place of what it said before."""
        spells = [
            _Spell(
                person=Person(id=writer.id, name=writer.name),
                since=now - writer.for_ms / 1000,
                until=now + WRITING_SECONDS,
            )
            for writer in message.users
        ]
        if spells:
            self._others[message.worker] = spells
        else:
            self._others.pop(message.worker, None)

    def expire(self, now: float, *, everybody: bool = False) -> set[UserId]:
        """Drop whose time is over, or `everybody` of this worker; return those of this worker."""
        expired = {user for user, spell in self._own.items() if everybody or spell.until <= now}
        for user in expired:
            del self._own[user]
        self._others = {
            worker: spells for worker, spells in self._others.items() if spells[0].until > now
        }
        return expired

    def own(self, worker: WorkerId, now: float) -> WritingUsers:
        """Return what the other workers are to be told."""
        return WritingUsers(
            worker=worker,
            users=[
                Writer(
                    id=spell.person.id,
                    name=spell.person.name,
                    for_ms=int((now - spell.since) * 1000),
                )
                for spell in self._own.values()
            ],
        )

    def everybody(self) -> Typing:
        """Return who writes over all workers, those who have been at it longest first."""
        spells: dict[UserId, _Spell] = {}
        for spell in self._all():
            known = spells.get(spell.person.id)
            if known is None or spell.since < known.since:
                spells[spell.person.id] = spell
        longest = sorted(spells.values(), key=_by_age)[:TYPING_NAMES_MAX]
        return Typing(users=[spell.person for spell in longest], count=len(spells))

    def _all(self) -> Iterable[_Spell]:
        yield from self._own.values()
        for spells in self._others.values():
            yield from spells


class WriterTopics:
    """In which rooms each user of this worker writes."""

    def __init__(self) -> None:
        self._topics: dict[UserId, set[Topic]] = {}

    def add(self, user: UserId, topic: Topic) -> None:
        """Note that a user writes there."""
        self._topics.setdefault(user, set()).add(topic)

    def discard(self, user: UserId, topic: Topic) -> None:
        """Note that a user writes there no more."""
        topics = self._topics.get(user, set())
        topics.discard(topic)
        if not topics:
            self._topics.pop(user, None)

    def of(self, user: UserId) -> list[Topic]:
        """Return where a user writes."""
        return list(self._topics.get(user, ()))


def _by_age(spell: _Spell) -> tuple[float, str]:
    return spell.since, spell.person.id
