"""What people said to one another before the shop opened: rooms with their history."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from commerce.accounts.model import User
from commerce.catalog.model import NewProduct
from commerce.chat.model import Member, MemberRole, Message, Room, direct_pair, product_room_id
from commerce.seed.content.shelves import GroupTalks, Talks, Thread
from commerce.seed.fate import Fate
from protocol.ids import MessageId, RoomId, UserId

TALKATIVE_ROOMS: Final = 64
"""Products whose rooms have a history; the other rooms are empty."""

DIRECT_ROOMS: Final = 14

_OLDEST_THREAD_DAYS: Final = 110
_ANSWER_SECONDS_MAX: Final = 900
_SPEAKERS_PER_THREAD: Final = 3


class Conversation:
    """One room while it is being talked in."""

    def __init__(self, room: RoomId, fate: Fate) -> None:
        self._room = room
        self._fate = fate
        self._people: dict[UserId, tuple[User, MemberRole, datetime, int]] = {}
        self.messages: list[Message] = []

    def enter(self, user: User, moment: datetime, *, role: MemberRole = "member") -> None:
        """Let somebody in who is not in yet."""
        self._people.setdefault(user.id, (user, role, moment, len(self.messages)))

    def talk(self, thread: Thread, speakers: Sequence[User], moment: datetime) -> None:
        """Say a thread, line by line; each line begins with who says it."""
        asked: MessageId | None = None
        for line in thread:
            letter, _, text = line.partition(": ")
            speaker = speakers["ABC".index(letter)]
            self.enter(speaker, moment)
            answers = asked if letter != "A" and self._fate.dice.random() < 0.25 else None
            said = self._say(speaker, text, moment, reply_to=answers)
            asked = asked or said
            moment = self._fate.later(moment, seconds_max=_ANSWER_SECONDS_MAX)

    def members(self) -> list[Member]:
        """Return everybody who came, in that order."""
        return [
            Member(
                room_id=self._room,
                user_id=user.id,
                user_name=user.name,
                role=role,
                joined_at=joined_at,
                joined_seq=joined_seq,
            )
            for user, role, joined_at, joined_seq in self._people.values()
        ]

    def _say(
        self, speaker: User, text: str, moment: datetime, *, reply_to: MessageId | None
    ) -> MessageId:
        message = Message(
            id=MessageId(self._fate.id("msg", moment)),
            room_id=self._room,
            seq=len(self.messages) + 1,
            version=1,
            author_id=speaker.id,
            author_name=speaker.name,
            body=text,
            sent_at=moment,
            reply_to=reply_to,
        )
        self.messages.append(message)
        return message.id


class Talked:
    """Rooms, members and messages, collected to be written at once."""

    def __init__(self) -> None:
        self.rooms: list[Room] = []
        self.members: list[Member] = []
        self.messages: list[Message] = []

    def add(self, room: Room, conversation: Conversation) -> None:
        """Add a room with what was said in it."""
        self.rooms.append(room)
        self.members.extend(conversation.members())
        self.messages.extend(conversation.messages)


def about_products(
    products: Iterable[NewProduct],
    *,
    talkative: frozenset[str],
    talks: Talks,
    people: Sequence[User],
) -> Talked:
    """Return a room for each product; those whose slug is `talkative` have a history."""
    talked = Talked()
    for product in products:
        room_id = product_room_id(product.id)
        fate = Fate(f"room/{product.slug}")
        conversation = Conversation(room_id, fate)
        if product.slug in talkative:
            threads = fate.dice.sample(talks.about[product.category], 2)
            threads += fate.dice.sample(talks.about_anything, fate.dice.randint(1, 5))
            fate.dice.shuffle(threads)
            _talk_all(conversation, threads, fate, fate.dice.sample(people, 7))
        talked.add(
            Room(
                id=room_id,
                kind="product",
                title=product.title,
                product_id=product.id,
                last_seq=len(conversation.messages),
                created_at=product.created_at,
                active_at=_last_moment(conversation, product.created_at),
            ),
            conversation,
        )
    return talked


def in_groups(groups: Iterable[GroupTalks], people: Sequence[User]) -> Talked:
    """Return groups of some people with their history."""
    talked = Talked()
    for group in groups:
        fate = Fate(f"group/{group.title}")
        founded = fate.moment(days_before_max=200, days_before_min=_OLDEST_THREAD_DAYS + 1)
        room_id = RoomId(fate.id("rom", founded))
        conversation = Conversation(room_id, fate)
        around = fate.dice.sample(people, fate.dice.randint(4, 9))
        for place, user in enumerate(around):
            conversation.enter(user, founded, role="member" if place else "owner")
        _talk_all(conversation, group.threads, fate, around)
        talked.add(
            Room(
                id=room_id,
                kind="group",
                title=group.title,
                last_seq=len(conversation.messages),
                created_at=founded,
                active_at=_last_moment(conversation, founded),
            ),
            conversation,
        )
    return talked


def between_two(threads: Sequence[Thread], people: Sequence[User]) -> Talked:
    """Return rooms of pairs of people with their history."""
    talked = Talked()
    for number in range(DIRECT_ROOMS):
        fate = Fate(f"direct/{number}")
        one, other = people[number], people[DIRECT_ROOMS + 2 * number]
        opened = fate.moment(days_before_max=200, days_before_min=_OLDEST_THREAD_DAYS + 1)
        room_id = RoomId(fate.id("rom", opened))
        conversation = Conversation(room_id, fate)
        conversation.enter(one, opened)
        conversation.enter(other, opened)
        _talk_all(conversation, fate.dice.sample(threads, 2), fate, (one, other))
        talked.add(
            Room(
                id=room_id,
                kind="direct",
                title="",
                direct_pair=direct_pair(one.id, other.id),
                last_seq=len(conversation.messages),
                created_at=opened,
                active_at=_last_moment(conversation, opened),
            ),
            conversation,
        )
    return talked


def _talk_all(
    conversation: Conversation, threads: Sequence[Thread], fate: Fate, around: Sequence[User]
) -> None:
    moments = sorted(fate.moment(days_before_max=_OLDEST_THREAD_DAYS) for _ in threads)
    for thread, moment in zip(threads, moments, strict=True):
        speakers = fate.dice.sample(around, min(_SPEAKERS_PER_THREAD, len(around)))
        conversation.talk(thread, speakers, moment)


def _last_moment(conversation: Conversation, otherwise: datetime) -> datetime:
    return conversation.messages[-1].sent_at if conversation.messages else otherwise
