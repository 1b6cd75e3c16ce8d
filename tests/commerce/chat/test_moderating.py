import asyncio

import pytest

from commerce.chat import service as chat
from commerce.chat.errors import (
    BannedError,
    InvalidMuteError,
    MemberNotFoundError,
    MessageDeletedError,
    MutedError,
    ReportNotFoundError,
    RoomForbiddenError,
    RoomNotFoundError,
    SlowModeError,
    UserBannedError,
)
from protocol.events import MemberBanned, MemberChanged, MemberLeft, MemberUnbanned, RoomChanged
from protocol.stream_names import access_muted
from protocol.topics import room_topic
from shared.clock import unix_ms
from tests.commerce.chat.test_races import wait_until_somebody_waits
from tests.commerce.outbox import events_told, everything_told, forget_what_was_told


class TestChangingARole:
    async def test_makes_a_moderator_and_a_member_again(self, world, database):
        room = await world.open_group("ada", "ben")
        await forget_what_was_told(database)

        await world.change_role("ada", room, "ben", "moderator")
        assert await world.roles(room) == {"ada": "owner", "ben": "moderator"}
        await world.change_role("ada", room, "ben", "member")

        assert await world.roles(room) == {"ada": "owner", "ben": "member"}
        told = await events_told(database, room_topic(room))
        assert told == [
            MemberChanged(room=room, user=world.id("ben"), role="moderator"),
            MemberChanged(room=room, user=world.id("ben"), role="member"),
        ]

    async def test_to_owner_gives_the_group_away(self, world):
        room = await world.open_group("ada", "ben")

        await world.change_role("ada", room, "ben", "owner")

        assert await world.roles(room) == {"ada": "moderator", "ben": "owner"}

    async def test_from_two_sides_leaves_one_owner(self, world):
        room = await world.open_group("ada", "ben", "cleo")

        await asyncio.gather(
            world.change_role("ada", room, "ben", "owner"),
            world.change_role("ada", room, "cleo", "owner"),
            return_exceptions=True,
        )

        assert list((await world.roles(room)).values()).count("owner") == 1

    async def test_is_for_the_owner_over_members_of_the_group(self, world):
        room = await world.open_group("ada", "ben", "cleo")
        await world.make_moderator(room, "ben")

        with pytest.raises(RoomForbiddenError):
            await world.change_role("ben", room, "cleo", "moderator")
        with pytest.raises(MemberNotFoundError):
            await world.change_role("ada", room, "dan", "moderator")
        with pytest.raises(RoomNotFoundError):
            await world.change_role("dan", room, "cleo", "moderator")

    async def test_in_a_products_room_is_for_staff_who_need_not_be_in_it(self, world, product_room):
        await world.join("ada", product_room)
        await world.make_staff("dan")

        with pytest.raises(RoomForbiddenError):
            await world.change_role("dan", product_room, "ada", "owner")
        await world.change_role("dan", product_room, "ada", "moderator")

        assert (await world.roles(product_room))["ada"] == "moderator"


class TestMuting:
    async def test_lets_a_member_read_only_until_then(self, world, product_room):
        await world.send("ben", product_room)
        message = await world.send("ada", product_room)
        await world.make_moderator(product_room, "ada")

        await world.mute("ada", product_room, "ben", seconds=100)

        with pytest.raises(MutedError) as refused:
            await world.send("ben", product_room)
        assert refused.value.retry_after_ms == 99_000
        with pytest.raises(MutedError):
            await world.react("ben", product_room, message.id)
        await world.history("ben", product_room)
        world.clock.advance(seconds=100)
        await world.send("ben", product_room)

    async def test_is_not_escaped_by_leaving_and_coming_back(self, world, product_room):
        await world.send("ben", product_room)
        await world.make_staff("ada")
        await world.mute("ada", product_room, "ben", seconds=1000)

        await world.leave("ben", product_room)

        with pytest.raises(MutedError):
            await world.send("ben", product_room)

    async def test_is_ended_by_a_moderator(self, world):
        room = await world.open_group("ada", "ben")
        await world.mute("ada", room, "ben", seconds=1000)

        await world.mute("ada", room, "ben", seconds=None)

        await world.send("ben", room)

    async def test_holds_over_lower_ranks_and_for_a_year_at_most(self, world):
        room = await world.open_group("ada", "ben", "cleo")
        await world.make_moderator(room, "ben")

        with pytest.raises(RoomForbiddenError):
            await world.mute("ben", room, "ada", seconds=10)
        with pytest.raises(RoomForbiddenError):
            await world.mute("cleo", room, "ben", seconds=10)
        with pytest.raises(InvalidMuteError):
            await world.mute("ben", room, "cleo", seconds=400 * 86_400)

    async def test_is_projected_for_the_gateways_as_long_as_it_lasts(self, world, database):
        room = await world.open_group("ada", "ben")
        topic, field = room_topic(room), access_muted(world.id("ben"))
        muted = await world.mute("ada", room, "ben", seconds=1000)
        until_ms = str(unix_ms(muted.muted_until))
        rights = await world.rights()
        await world.mute("ada", room, "ben", seconds=None)
        rights_after = await world.rights()

        told = [row for row in await everything_told(database, topic) if row.member == field]
        assert rights[topic, field] == until_ms
        assert (topic, field) not in rights_after
        assert [(row.kind, row.role) for row in told] == [("grant", until_ms), ("revoke", None)]

    async def test_stops_a_message_that_waits_for_the_room(self, world, database):
        room = await world.open_group("ada", "ben")
        async with database.transaction() as tx:
            until = tx.now.replace(year=tx.now.year + 1)
            await chat.mute(tx, world.id("ada"), room, world.id("ben"), until=until)
            late = asyncio.create_task(world.send("ben", room))
            await wait_until_somebody_waits(database)

        with pytest.raises(MutedError):
            await late
        assert (await world.view("ada", room)).last_seq == 0


