import pytest

from commerce.chat.errors import (
    BlankMessageError,
    MessageDeletedError,
    MessageNotFoundError,
    NotAMemberError,
    NotYourMessageError,
    RoomNotFoundError,
)
from protocol.events import MemberJoined, MessageDeleted, MessageEdited, MessageSent, ReadMarked
from protocol.ids import MessageId, RoomId
from protocol.topics import room_topic, user_topic
from tests.commerce.outbox import events_told, everything_told, forget_what_was_told

NOWHERE = RoomId("rom_01JD0000000000000000000009")
NOTHING = MessageId("msg_01JD0000000000000000000009")


class TestSending:
    async def test_numbers_messages_from_one_without_gaps(self, world):
        room = await world.open_group("ada", "ben")

        sent = [await world.send(name, room) for name in ("ada", "ben", "ada")]

        assert [message.seq for message in sent] == [1, 2, 3]

    async def test_tells_the_message_as_it_was_stored(self, world, database):
        room = await world.open_group("ada", "ben")
        await forget_what_was_told(database)

        sent = await world.send("ada", room, "  hi\r\nthere\x07 ", key="key-12345678")

        [event] = await events_told(database)
        [stored] = (await world.history("ben", room)).messages
        assert event == MessageSent(message=stored.view)
        assert event.message.text == "hi\nthere"
        assert event.message.key == "key-12345678"
        assert event.message.author == world["ada"]
        assert stored == sent

    async def test_makes_a_stranger_a_member_of_a_public_room_first(
        self, world, database, product_room
    ):
        await forget_what_was_told(database)

        await world.send("ada", product_room)

        told = await everything_told(database)
        assert [(row.kind, row.topic, type(row.event)) for row in told] == [
            ("grant", room_topic(product_room), type(None)),
            ("event", room_topic(product_room), MemberJoined),
            ("event", user_topic(world.id("ada")), MemberJoined),
            ("event", room_topic(product_room), MessageSent),
        ]
        assert told[1].event_id == told[2].event_id

    async def test_joins_only_once(self, world, database, product_room):
        await world.send("ada", product_room)
        await forget_what_was_told(database)

        await world.send("ada", product_room)

        assert [type(event) for event in await events_told(database)] == [MessageSent]

    async def test_answers_a_message_of_the_same_room(self, world):
        room = await world.open_group("ada", "ben")
        first = await world.send("ada", room)

        answer = await world.send("ben", room, reply_to=first.id)

        assert answer.view.reply_to == first.id

    async def test_refuses_to_answer_a_message_of_another_room(self, world):
        room, other = await world.open_group("ada"), await world.open_group("ada")
        elsewhere = await world.send("ada", other)

        with pytest.raises(MessageNotFoundError):
            await world.send("ada", room, reply_to=elsewhere.id)

        assert (await world.view("ada", room)).last_seq == 0

    async def test_refuses_a_text_with_nothing_to_read(self, world):
        room = await world.open_group("ada")

        with pytest.raises(BlankMessageError):
            await world.send("ada", room, " \u200b\n")

    async def test_does_not_tell_a_foreign_room_from_a_missing_one(self, world):
        room = await world.open_group("ada")

        with pytest.raises(RoomNotFoundError):
            await world.send("ben", room)
        with pytest.raises(RoomNotFoundError):
            await world.send("ben", NOWHERE)

    async def test_is_over_for_those_who_were_sent_away(self, world):
        room = await world.open_group("ada", "ben")
        await world.remove("ada", room, "ben")

        with pytest.raises(RoomNotFoundError):
            await world.send("ben", room)

    async def test_that_is_refused_takes_no_number(self, world):
        room = await world.open_group("ada")

        with pytest.raises(RoomNotFoundError):
            await world.send("ben", room)

        assert (await world.send("ada", room)).seq == 1


class TestEditing:
    async def test_changes_the_text_and_the_version(self, world, database):
        room = await world.open_group("ada", "ben")
        sent = await world.send("ada", room, "helo")
        await forget_what_was_told(database)

        edited = await world.edit("ada", room, sent.id, "hello")

        assert (edited.body, edited.version, edited.seq) == ("hello", 2, 1)
        assert edited.edited_at is not None
        assert await events_told(database) == [MessageEdited(message=edited.view)]
        assert (await world.history("ben", room)).messages == [edited]

    async def test_to_the_same_text_changes_nothing(self, world, database):
        room = await world.open_group("ada")
        sent = await world.send("ada", room, "hello")
        await forget_what_was_told(database)

        edited = await world.edit("ada", room, sent.id, " hello ")

        assert edited.version == 1
        assert await events_told(database) == []

    async def test_is_for_the_author_alone(self, world):
        room = await world.open_group("ada", "ben")
        sent = await world.send("ben", room)

        with pytest.raises(NotYourMessageError):
            await world.edit("ada", room, sent.id, "changed by the owner")

    async def test_needs_membership(self, world, product_room):
        sent = await world.send("ada", product_room)
        await world.leave("ada", product_room)

        with pytest.raises(NotAMemberError):
            await world.edit("ada", product_room, sent.id, "changed")

    async def test_is_over_once_a_message_was_taken_back(self, world):
        room = await world.open_group("ada")
        sent = await world.send("ada", room)
        await world.delete("ada", room, sent.id)

        with pytest.raises(MessageDeletedError):
            await world.edit("ada", room, sent.id, "back again")

    async def test_knows_only_messages_of_the_room_named(self, world):
        room, other = await world.open_group("ada"), await world.open_group("ada")
        elsewhere = await world.send("ada", other)

        with pytest.raises(MessageNotFoundError):
            await world.edit("ada", room, elsewhere.id, "changed")
        with pytest.raises(MessageNotFoundError):
            await world.edit("ada", room, NOTHING, "changed")


