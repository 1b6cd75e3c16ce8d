import asyncio
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from commerce.foundation.inbox import Inbox
from commerce.foundation.publisher import open_publisher
from commerce.foundation.relay import Relay
from commerce.foundation.settings import RedisSettings
from commerce.notifications import service
from commerce.notifications.reactions import (
    REACTIONS,
    SUBSCRIPTIONS,
    tell_of_refund,
    tell_the_buyer,
    tell_who_is_mentioned,
)
from protocol.events import (
    Mentioned,
    NotificationReceived,
    OrderDisputeClosed,
    OrderDisputed,
    OrderFulfilled,
    OrderPaid,
    OrderPaidLate,
    OrderPaymentFailed,
    OrderRefunded,
)
from protocol.ids import OrderId
from protocol.money import Money
from protocol.stream_names import (
    NOTIFICATION_DEAD_STREAM,
    NOTIFICATION_GROUP,
    NOTIFICATION_STREAM,
)
from protocol.topics import order_topic, user_topic
from protocol.views import Order, Person
from tests.commerce.outbox import events_told

SUBSCRIPTION = SUBSCRIPTIONS[0]

ORDER = OrderId("ord_01JD0000000000000000000001")


GUIDE = Path(__file__).parents[3] / "docs" / "getting-started.md"
PROGRAM = ["redis-cli", "-p", "8379"]


def the_examples():
    """Return what the guide's calls of `redis-cli` say, word by word."""
    blocks = re.findall(r"```sh\n(\s*redis-cli.*?)```", GUIDE.read_text(), re.DOTALL)
    words = [shlex.split(block.replace("\\\n", " ")) for block in blocks]
    assert all(each[:3] == PROGRAM for each in words)
    return [each[3:] for each in words]


async def say(redis_url, words):
    """Send words to the server as `redis-cli` does, and return the raw answer."""
    address = urlsplit(redis_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    encoded = [word.encode() for word in words]
    lines = [b"*%d\r\n" % len(encoded), *(b"$%d\r\n%b\r\n" % (len(one), one) for one in encoded)]
    writer.writelines(lines)
    answer = await asyncio.wait_for(reader.read(65_536), timeout=20)
    writer.close()
    await writer.wait_closed()
    return answer


class KilledError(Exception):
    """The worker is gone."""


class InboxThatDies(Inbox):
    """Is killed between the commit and the acknowledgement."""

    async def _finish(self, taken, refused):
        raise KilledError


@pytest.fixture
def worker(database_settings, redis, clock, bell):
    """A reader of the stream that lives, or is killed at its first batch."""

    def worker(kind=Inbox):
        return kind(database_settings, SUBSCRIPTION, redis=redis, clock=clock, bell=bell)

    return worker


@pytest.fixture
def take_in(worker, database):
    """Have a worker take in what is in the stream."""

    async def take_in(kind=Inbox):
        reader = worker(kind)
        await reader._prepare()
        async with database._pool.acquire() as connection:
            await reader.turn(connection)

    return take_in


@pytest.fixture
def titles_of(database):
    """What a person was told, oldest first."""

    async def titles_of(person):
        async with database.transaction() as tx:
            listed = await service.newest(tx, person.id, before=None, limit=1_000)
        return [each.title for each in reversed(listed.notifications)]

    return titles_of


class TestTheStreamOfNotifications:
    async def test_is_read_told_and_cleared(self, redis, take_in, titles_of, database, ada):
        await redis.xadd(NOTIFICATION_STREAM, {"user": ada.id, "title": "Hello", "link": "/"})

        await take_in()

        [event] = await events_told(database, user_topic(ada.id))
        assert isinstance(event, NotificationReceived)
        assert (event.notification.title, event.unread) == ("Hello", 1)
        assert await titles_of(ada) == ["Hello"]
        assert await redis.xlen(NOTIFICATION_STREAM) == 0
        pending, *_ = await redis.xpending(NOTIFICATION_STREAM, NOTIFICATION_GROUP)
        assert pending == 0

    async def test_keeps_the_order_of_each_user(self, redis, take_in, titles_of, ada, ben):
        for number in range(60):
            person = ada if number % 3 else ben
            await redis.xadd(NOTIFICATION_STREAM, {"user": person.id, "title": f"{number}"})

        await take_in()

        assert await titles_of(ada) == [f"{number}" for number in range(60) if number % 3]
        assert await titles_of(ben) == [f"{number}" for number in range(60) if not number % 3]

    async def test_tells_a_key_once_for_each_user(self, redis, take_in, titles_of, ada, ben):
        for person in (ada, ben, ada):
            entry = {"user": person.id, "title": "Hello", "key": "welcome"}
            await redis.xadd(NOTIFICATION_STREAM, entry)

        await take_in()

        assert await titles_of(ada) == ["Hello"]
        assert await titles_of(ben) == ["Hello"]

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            ({"user": "usr_01JD0000000000000000000009", "title": "Hello"}, "no user"),
            ({"title": "Hello"}, "user"),
            ({"link": "javascript:alert(1)", "title": "Hello", "user": None}, "link"),
            ({"title": "x" * 121, "user": None}, "title"),
            ({"title": "Hello", "colour": "red", "user": None}, "colour"),
        ],
    )
    async def test_puts_the_malformed_aside_with_the_reason(
        self, redis, take_in, titles_of, database, ada, said, reason
    ):
        entry = said | ({"user": ada.id} if "user" in said and said["user"] is None else {})
        await redis.xadd(NOTIFICATION_STREAM, entry)
        await redis.xadd(NOTIFICATION_STREAM, {"user": ada.id, "title": "good"})

        await take_in()

        [(_, dead)] = await redis.xrange(NOTIFICATION_DEAD_STREAM)
        fields = {name.decode(): text.decode() for name, text in dead.items()}
        assert reason in fields.pop("dead:reason")
        fields.pop("dead:entry")
        assert fields == entry
        assert await titles_of(ada) == ["good"]
        assert await redis.xlen(NOTIFICATION_STREAM) == 0


