import itertools

import pytest

from commerce.chat.errors import (
    FixedMembersError,
    MemberNotFoundError,
    RoomForbiddenError,
    RoomFullError,
    RoomNotFoundError,
    TooManyRoomsError,
    UnknownUserError,
)
from commerce.chat.model import GROUP_MEMBERS_MAX, ROOMS_JOINED_MAX
from protocol.events import MemberJoined, MemberLeft
from protocol.ids import UserId
from protocol.topics import room_topic, user_topic
from protocol.views import Person
from tests.commerce.outbox import events_told, everything_told, forget_what_was_told


class TestJoining:
    async def test_gives_the_right_before_it_is_told(self, world, database, product_room):
        await forget_what_was_told(database)

        await world.join("ada", product_room)

        grant, event, own = await everything_told(database)
        assert (grant.kind, grant.topic) == ("grant", room_topic(product_room))
        assert (grant.member, grant.role) == (world.id("ada"), "member")
        assert event.event == MemberJoined(room=product_room, member=world["ada"])
        assert (own.topic, own.event) == (user_topic(world.id("ada")), event.event)
        assert own.event_id == event.event_id

    async def test_twice_changes_nothing(self, world, database, product_room):
        await world.join("ada", product_room)
        await forget_what_was_told(database)

        await world.join("ada", product_room)

        assert await everything_told(database) == []

    async def test_finds_nothing_unread(self, world, product_room):
        await world.send("ada", product_room)

        await world.join("ben", product_room)

        assert (await world.view("ben", product_room)).unread == 0

    async def test_is_only_for_public_rooms(self, world):
        room = await world.open_group("ada")

        with pytest.raises(RoomNotFoundError):
            await world.join("ben", room)

    async def test_ends_at_the_thousandth_room(self, world, database, product_room):
        async with database.transaction() as tx:
            await tx.execute(
                """
                insert into rooms (id, kind, title, created_at, active_at)
                select 'rom_' || n, 'group', 'x', now(), now()
                  from generate_series(1, $1::int) as n
                """,
                ROOMS_JOINED_MAX,
            )
            await tx.execute(
                """
                insert into room_members
                       (room_id, user_id, user_name, role, joined_at, joined_seq)
                select 'rom_' || n, $2, 'ada', 'member', now(), 0
                  from generate_series(1, $1::int) as n
                """,
                ROOMS_JOINED_MAX,
                world.id("ada"),
            )

        with pytest.raises(TooManyRoomsError):
            await world.join("ada", product_room)


class TestLeaving:
    async def test_takes_the_right_before_it_is_told(self, world, database):
        room = await world.open_group("ada", "ben")
        await forget_what_was_told(database)

        await world.leave("ben", room)

        revoke, event, own = await everything_told(database)
        assert (revoke.kind, revoke.member) == ("revoke", world.id("ben"))
        assert event.event == MemberLeft(room=room, user=world.id("ben"))
        assert (event.topic, own.topic) == (room_topic(room), user_topic(world.id("ben")))

    async def test_hides_a_private_room(self, world):
        room = await world.open_group("ada", "ben")

        await world.leave("ben", room)

        with pytest.raises(RoomNotFoundError):
            await world.history("ben", room)
        assert await world.rooms_of("ben") == []

    async def test_a_public_room_one_is_not_in_changes_nothing(self, world, database, product_room):
        await forget_what_was_told(database)

        await world.leave("ben", product_room)

        assert await everything_told(database) == []

    async def test_a_direct_room_is_impossible(self, world):
        room = await world.open_direct("ada", "ben")

        with pytest.raises(FixedMembersError):
            await world.leave("ada", room)

    async def test_a_foreign_room_does_not_tell_that_it_exists(self, world):
        group, direct = await world.open_group("ada"), await world.open_direct("ada", "ben")

        with pytest.raises(RoomNotFoundError):
            await world.leave("cleo", group)
        with pytest.raises(RoomNotFoundError):
            await world.leave("cleo", direct)

    async def test_by_the_owner_makes_the_eldest_moderator_the_owner(self, world):
        room = await world.open_group("ada", "ben")
        await world.invite("ada", room, "cleo")
        await world.make_moderator(room, "cleo")

        await world.leave("ada", room)

        assert await world.roles(room) == {"ben": "member", "cleo": "owner"}

    async def test_by_the_owner_is_granted_to_the_heir(self, world, database):
        room = await world.open_group("ada", "ben")
        await forget_what_was_told(database)

        await world.leave("ada", room)

        last = (await everything_told(database))[-1]
        assert (last.kind, last.member, last.role) == ("grant", world.id("ben"), "owner")

    async def test_by_the_last_member_leaves_an_empty_room(self, world):
        room = await world.open_group("ada")

        await world.leave("ada", room)

        assert await world.roles(room) == {}


