import asyncio

import pytest

from commerce.chat import service as chat
from commerce.chat.errors import (
    MessageDeletedError,
    NotAnEmojiError,
    RoomNotFoundError,
    StaleEditError,
    TooManyReactionsError,
)
from protocol.events import Mentioned, MessageSent, ReactionsChanged
from protocol.topics import room_topic, user_topic
from protocol.views import Attachment, Part, Reaction, Reactions
from tests.commerce.outbox import events_told, forget_what_was_told

PRODUCT, ORDER = "prd_01JD0000000000000000000001", "ord_01JD0000000000000000000001"
FILE = "fil_01JD0000000000000000000001"
EMOJI = [chr(code) for code in range(0x1F600, 0x1F615)]


async def mentions_of(database, person):
    told = await events_told(database, user_topic(person))
    return [event for event in told if isinstance(event, Mentioned)]


class TestPartsAndAttachments:
    async def test_are_kept_as_they_are_and_told(self, world, database):
        room = await world.open_group("ada", "ben")

        sent = await world.send("ada", room, "Look", parts=[PRODUCT, ORDER], attachments=[FILE])

        [read] = (await world.history("ben", room)).messages
        told = [e for e in await events_told(database, room_topic(room)) if type(e) is MessageSent]
        assert read.view == sent.view == told[0].message
        assert read.view.parts == [Part(ref=PRODUCT), Part(ref=ORDER)]
        assert read.view.attachments == [Attachment(id=FILE)]

    async def test_go_with_a_message_that_is_taken_back(self, world):
        room = await world.open_group("ada", "ben")
        sent = await world.send("ada", room, "@ben", parts=[PRODUCT], attachments=[FILE])
        await world.react("ben", room, sent.id)

        await world.delete("ada", room, sent.id)

        [read] = (await world.history("ben", room)).messages
        assert (read.view.parts, read.view.attachments, read.view.mentions) == ([], [], [])
        assert read.view.reactions == Reactions(version=2, items=[])


class TestEditingByVersion:
    async def test_refuses_an_edit_of_what_has_changed_meanwhile(self, world):
        room = await world.open_group("ada")
        sent = await world.send("ada", room, "one")
        await world.edit("ada", room, sent.id, "two", version=1)

        with pytest.raises(StaleEditError):
            await world.edit("ada", room, sent.id, "three", version=1)

        assert (await world.edit("ada", room, sent.id, "three", version=2)).version == 3

    async def test_lets_one_of_two_editors_at_once_win(self, world):
        room = await world.open_group("ada")
        sent = await world.send("ada", room, "one")

        outcomes = await asyncio.gather(
            *(world.edit("ada", room, sent.id, f"by tab {tab}", version=1) for tab in range(6)),
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, StaleEditError) for outcome in outcomes) == 5
        assert (await world.history("ada", room)).messages[0].version == 2


class TestReacting:
    async def test_tells_the_whole_state_and_who_changed_it(self, world, database):
        room = await world.open_group("ada", "ben")
        sent = await world.send("ada", room)
        await forget_what_was_told(database)

        await world.react("ada", room, sent.id, "👍")
        await world.react("ben", room, sent.id, "👍")
        await world.react("ben", room, sent.id, "❤️")
        await world.react("ada", room, sent.id, "👍", on=False)

        told = await events_told(database, room_topic(room))
        last = ReactionsChanged(
            room=room,
            message=sent.id,
            seq=1,
            reactions=Reactions(
                version=4, items=[Reaction(emoji="👍", count=1), Reaction(emoji="❤️", count=1)]
            ),
            user=world.id("ada"),
            emoji="👍",
            on=False,
        )
        assert [event.reactions.version for event in told] == [1, 2, 3, 4]
        assert told[-1] == last

    async def test_twice_changes_nothing(self, world, database):
        room = await world.open_group("ada")
        sent = await world.send("ada", room)
        await world.react("ada", room, sent.id)
        await forget_what_was_told(database)

        again = await world.react("ada", room, sent.id)
        await world.react("ada", room, sent.id, "❤️", on=False)

        assert again.reactions_version == 1
        assert await events_told(database) == []

    async def test_is_marked_as_ones_own_to_each_reader(self, world, product_room):
        sent = await world.send("ada", product_room)
        await world.react("ben", product_room, sent.id)

        mine = {
            name: (await world.history(name, product_room)).messages[0].view.reactions.items[0].mine
            for name in ("ada", "ben", None)
        }

        assert mine == {"ada": False, "ben": True, None: False}

    async def test_by_twenty_people_at_once_counts_each(self, world):
        names = [f"fan{number}" for number in range(20)]
        await world.add_people(*names)
        room = await world.open_group("ada", *names)
        sent = await world.send("ada", room)

        await asyncio.gather(*(world.react(name, room, sent.id) for name in names * 2))

        [read] = (await world.history("ada", room)).messages
        assert read.view.reactions == Reactions(version=20, items=[Reaction(emoji="👍", count=20)])

    async def test_is_bounded_and_of_emoji_only(self, world):
        room = await world.open_group("ada")
        sent = await world.send("ada", room)
        for emoji in EMOJI[:20]:
            await world.react("ada", room, sent.id, emoji)

        with pytest.raises(TooManyReactionsError):
            await world.react("ada", room, sent.id, EMOJI[20])
        with pytest.raises(NotAnEmojiError):
            await world.react("ada", room, sent.id, "lol")

    async def test_to_what_was_taken_back_or_is_hidden_is_refused(self, world):
        room = await world.open_group("ada")
        sent = await world.send("ada", room)

        with pytest.raises(RoomNotFoundError):
            await world.react("ben", room, sent.id)
        await world.delete("ada", room, sent.id)
        with pytest.raises(MessageDeletedError):
            await world.react("ada", room, sent.id)