class TestTakingBack:
    async def test_leaves_the_number_and_no_text(self, world, database):
        room = await world.open_group("ada", "ben")
        sent = await world.send("ada", room, "regrettable")
        await forget_what_was_told(database)

        await world.delete("ada", room, sent.id)

        [left] = (await world.history("ben", room)).messages
        assert (left.view.text, left.view.deleted, left.seq, left.version) == ("", True, 1, 2)
        assert await events_told(database) == [
            MessageDeleted(room=room, message=sent.id, seq=1, version=2)
        ]

    async def test_twice_tells_it_once(self, world, database):
        room = await world.open_group("ada")
        sent = await world.send("ada", room)
        await world.delete("ada", room, sent.id)
        await forget_what_was_told(database)

        again = await world.delete("ada", room, sent.id)

        assert again.version == 2
        assert await events_told(database) == []

    async def test_is_for_the_owner_of_the_room_too(self, world):
        room = await world.open_group("ada", "ben")
        sent = await world.send("ben", room)

        deleted = await world.delete("ada", room, sent.id)

        assert deleted.deleted_at is not None

    async def test_is_for_moderators_too(self, world):
        room = await world.open_group("ada", "ben", "cleo")
        await world.make_moderator(room, "ben")
        sent = await world.send("cleo", room)

        deleted = await world.delete("ben", room, sent.id)

        assert deleted.deleted_at is not None

    async def test_is_for_the_staff_of_the_shop_too(self, world, product_room):
        sent = await world.send("ada", product_room)
        await world.make_staff("dan")

        deleted = await world.delete("dan", product_room, sent.id)

        assert deleted.deleted_at is not None

    async def test_is_not_for_staff_in_private_rooms_of_others(self, world):
        room = await world.open_group("ada")
        sent = await world.send("ada", room)
        await world.make_staff("dan")

        with pytest.raises(RoomNotFoundError):
            await world.delete("dan", room, sent.id)

    async def test_is_not_for_other_members(self, world):
        room = await world.open_group("ada", "ben")
        sent = await world.send("ada", room)

        with pytest.raises(NotYourMessageError):
            await world.delete("ben", room, sent.id)

    async def test_is_for_the_author_even_after_leaving_a_public_room(self, world, product_room):
        sent = await world.send("ada", product_room)
        await world.leave("ada", product_room)

        deleted = await world.delete("ada", product_room, sent.id)

        assert deleted.deleted_at is not None


class TestMarkingAsRead:
    async def test_tells_the_readers_tabs_how_much_is_left(self, world, database):
        room = await world.open_group("ada", "ben")
        for _ in range(3):
            await world.send("ada", room)
        await forget_what_was_told(database)

        await world.mark_read("ben", room, 2)

        [told] = await everything_told(database)
        assert told.topic == user_topic(world.id("ben"))
        assert told.event == ReadMarked(room=room, seq=2, unread=1)
        assert (await world.view("ben", room)).unread == 1

    async def test_never_goes_back(self, world, database):
        room = await world.open_group("ada", "ben")
        for _ in range(3):
            await world.send("ada", room)
        await world.mark_read("ben", room, 3)
        await forget_what_was_told(database)

        await world.mark_read("ben", room, 1)

        assert (await world.view("ben", room)).read_seq == 3
        assert await events_told(database) == []

    async def test_goes_no_further_than_the_last_message(self, world, database):
        room = await world.open_group("ada", "ben")
        await world.send("ada", room)
        await forget_what_was_told(database)

        await world.mark_read("ben", room, 2**53 - 1)
        await world.send("ada", room)

        assert (await world.view("ben", room)).unread == 1

    async def test_is_done_by_writing_as_well(self, world, database):
        room = await world.open_group("ada", "ben")
        await world.send("ada", room)
        await world.send("ben", room)
        await forget_what_was_told(database)

        await world.mark_read("ben", room, 1)

        assert (await world.view("ben", room)).unread == 0
        assert await events_told(database) == []

    async def test_is_for_members(self, world, product_room):
        private = await world.open_group("ada")

        with pytest.raises(NotAMemberError):
            await world.mark_read("ben", product_room, 1)
        with pytest.raises(RoomNotFoundError):
            await world.mark_read("ben", private, 1)
        with pytest.raises(RoomNotFoundError):
            await world.mark_read("ben", NOWHERE, 1)
