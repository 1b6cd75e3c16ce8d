import pytest

from commerce.chat.errors import InvalidRoomError, RoomFullError, RoomNotFoundError
from commerce.chat.model import GROUP_MEMBERS_MAX
from protocol.ids import ProductId, RoomId
from protocol.topics import room_topic
from tests.commerce.outbox import everything_told, forget_what_was_told

PRODUCT = ProductId("prd_01JD0000000000000000000001")


class TestTheRoomOfAProduct:
    async def test_has_the_ulid_of_the_product(self, product_room):
        assert product_room == "rom_01JD0000000000000000000001"

    async def test_is_there_for_anyone_signed_in(self, world, database, product_room):
        [grant] = await everything_told(database)

        assert (grant.kind, grant.topic) == ("grant", room_topic(product_room))
        assert (grant.member, grant.role) == ("*", "reader")

    async def test_can_be_read_without_signing_in(self, world, product_room):
        sent = await world.send("ada", product_room)

        assert (await world.history(None, product_room)).messages == [sent]
        assert (await world.view(None, product_room)).unread == 0
        assert [member.user_name for member in await world.members(None, product_room)] == ["ada"]

    async def test_opened_again_takes_the_new_title_and_keeps_what_was_said(
        self, world, database, product_room
    ):
        await world.send("ada", product_room)
        await forget_what_was_told(database)

        again = await world.open_product_room(PRODUCT, "Better brushes")

        seen = await world.view(None, again)
        assert (again, seen.title, seen.last_seq) == (product_room, "Better brushes", 1)
        assert await everything_told(database) == []


class TestAGroup:
    async def test_is_owned_by_who_made_it(self, world):
        room = await world.open_group("ada", "ben", "ada", "ben")

        assert await world.roles(room) == {"ada": "owner", "ben": "member"}

    async def test_has_its_title_on_one_line(self, world):
        room = await world.open_group("ada", title=" Two\nlines ")

        assert (await world.view("ada", room)).title == "Two lines"

    @pytest.mark.parametrize("title", ["", " \u200b ", "x" * 81])
    async def test_needs_a_title_to_see(self, world, title):
        with pytest.raises(InvalidRoomError):
            await world.open_group("ada", title=title)

    async def test_has_at_most_fifty_members(self, world):
        names = [f"guest{number}" for number in range(GROUP_MEMBERS_MAX)]
        await world.add_people(*names)

        with pytest.raises(RoomFullError):
            await world.open_group("ada", *names)

    async def test_shows_nothing_to_others(self, world):
        room = await world.open_group("ada", "ben")

        for stranger in ("cleo", None):
            for look in (world.view, world.history, world.members):
                with pytest.raises(RoomNotFoundError):
                    await look(stranger, room)


class TestTheRoomOfTwo:
    async def test_is_the_same_whoever_opens_it(self, world):
        first = await world.open_direct("ada", "ben")

        assert await world.open_direct("ben", "ada") == first
        assert await world.open_direct("ada", "cleo") != first

    async def test_has_the_other_for_a_title(self, world):
        room = await world.open_direct("ada", "ben")

        assert (await world.view("ada", room)).title == "ben"
        assert (await world.view("ben", room)).title == "ada"
        [listed] = await world.rooms_of("ben")
        assert listed.summary.title == "ada"

    async def test_needs_somebody_else(self, world):
        with pytest.raises(InvalidRoomError):
            await world.open_direct("ada", "ada")


class TestTheListOfOnesRooms:
    async def test_starts_with_what_was_written_in_last(self, world, product_room):
        group = await world.open_group("ada", "ben")
        direct = await world.open_direct("ada", "ben")
        await world.send("ada", product_room)
        last = await world.send("ben", group)

        listed = await world.rooms_of("ada")

        assert [each.summary.id for each in listed] == [group, product_room, direct]
        assert listed[0].last_message == last
        assert listed[2].last_message is None

    async def test_counts_what_is_unread(self, world):
        room = await world.open_group("ada", "ben")
        for _ in range(3):
            await world.send("ada", room)
        await world.mark_read("ben", room, 1)

        [for_ben], [for_ada] = await world.rooms_of("ben"), await world.rooms_of("ada")

        assert (for_ben.summary.unread, for_ben.summary.read_seq) == (2, 1)
        assert for_ada.summary.unread == 0

    async def test_comes_by_the_page_without_holes_or_doubles(self, world):
        rooms = [await world.open_group("ada") for _ in range(7)]

        pages, after = [], None
        while page := await world.rooms_of("ada", after=after, limit=3):
            pages.append([each.summary.id for each in page])
            after = page[-1].place

        assert [len(page) for page in pages] == [3, 3, 1]
        assert [room for page in pages for room in page] == rooms[::-1]

    async def test_of_somebody_in_none_is_empty(self, world, product_room):
        assert await world.rooms_of("dan") == []


class TestTheMembersOfARoom:
    async def test_come_in_the_order_in_which_they_joined_by_the_page(self, world, product_room):
        for name in ("cleo", "ada", "dan", "ben"):
            await world.join(name, product_room)

        first = await world.members("ada", product_room, limit=3)
        rest = await world.members("ada", product_room, after=first[-1].place, limit=3)

        assert [member.user_name for member in first] == ["cleo", "ada", "dan"]
        assert [member.user_name for member in rest] == ["ben"]


class TestTheHistory:
    @pytest.mark.parametrize(
        ("asked", "seqs", "more"),
        [
            ({"limit": 3}, [8, 9, 10], True),
            ({"limit": 10}, list(range(1, 11)), False),
            ({"before": 4, "limit": 2}, [2, 3], True),
            ({"before": 3, "limit": 2}, [1, 2], False),
            ({"after": 7, "limit": 2}, [8, 9], True),
            ({"after": 8, "limit": 2}, [9, 10], False),
            ({"after": 10}, [], False),
            ({"after": 2, "before": 5}, [3, 4], False),
            ({"after": 2, "before": 8, "limit": 3}, [3, 4, 5], True),
            ({"before": 0}, [], False),
        ],
    )
    async def test_is_read_in_both_directions_oldest_first(self, world, asked, seqs, more):
        room = await world.open_group("ada")
        for _ in range(10):
            await world.send("ada", room)

        history = await world.history("ada", room, **asked)

        assert [message.seq for message in history.messages] == seqs
        assert history.more is more

    async def test_of_a_missing_room_cannot_be_read(self, world):
        with pytest.raises(RoomNotFoundError):
            await world.history("ada", RoomId("rom_01JD0000000000000000000009"))