class TestMentioning:
    async def test_by_name_tells_the_member_who_has_it(self, world, database):
        await world.add_people("Eva Maria Berg", "Eva")
        room = await world.open_group("ada", "ben", "Eva Maria Berg", "Eva")

        sent = await world.send("ada", room, "What does @eva maria berg think? And @Ben?")

        assert {person.name for person in sent.view.mentions} == {"ben", "Eva Maria Berg"}
        [event] = await mentions_of(database, world.id("ben"))
        assert (event.author, event.message, event.room_title) == (world["ada"], sent.id, "Friends")

    async def test_by_id_tells_who_may_read_the_room_and_nobody_else(
        self, world, database, product_room
    ):
        group = await world.open_group("ada", "ben")
        ids = [world.id("ben"), world.id("cleo"), world.id("ada"), "usr_01JD0000000000000000000009"]
        await world.make_staff("dan")
        await world.ban("dan", product_room, "cleo")

        private = await world.send("ada", group, "hello", mentions=ids)
        public = await world.send("ada", product_room, "hello", mentions=ids)

        assert private.view.mentions == public.view.mentions == [world["ben"]]
        assert len(await mentions_of(database, world.id("ben"))) == 2
        assert await mentions_of(database, world.id("cleo")) == []

    async def test_in_an_edit_tells_only_who_is_new(self, world, database):
        room = await world.open_group("ada", "ben", "cleo")
        sent = await world.send("ada", room, "@ben")

        edited = await world.edit("ada", room, sent.id, "@ben @cleo")

        assert {person.name for person in edited.view.mentions} == {"ben", "cleo"}
        assert len(await mentions_of(database, world.id("ben"))) == 1
        assert len(await mentions_of(database, world.id("cleo"))) == 1

    async def test_stops_at_ten_people(self, world):
        names = [f"fan{number}" for number in range(12)]
        await world.add_people(*names)
        room = await world.open_group("ada", *names)

        sent = await world.send("ada", room, "hi", mentions=[world.id(name) for name in names])

        assert len(sent.view.mentions) == 10


class TestSearchingARoom:
    async def test_finds_words_and_beginnings_newest_first(self, world):
        room = await world.open_group("ada", "ben")
        for text in ("Does it run on Linux?", "It does.", "Linux and Mac", "LINUX!"):
            await world.send("ada", room, text)

        found = await world.search("ben", room, "linu")

        assert [message.seq for message in found.messages] == [4, 3, 1]
        assert [m.seq for m in (await world.search("ben", room, '"run on"')).messages] == [1]

    async def test_goes_on_below_a_number(self, world):
        room = await world.open_group("ada")
        for number in range(5):
            await world.send("ada", room, f"heron {number}")

        first = await world.search("ada", room, "heron", limit=2)
        rest = await world.search("ada", room, "heron", before=4, limit=5)

        assert ([m.seq for m in first.messages], first.more) == ([5, 4], True)
        assert ([m.seq for m in rest.messages], rest.more) == ([3, 2, 1], False)

    async def test_never_finds_what_was_taken_back_nor_what_an_edit_removed(self, world):
        room = await world.open_group("ada")
        gone = await world.send("ada", room, "a secret heron")
        changed = await world.send("ada", room, "a heron")
        await world.delete("ada", room, gone.id)
        await world.edit("ada", room, changed.id, "a stork")

        assert (await world.search("ada", room, "heron")).messages == []
        assert len((await world.search("ada", room, "stork")).messages) == 1

    async def test_stays_in_the_room_and_with_those_who_may_read_it(self, world, product_room):
        room = await world.open_group("ada")
        await world.send("ada", room, "heron in private")
        await world.send("ada", product_room, "heron in public")

        with pytest.raises(RoomNotFoundError):
            await world.search("ben", room, "heron")
        found = await world.search(None, product_room, "heron")

        assert [message.body for message in found.messages] == ["heron in public"]

    @pytest.mark.parametrize("typed", ["'", "&|!", "a:*b", "' or 1=1 --", "it's", "\\", "((", "🙂"])
    async def test_takes_anything_that_is_typed(self, world, typed):
        room = await world.open_group("ada")

        assert (await world.search("ada", room, typed)).messages == []


class TestASupportRoom:
    @pytest.fixture
    def open_support(self, world):
        async def open_support(name, *, buyer="ada"):
            async with world.act() as tx:
                return await chat.open_support(
                    tx, world[name], order=ORDER, title="Order R-1", buyer=world.id(buyer)
                )

        return open_support

    async def test_holds_the_buyer_and_the_staff(self, world, open_support):
        await world.make_staff("dan")

        room = await open_support("ada")

        assert await world.roles(room) == {"ada": "member", "dan": "moderator"}

    async def test_is_one_however_often_and_by_whomever_it_is_opened(self, world, open_support):
        await world.make_staff("dan")

        opened = await asyncio.gather(*(open_support(name) for name in ("ada", "dan") * 8))

        assert len(set(opened)) == 1
        assert await world.roles(opened[0]) == {"ada": "member", "dan": "moderator"}

    async def test_is_open_to_staff_who_came_later_and_to_nobody_else(self, world, open_support):
        room = await open_support("ada")
        await world.make_staff("dan")

        await world.history("dan", room)
        await world.send("dan", room, "How can I help?")

        assert (await world.roles(room))["dan"] == "moderator"
        for act in (world.history("ben", room), world.send("ben", room), world.join("ben", room)):
            with pytest.raises(RoomNotFoundError):
                await act

    async def test_takes_back_a_buyer_who_left(self, world, open_support):
        room = await open_support("ada")
        await world.leave("ada", room)

        assert await open_support("ada") == room
        assert await world.roles(room) == {"ada": "member"}