class TestTheExamplesOfTheDocumentation:
    """The words of the shell, sent as `redis-cli` sends them."""

    async def test_tell_a_user_something_and_show_what_was_refused(
        self, redis_url, redis, take_in, database, ada
    ):
        tell, look = the_examples()
        tell = [ada.id if word.startswith("usr_") else word for word in tell]

        assert re.fullmatch(rb"\$\d+\r\n\d+-\d+\r\n", await say(redis_url, tell))
        await say(redis_url, [word for word in tell if word not in {"link", "/p/inkwell-serif"}])
        await say(redis_url, [*tell[:-1], "release-3", "colour", "red"])
        await take_in()

        [event] = await events_told(database, user_topic(ada.id))
        assert event.notification.title == "Version 2 is out"
        assert event.notification.link == "/p/inkwell-serif"
        assert event.notification.category == "news"
        refused = await say(redis_url, look)
        assert b"dead:reason" in refused
        assert b"colour" in refused


class TestAWorkerKilledBetweenCommitAndAcknowledgement:
    async def test_has_told_everything_once(self, redis, take_in, titles_of, database, ada):
        for number in range(20):
            key = {"key": f"key-{number}"} if number % 2 else {}
            await redis.xadd(NOTIFICATION_STREAM, {"user": ada.id, "title": f"{number}"} | key)

        with pytest.raises(KilledError):
            await take_in(InboxThatDies)
        await redis.xadd(NOTIFICATION_STREAM, {"user": ada.id, "title": "afterwards"})
        await take_in()

        told = await events_told(database, user_topic(ada.id))
        assert await titles_of(ada) == [*(f"{number}" for number in range(20)), "afterwards"]
        assert [event.unread for event in told] == list(range(1, 22))
        assert await redis.xlen(NOTIFICATION_STREAM) == 0


class TestAMention:
    def mentioned(self, user, title="Friends"):
        return Mentioned(
            user=user.id,
            room="rom_01JD0000000000000000000001",
            room_title=title,
            message="msg_01JD0000000000000000000001",
            seq=1,
            author=Person(id="usr_01JD0000000000000000000009", name="Cleo"),
            text="@Ada have a look",
        )

    async def test_is_told_once_however_often_it_is_heard(self, database, titles_of, ada):
        for _ in range(2):
            async with database.transaction() as tx:
                await tell_who_is_mentioned(tx, self.mentioned(ada))

        assert await titles_of(ada) == ["Cleo mentioned you in Friends"]

    async def test_fits_whatever_the_room_is_called(self, database, titles_of, ada):
        async with database.transaction() as tx:
            await tell_who_is_mentioned(tx, self.mentioned(ada, title="x" * 200))

        [title] = await titles_of(ada)
        assert len(title) == 120