class TestBanning:
    async def test_ends_a_membership_and_its_right_at_once(self, world, database):
        room = await world.open_group("ada", "ben")
        await forget_what_was_told(database)

        await world.ban("ada", room, "ben", "Spam")

        told = await everything_told(database)
        assert [(row.kind, row.member) for row in told[:1]] == [("revoke", world.id("ben"))]
        assert [row.event for row in told if row.topic == room_topic(room)][1:] == [
            MemberLeft(room=room, user=world.id("ben")),
            MemberBanned(room=room, user=world.id("ben")),
        ]
        for act in (world.history("ben", room), world.send("ben", room), world.join("ben", room)):
            with pytest.raises(RoomNotFoundError):
                await act

    async def test_keeps_somebody_from_being_invited_until_it_is_lifted(self, world, database):
        room = await world.open_group("ada", "ben")
        await world.ban("ada", room, "ben")
        with pytest.raises(UserBannedError):
            await world.invite("ada", room, "ben")

        await world.lift_ban("ada", room, "ben")
        await world.invite("ada", room, "ben")

        assert (await world.roles(room))["ben"] == "member"
        assert MemberUnbanned(room=room, user=world.id("ben")) in await events_told(database)

    async def test_from_a_public_room_leaves_only_what_anyone_may_read(self, world, product_room):
        message = await world.send("ben", product_room)
        await world.make_moderator(product_room, "ben")
        await world.make_staff("ada")

        await world.ban("ada", product_room, "ben")

        assert await world.roles(product_room) == {"*": "reader", "ben": "banned"}
        assert len((await world.history("ben", product_room)).messages) == 1
        for act in (
            world.join("ben", product_room),
            world.send("ben", product_room),
            world.react("ben", product_room, message.id),
        ):
            with pytest.raises(BannedError):
                await act

    async def test_from_a_public_room_is_lifted_without_a_trace(self, world, product_room):
        await world.make_staff("ada")
        await world.ban("ada", product_room, "ben")

        await world.lift_ban("ada", product_room, "ben")

        assert await world.roles(product_room) == {"*": "reader"}
        await world.send("ben", product_room)

    async def test_is_for_moderators_over_members(self, world, product_room):
        room = await world.open_group("ada", "ben", "cleo")
        await world.make_staff("dan")
        await world.make_moderator(room, "ben")
        await world.send("cleo", product_room)

        with pytest.raises(RoomForbiddenError):
            await world.ban("ben", room, "ada")
        with pytest.raises(RoomForbiddenError):
            await world.ban("cleo", product_room, "ada")
        await world.make_moderator(product_room, "cleo")
        with pytest.raises(RoomForbiddenError):
            await world.ban("cleo", product_room, "dan")

    async def test_while_the_banned_one_writes_and_joins_lets_nothing_through(
        self, world, database, product_room
    ):
        await world.make_staff("ada")
        async with database.transaction() as tx:
            await chat.ban(tx, world.id("ada"), product_room, world.id("ben"), reason="")
            late = [
                asyncio.create_task(world.send("ben", product_room)),
                asyncio.create_task(world.join("ben", product_room)),
            ]
            await wait_until_somebody_waits(database)

        outcomes = await asyncio.gather(*late, return_exceptions=True)

        assert [type(outcome) for outcome in outcomes] == [BannedError, BannedError]
        assert "ben" not in [
            name for name, role in (await world.roles(product_room)).items() if role == "member"
        ]


