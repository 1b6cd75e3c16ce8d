from datetime import timedelta

import pytest_asyncio

from commerce.chat import service as chat
from commerce.chat.model import Member, Message
from protocol.ids import MessageId
from tests.commerce.chat.world import a_group
from tests.commerce.outbox import everything_told


@pytest_asyncio.fixture
async def talked(world, database, clock):
    """A room with a past: ada and ben took turns, ten messages in all."""
    async with database.transaction() as tx:
        room = a_group(tx.mint("rom"), tx.now, last_seq=10)
        people = [world["ada"], world["ben"]]
        members = [
            Member(
                room_id=room.id,
                user_id=person.id,
                user_name=person.name,
                role="member",
                joined_at=tx.now,
            )
            for person in people
        ]
        said = [
            Message(
                id=MessageId(tx.mint("msg")),
                room_id=room.id,
                seq=seq,
                version=1,
                author_id=people[seq % 2].id,
                author_name=people[seq % 2].name,
                body=f"message {seq}",
                sent_at=tx.now - timedelta(minutes=10 - seq),
            )
            for seq in range(1, 11)
        ]

    async def bring_in():
        async with database.transaction() as tx:
            await chat.import_rooms(tx, [room])
            await chat.import_members(tx, members)
            await chat.import_messages(tx, said)

    await bring_in()
    return room, said, bring_in


class TestARoomThatIsBroughtIn:
    async def test_has_its_history(self, world, talked):
        room, said, _ = talked

        assert (await world.history("ada", room.id)).messages == said

    async def test_goes_on_from_its_last_number(self, world, talked):
        room, *_ = talked

        assert (await world.send("ada", room.id)).seq == 11

    async def test_counts_what_its_members_wrote_as_read(self, world, talked):
        room, *_ = talked

        assert (await world.view("ada", room.id)).unread == 0
        assert (await world.view("ben", room.id)).unread == 1

    async def test_is_told_to_nobody(self, database, talked):
        assert await everything_told(database) == []

    async def test_again_changes_nothing(self, world, talked):
        room, said, bring_in = talked
        await world.delete("ada", room.id, said[9].id)

        await bring_in()

        history = (await world.history("ada", room.id)).messages
        assert [message.seq for message in history] == list(range(1, 11))
        assert history[9].deleted_at is not None