class TestAnOrderThatIsFulfilled:
    def fulfilled(self, buyer):
        order = Order(
            id=ORDER,
            number="R-1",
            version=3,
            state="fulfilled",
            buyer=buyer.id,
            lines=[],
            total=Money(amount_minor=0, currency="EUR"),
            placed_at_ms=0,
        )
        return OrderFulfilled(order=order, at_ms=0)

    async def test_is_told_to_the_buyer_once(self, database, titles_of, ada):
        for _ in range(2):
            async with database.transaction() as tx:
                await tell_the_buyer(tx, self.fulfilled(ada))

        assert await titles_of(ada) == ["Order R-1 is ready"]

    async def test_is_heard_of_by_the_worker(
        self, database, database_settings, redis_url, titles_of, ada
    ):
        async with database.transaction() as tx:
            event_id = await tx.emit(order_topic(ORDER), self.fulfilled(ada))
            await tx.emit(user_topic(ada.id), self.fulfilled(ada), event_id=event_id)

        async with (
            open_publisher(RedisSettings(url=redis_url)) as publisher,
            database._pool.acquire() as connection,
        ):
            relay = Relay(
                database_settings, database=database, publisher=publisher, reactions=REACTIONS
            )
            await relay.relay_batch(connection)

        assert await titles_of(ada) == ["Order R-1 is ready"]

    async def test_leads_to_the_order(self, database, ada):
        async with database.transaction() as tx:
            await tell_the_buyer(tx, self.fulfilled(ada))

        [event] = await events_told(database)
        assert event.notification.link == "/orders/ord_01JD0000000000000000000001"
        assert event.notification.category == "orders"


class TestWhatBecomesOfMoney:
    def told(self, event, buyer, **facts):
        order = Order(
            id=ORDER,
            number="R-1",
            version=3,
            state="paid",
            buyer=buyer.id,
            lines=[],
            total=Money(amount_minor=1900, currency="EUR"),
            placed_at_ms=0,
            **facts,
        )
        decided = {"won": True} if event is OrderDisputeClosed else {}
        return event(order=order, at_ms=0, **decided)

    @pytest.mark.parametrize(
        ("event", "title"),
        [
            (OrderPaid, "Order R-1 is paid"),
            (OrderPaymentFailed, "Order R-1 could not be paid"),
            (OrderPaidLate, "Order R-1 was paid too late"),
            (OrderDisputed, "Order R-1 is disputed"),
            (OrderDisputeClosed, "Order R-1 is no longer disputed"),
        ],
    )
    async def test_is_told_to_the_buyer_once(self, database, titles_of, ada, event, title):
        [reaction] = [each for each in REACTIONS if each.event is event]
        for _ in range(2):
            async with database.transaction() as tx:
                await reaction.run(tx, self.told(event, ada))

        assert await titles_of(ada) == [title]

    async def test_is_told_for_each_sum_that_was_given_back(self, database, ada):
        for amount in (500, 500, 1900):
            refunded = Money(amount_minor=amount, currency="EUR")
            async with database.transaction() as tx:
                await tell_of_refund(tx, self.told(OrderRefunded, ada, refunded=refunded))

        told = [event.notification for event in await events_told(database, user_topic(ada.id))]
        assert [each.body for each in told] == [
            "5.00 EUR of 19.00 EUR went back to you.",
            "19.00 EUR of 19.00 EUR went back to you.",
        ]
        assert {each.category for each in told} == {"payments"}

    async def test_of_a_subscription_is_told_as_such(self, database, titles_of, ada):
        [reaction] = [each for each in REACTIONS if each.event is OrderPaymentFailed]
        async with database.transaction() as tx:
            await reaction.run(tx, self.told(OrderPaymentFailed, ada, subscription="sub_1"))

        assert await titles_of(ada) == []