class TestSlowMode:
    async def test_makes_members_wait_and_says_how_long(self, world, database):
        room = await world.open_group("ada", "ben")
        await world.set_slow_mode("ada", room, 30)
        await world.send("ben", room)

        with pytest.raises(SlowModeError) as refused:
            await world.send("ben", room)
        assert refused.value.temporary
        assert refused.value.retry_after_ms == 29_000
        world.clock.advance(seconds=29)
        await world.send("ben", room)

        assert RoomChanged(room=room, slow_mode_seconds=30) in await events_told(database)

    async def test_exempts_moderators(self, world):
        room = await world.open_group("ada", "ben")
        await world.make_moderator(room, "ben")
        await world.set_slow_mode("ben", room, 30)

        for _ in range(3):
            await world.send("ada", room)
            await world.send("ben", room)

    async def test_is_for_moderators_to_set(self, world):
        room = await world.open_group("ada", "ben")

        with pytest.raises(RoomForbiddenError):
            await world.set_slow_mode("ben", room, 30)

    async def test_lets_one_of_twenty_messages_at_once_through(self, world):
        room = await world.open_group("ada", "ben")
        await world.set_slow_mode("ada", room, 3_600)

        outcomes = await asyncio.gather(
            *(world.send("ben", room) for _ in range(20)), return_exceptions=True
        )

        refused = [outcome for outcome in outcomes if isinstance(outcome, SlowModeError)]
        assert len(refused) == 19
        assert (await world.view("ada", room)).last_seq == 1

    async def test_is_not_escaped_by_leaving_and_coming_back(self, world, product_room):
        await world.make_staff("ada")
        await world.set_slow_mode("ada", product_room, 3_600)
        await world.send("ben", product_room)

        await world.leave("ben", product_room)

        with pytest.raises(SlowModeError):
            await world.send("ben", product_room)

    async def test_lets_a_newcomer_write_at_once(self, world, product_room):
        await world.make_staff("ada")
        await world.set_slow_mode("ada", product_room, 3_600)

        assert (await world.send("cleo", product_room)).seq == 1


class TestReporting:
    async def test_is_seen_by_moderators_once_a_person(self, world):
        room = await world.open_group("ada", "ben", "cleo")
        message = await world.send("ben", room, "Buy my things")

        await world.report("cleo", room, message.id, "Spam")
        await world.report("cleo", room, message.id, "Still spam")

        [report] = await world.reports_of("ada", room)
        assert (report.body, report.reason) == ("Buy my things", "Spam")
        assert (report.author_id, report.reporter_id) == (world.id("ben"), world.id("cleo"))

    async def test_is_settled_once(self, world):
        room = await world.open_group("ada", "ben")
        message = await world.send("ben", room)
        await world.report("ben", room, message.id)
        [report] = await world.reports_of("ada", room)

        async with world.act() as tx:
            await chat.settle_report(tx, world.id("ada"), room, report.id)

        assert await world.reports_of("ada", room) == []
        with pytest.raises(ReportNotFoundError):
            async with world.act() as tx:
                await chat.settle_report(tx, world.id("ada"), room, report.id)

    async def test_is_neither_seen_by_members_nor_made_by_strangers(self, world):
        room = await world.open_group("ada", "ben")
        message = await world.send("ben", room)

        with pytest.raises(RoomForbiddenError):
            await world.reports_of("ben", room)
        with pytest.raises(RoomNotFoundError):
            await world.report("dan", room, message.id)
        await world.delete("ben", room, message.id)
        with pytest.raises(MessageDeletedError):
            await world.report("ada", room, message.id)

    async def test_is_listed_for_staff_across_rooms_newest_first(self, world, product_room):
        room = await world.open_group("ada", "ben")
        first = await world.send("ben", room)
        second = await world.send("cleo", product_room)
        await world.report("ada", room, first.id)
        await world.report("ada", product_room, second.id)

        async with world.act() as tx:
            newest = await chat.all_reports(tx, before=None, limit=1)
            rest = await chat.all_reports(tx, before=newest[0].id, limit=5)

        assert [report.message_id for report in (*newest, *rest)] == [second.id, first.id]