class TestInviting:
    async def test_makes_the_guest_a_member(self, world, database):
        room = await world.open_group("ada")
        await forget_what_was_told(database)

        member = await world.invite("ada", room, "ben")

        assert (member.person, member.role) == (world["ben"], "member")
        assert await events_told(database, user_topic(world.id("ben"))) == [
            MemberJoined(room=room, member=world["ben"])
        ]

    async def test_again_returns_the_member_there_is(self, world, database):
        room = await world.open_group("ada")
        first = await world.invite("ada", room, "ben")
        await forget_what_was_told(database)

        again = await world.invite("ada", room, "ben")

        assert again == first
        assert await everything_told(database) == []

    async def test_is_for_the_owner_and_moderators(self, world):
        room = await world.open_group("ada", "ben")

        with pytest.raises(RoomForbiddenError):
            await world.invite("ben", room, "cleo")
        with pytest.raises(RoomNotFoundError):
            await world.invite("dan", room, "dan")

    async def test_is_not_for_rooms_of_products_or_pairs(self, world, product_room):
        await world.join("ada", product_room)
        direct = await world.open_direct("ada", "ben")

        with pytest.raises(RoomForbiddenError):
            await world.invite("ada", product_room, "ben")
        with pytest.raises(FixedMembersError):
            await world.invite("ada", direct, "cleo")

    async def test_refuses_somebody_who_does_not_exist(self, world):
        room = await world.open_group("ada")
        world.people["nobody"] = Person(id=UserId("usr_01JD0000000000000000000009"), name="x")

        with pytest.raises(UnknownUserError):
            await world.invite("ada", room, "nobody")

    async def test_refuses_the_51st_member(self, world):
        names = [f"guest{number}" for number in range(GROUP_MEMBERS_MAX)]
        await world.add_people(*names)
        room = await world.open_group("ada", *names[:-1])

        with pytest.raises(RoomFullError):
            await world.invite("ada", room, names[-1])


class TestSendingAway:
    async def test_ends_the_membership(self, world):
        room = await world.open_group("ada", "ben")

        await world.remove("ada", room, "ben")

        assert await world.roles(room) == {"ada": "owner"}

    async def test_needs_a_higher_role(self, world):
        room = await world.open_group("ada", "ben", "cleo", "dan")
        await world.make_moderator(room, "ben")
        await world.make_moderator(room, "cleo")

        await world.remove("ben", room, "dan")
        with pytest.raises(RoomForbiddenError):
            await world.remove("ben", room, "cleo")
        with pytest.raises(RoomForbiddenError):
            await world.remove("ben", room, "ada")

    async def test_oneself_is_leaving(self, world):
        room = await world.open_group("ada", "ben")

        await world.remove("ada", room, "ada")

        assert await world.roles(room) == {"ben": "owner"}

    async def test_finds_only_members(self, world):
        room = await world.open_group("ada")

        with pytest.raises(MemberNotFoundError):
            await world.remove("ada", room, "ben")

    async def test_is_not_for_rooms_of_products_or_pairs(self, world, product_room):
        await world.join("ada", product_room)
        direct = await world.open_direct("ada", "ben")

        with pytest.raises(RoomForbiddenError):
            await world.remove("ada", product_room, "ada")
        with pytest.raises(FixedMembersError):
            await world.remove("ada", direct, "ben")


class TestTheAccessProjection:
    async def test_lets_anyone_into_a_public_room(self, world, product_room):
        await world.join("ada", product_room)

        assert await world.roles(product_room) == {"*": "reader", "ada": "member"}

    async def test_names_the_members_of_a_private_one(self, world):
        room = await world.open_group("ada", "ben")

        assert await world.roles(room) == {"ada": "owner", "ben": "member"}

    async def test_is_the_sum_of_the_grants_and_revokes_told(self, world, database, product_room):
        group = await world.open_group("ada", "ben", "cleo")
        await world.open_direct("ben", "dan")
        await world.send("dan", product_room)
        await world.leave("ben", group)
        await world.leave("ada", group)

        told = {}
        for row in await everything_told(database):
            if row.kind == "grant":
                told[row.topic, row.member] = row.role
            elif row.kind == "revoke":
                told.pop((row.topic, row.member), None)

        assert told == await world.rights()

    async def test_names_everyone_of_one_room_before_the_next(self, world, database, product_room):
        others = [await world.open_group("ada", "ben", "cleo") for _ in range(5)]
        for name in ("dan", "cleo", "ben"):
            await world.join(name, product_room)

        topics = [topic for topic, _ in await world.rights()]

        changes = [here for here, after in itertools.pairwise(topics) if here != after]
        assert len(changes) == len(others)
        assert topics.count(f"room:{product_room}") == 1 + 3

    async def test_has_every_member_of_many_rooms(self, world, database):
        await world.import_crowd(rooms=50, members=90)

        assert len(await world.rights()) == 50 * 90
