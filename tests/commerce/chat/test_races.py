import asyncio

import pytest

from commerce.chat import service as chat
from commerce.chat.errors import RoomNotFoundError
from commerce.chat.model import Draft, Enclosed
from protocol.events import MemberJoined, MessageSent, ReadMarked
from protocol.topics import room_topic, user_topic
from tests.commerce.outbox import events_told, forget_what_was_told

DEADLINE_SECONDS = 10

WAITING = """
    select count(*)
      from pg_stat_activity
     where datname = current_database()
       and wait_event_type = 'Lock'
"""


async def wait_until_somebody_waits(database):
    """Return once another transaction waits for a lock."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            async with database.transaction() as tx:
                if await tx.value(int, WAITING) > 0:
                    return
            await asyncio.sleep(0.01)


class TestTwentySendersAtOnce:
    async def test_get_numbers_without_gaps(self, world, database):
        names = [f"sender{number}" for number in range(20)]
        await world.add_people(*names)
        room = await world.open_group("ada", *names)

        sent = await asyncio.gather(*(world.send(name, room) for name in names * 10))

        assert sorted(message.seq for message in sent) == list(range(1, 201))

    async def test_are_told_once_each_and_in_order(self, world, database):
        names = [f"sender{number}" for number in range(20)]
        await world.add_people(*names)
        room = await world.open_group("ada", *names)
        await forget_what_was_told(database)

        await asyncio.gather(*(world.send(name, room) for name in names * 10))

        told = await events_told(database, room_topic(room))
        assert [event.message.seq for event in told] == list(range(1, 201))

    async def test_join_a_public_room_once_each(self, world, database, product_room):
        names = [f"sender{number}" for number in range(20)]
        await world.add_people(*names)

        await asyncio.gather(*(world.send(name, product_room) for name in names * 5))

        told = await events_told(database, room_topic(product_room))
        joined = [event.member.name for event in told if isinstance(event, MemberJoined)]
        seqs = [event.message.seq for event in told if isinstance(event, MessageSent)]
        assert sorted(joined) == sorted(names)
        assert seqs == list(range(1, 101))


class TestTwoWhoOpenTheirRoomAtOnce:
    async def test_meet_in_the_same_one(self, world):
        opened = await asyncio.gather(
            *(world.open_direct("ada", "ben") for _ in range(10)),
            *(world.open_direct("ben", "ada") for _ in range(10)),
        )

        assert len(set(opened)) == 1
        assert await world.roles(opened[0]) == {"ada": "member", "ben": "member"}

    async def test_hear_of_it_once(self, world, database):
        await asyncio.gather(*(world.open_direct("ada", "ben") for _ in range(10)))

        told = await events_told(database, user_topic(world.id("ben")))
        assert len(told) == 1

    async def test_get_the_room_of_the_one_who_waited_less(self, world, database):
        async with database.transaction() as tx:
            first = await chat.open_direct(tx, world["ada"], [world.id("ben")])
            other = asyncio.create_task(world.open_direct("ben", "ada"))
            await wait_until_somebody_waits(database)

        assert await other == first


class TestMarkingAsReadFromManyTabs:
    async def test_ends_at_the_furthest_mark(self, world, database):
        room = await world.open_group("ada", "ben")
        for _ in range(30):
            await world.send("ada", room)
        await forget_what_was_told(database)

        marks = [seq for seq in range(1, 31) for _ in range(3)]
        await asyncio.gather(*(world.mark_read("ben", room, seq) for seq in marks))

        told = await events_told(database, user_topic(world.id("ben")))
        assert (await world.view("ben", room)).read_seq == 30
        assert told[-1] == ReadMarked(room=room, seq=30, unread=0)
        assert [event.seq for event in told] == sorted({event.seq for event in told})

    async def test_never_waits_for_a_busy_room(self, world, database):
        room = await world.open_group("ada", "ben")
        await world.send("ada", room)

        async with database.transaction() as tx, asyncio.timeout(DEADLINE_SECONDS):
            await chat.send(tx, world["ben"], room, "a batch that takes its time")
            await world.mark_read("ben", room, 1)

        assert (await world.view("ben", room)).unread == 0


class TestAMemberWhoIsSentAwayWhileWriting:
    async def test_writes_nothing_more(self, world, database):
        room = await world.open_group("ada", "ben")
        await world.send("ben", room)

        async with database.transaction() as tx:
            await chat.remove(tx, world.id("ada"), room, world.id("ben"))
            late = asyncio.create_task(world.send("ben", room))
            await wait_until_somebody_waits(database)

        with pytest.raises(RoomNotFoundError):
            await late
        assert (await world.view("ada", room)).last_seq == 1


class TestAGuestWhoWritesWhileBeingInvited:
    async def test_is_heard(self, world, database):
        room = await world.open_group("ada")

        async with database.transaction() as tx:
            await chat.invite(tx, world.id("ada"), room, world.id("ben"))
            early = asyncio.create_task(world.send("ben", room))
            await wait_until_somebody_waits(database)

        assert (await early).seq == 1


class TestTheLastSeatOfAGroup:
    async def test_is_taken_once(self, world):
        names = [f"guest{number}" for number in range(58)]
        await world.add_people(*names)
        room = await world.open_group("ada", *names[:48])

        outcomes = await asyncio.gather(
            *(world.invite("ada", room, name) for name in names[48:]), return_exceptions=True
        )

        assert len(await world.roles(room)) == 50
        assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 9


class TestEverythingAtOnce:
    async def test_neither_deadlocks_nor_leaves_a_gap(self, world, database, product_room):
        names = [f"person{number}" for number in range(12)]
        await world.add_people(*names)

        async def live(name):
            for turn in range(8):
                sent = await world.send(name, product_room, f"turn {turn}")
                await world.mark_read(name, product_room, sent.seq - 1)
                await world.edit(name, product_room, sent.id, f"turn {turn}, corrected")
                if turn % 3 == 0:
                    await world.leave(name, product_room)
                if turn % 4 == 0:
                    await world.delete(name, product_room, sent.id)

        await asyncio.gather(*(live(name) for name in names))

        seqs = [
            event.message.seq
            for event in await events_told(database, room_topic(product_room))
            if isinstance(event, MessageSent)
        ]
        assert seqs == list(range(1, 97))

    async def test_holds_for_batches_of_commands_of_many_rooms(self, world, database):
        """As the command consumer has them: senders by room, readers by user, many at a time."""
        names = ["ada", "ben", "cleo", "dan"]
        rooms = [await world.open_group(*names) for _ in range(6)]

        async def send_batches(room):
            for _ in range(10):
                async with database.transaction() as tx:
                    await chat.send_all(
                        tx,
                        [
                            Draft(
                                author=world[name], room_id=room, text="hello", enclosed=Enclosed()
                            )
                            for name in names
                        ],
                    )

        async def read_batches(name):
            for seq in range(1, 11):
                async with database.transaction() as tx:
                    for room in sorted(rooms, key=lambda room: hash((room, seq, name))):
                        await chat.mark_read(tx, world.id(name), room, seq)

        async with asyncio.timeout(DEADLINE_SECONDS * 3):
            await asyncio.gather(*map(send_batches, rooms), *map(read_batches, names))

        assert [(await world.view("ada", room)).last_seq for room in rooms] == [40] * 6
