import asyncio

import pytest

from commerce.notifications import service
from commerce.notifications.errors import MalformedNotificationError, NotificationNotFoundError
from commerce.notifications.model import KEPT_A_USER_MAX, KEPT_DAYS_MAX, Draft
from protocol.events import NotificationReceived, NotificationsRead
from protocol.ids import NotificationId, UserId
from protocol.topics import user_topic
from tests.commerce.outbox import events_told, everything_told, forget_what_was_told

NOTHING = NotificationId("ntf_01JD0000000000000000000009")

MANY_INBOXES = "insert into notification_inboxes (user_id, last_seq) values ($1, $2)"
MANY_NOTIFICATIONS = """
    insert into notifications (id, user_id, seq, category, title, created_at)
    select 'ntf_' || seq, $1, seq, 'general', 'Hello', $3
      from generate_series(1, $2::int) as seq
"""


@pytest.fixture
def notify(database):
    """Tell a person something, in a transaction of its own."""

    async def notify(person, title="Hello", **more):
        async with database.transaction() as tx:
            return await service.notify(tx, Draft(user=person.id, title=title, **more))

    return notify


@pytest.fixture
def read(database):
    """Have a person read everything up to a notification."""

    async def read(person, up_to):
        async with database.transaction() as tx:
            return await service.mark_read(tx, person.id, up_to)

    return read


@pytest.fixture
def newest(database):
    """Read a person's list."""

    async def newest(person, *, before=None, limit=100):
        async with database.transaction() as tx:
            return await service.newest(tx, person.id, before=before, limit=limit)

    return newest


@pytest.fixture
def prune(database):
    """Run the job once."""

    async def prune():
        async with database.transaction() as tx:
            return await service.prune(tx)

    return prune


class TestTellingAUser:
    async def test_is_told_on_their_topic_with_what_is_unread(self, notify, database, ada):
        await notify(ada)
        await forget_what_was_told(database)

        told = await notify(ada, "Ready", body="At last.", link="/orders", category="orders")

        [row] = await everything_told(database)
        assert row.topic == user_topic(ada.id)
        assert row.event == NotificationReceived(notification=told.view(read_seq=0), unread=2)

    async def test_twice_under_one_key_tells_it_once(self, notify, newest, database, ada):
        first = await notify(ada, key="order-1")
        again = await notify(ada, "Something else", key="order-1")

        assert again is None
        assert (await newest(ada)).notifications == [first]
        assert (await newest(ada)).inbox.unread == 1
        assert len(await events_told(database)) == 1

    async def test_counts_keys_for_each_user(self, notify, newest, ada, ben):
        await notify(ada, key="order-1")
        await notify(ben, key="order-1")

        assert (await newest(ben)).inbox.unread == 1

    async def test_without_a_key_tells_it_each_time(self, notify, newest, ada):
        await notify(ada)
        await notify(ada)

        assert (await newest(ada)).inbox.unread == 2

    async def test_refuses_a_user_who_does_not_exist(self, database):
        stranger = UserId("usr_01JD0000000000000000000009")

        async with database.transaction() as tx:
            with pytest.raises(MalformedNotificationError):
                await service.notify(tx, Draft(user=stranger, title="Hello"))

    async def test_many_times_at_once_numbers_them_without_gaps(
        self, notify, newest, database, ada
    ):
        await asyncio.gather(*(notify(ada, f"Number {n}", key=f"key-{n % 15}") for n in range(30)))

        found = (await newest(ada)).notifications
        assert [each.seq for each in found] == list(range(15, 0, -1))
        assert [event.unread for event in await events_told(database)] == list(range(1, 16))


class TestReading:
    async def test_is_told_to_every_tab(self, notify, read, database, ada):
        told = [await notify(ada) for _ in range(3)]
        await forget_what_was_told(database)

        inbox = await read(ada, told[1].id)

        [row] = await everything_told(database)
        assert inbox.unread == 1
        assert row.topic == user_topic(ada.id)
        assert row.event == NotificationsRead(up_to=told[1].id, unread=1)

    async def test_never_goes_back(self, notify, read, database, ada):
        told = [await notify(ada) for _ in range(3)]
        await read(ada, told[2].id)
        await forget_what_was_told(database)

        inbox = await read(ada, told[0].id)

        assert inbox.unread == 0
        assert await events_told(database) == []

    async def test_from_many_tabs_ends_at_the_furthest(self, notify, read, newest, database, ada):
        told = [await notify(ada) for _ in range(8)]
        await forget_what_was_told(database)

        await asyncio.gather(*(read(ada, each.id) for each in told * 2))

        unread = [event.unread for event in await events_told(database)]
        assert (await newest(ada)).inbox.unread == 0
        assert unread == sorted(unread, reverse=True)
        assert unread[-1] == 0

    async def test_knows_only_ones_own(self, notify, read, ada, ben):
        told = await notify(ada)

        with pytest.raises(NotificationNotFoundError):
            await read(ben, told.id)
        with pytest.raises(NotificationNotFoundError):
            await read(ada, NOTHING)


class TestTheList:
    async def test_starts_with_the_newest_and_says_what_is_read(self, notify, read, newest, ada):
        told = [await notify(ada) for _ in range(3)]
        await read(ada, told[0].id)

        listed = await newest(ada)

        assert listed.notifications == told[::-1]
        assert [each.view(read_seq=listed.inbox.read_seq).read for each in told] == [
            True,
            False,
            False,
        ]

    async def test_comes_by_the_page(self, notify, newest, ada):
        told = [await notify(ada) for _ in range(5)]

        first = (await newest(ada, limit=3)).notifications
        rest = (await newest(ada, before=first[-1].place, limit=3)).notifications

        assert [*first, *rest] == told[::-1]

    async def test_of_somebody_who_was_told_nothing_is_empty(self, newest, ada):
        listed = await newest(ada)

        assert (listed.notifications, listed.inbox.unread) == ([], 0)


class TestTidyingUp:
    async def test_deletes_what_is_too_old(self, notify, newest, prune, clock, ada, ben):
        await notify(ada, "old")
        clock.advance(days=KEPT_DAYS_MAX, seconds=1)
        kept = await notify(ada, "new")
        await notify(ben)

        assert await prune() == 1

        listed = await newest(ada)
        assert listed.notifications == [kept]
        assert listed.inbox.unread == 1
        assert (await newest(ben)).inbox.unread == 1

    async def test_keeps_a_users_newest_thousand(self, notify, newest, prune, database, ada):
        async with database.transaction() as tx:
            await tx.execute(MANY_INBOXES, ada.id, KEPT_A_USER_MAX + 6)
            await tx.execute(MANY_NOTIFICATIONS, ada.id, KEPT_A_USER_MAX + 6, tx.now)
        await notify(ada)

        assert await prune() == 7

        listed = await newest(ada, limit=2_000)
        assert len(listed.notifications) == KEPT_A_USER_MAX
        assert listed.inbox.unread == KEPT_A_USER_MAX

    async def test_is_done_once(self, notify, prune, clock, ada):
        await notify(ada)
        clock.advance(days=KEPT_DAYS_MAX, seconds=1)

        assert await prune() == 1
        assert await prune() == 0

    async def test_leaves_the_numbering_as_it_is(self, notify, prune, clock, ada):
        await notify(ada)
        clock.advance(days=KEPT_DAYS_MAX, seconds=1)
        await prune()

        assert (await notify(ada)).seq == 2
