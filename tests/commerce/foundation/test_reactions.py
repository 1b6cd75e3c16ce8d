import pytest
import pytest_asyncio

from commerce.foundation.publisher import open_publisher
from commerce.foundation.reactions import ATTEMPTS_MAX, Reaction
from commerce.foundation.relay import Relay
from commerce.foundation.settings import RedisSettings
from protocol.events import CommandCommitted, NotificationsRead
from protocol.ids import NotificationId, UserId
from protocol.topics import user_topic
from tests.commerce.outbox import events_told

ADA = user_topic(UserId("usr_01JD0000000000000000000001"))
BEN = user_topic(UserId("usr_01JD0000000000000000000002"))
HEARD = NotificationsRead(up_to=NotificationId("ntf_01JD0000000000000000000001"), unread=0)
ECHO = CommandCommitted(key="echo")


class KilledError(Exception):
    """The worker is gone."""


class RelayThatDies(Relay):
    """Is killed after it has published and before it has marked anything."""

    async def _mark(self, connection, rows):
        raise KilledError


class BadDayError(Exception):
    """A reaction fails."""


@pytest_asyncio.fixture
async def publisher(redis_url):
    async with open_publisher(RedisSettings(url=redis_url)) as publisher:
        yield publisher


@pytest.fixture
def relay(database, database_settings, publisher):
    """Make a relay with one reaction, which may be killed."""

    def relay(run, kind=Relay):
        reaction = Reaction(name="test.reaction", event=NotificationsRead, run=run)
        return kind(database_settings, database=database, publisher=publisher, reactions=[reaction])

    return relay


@pytest.fixture
def turn(database):
    """Have a relay publish what is waiting."""

    async def turn(relay):
        async with database._pool.acquire() as connection:
            return await relay.relay_batch(connection)

    return turn


@pytest.fixture
def tell(database):
    """Tell an event on some topics, as one fact."""

    async def tell(event, *topics):
        async with database.transaction() as tx:
            event_id = None
            for topic in topics:
                event_id = await tx.emit(topic, event, event_id=event_id)

    return tell


async def echo(tx, _event):
    """Answer an event with another."""
    await tx.emit(BEN, ECHO)


async def fail(tx, _event):
    """Do half of it."""
    await tx.emit(BEN, ECHO)
    raise BadDayError


class TestAReaction:
    async def test_is_kept_with_the_mark_of_publication(self, relay, turn, tell, database):
        await tell(HEARD, ADA)

        await turn(relay(echo))

        assert await events_told(database, BEN) == [ECHO]

    async def test_hears_a_fact_told_on_two_topics_once(self, relay, turn, tell, database):
        await tell(HEARD, ADA, BEN)

        await turn(relay(echo))

        assert await events_told(database, BEN) == [HEARD, ECHO]

    async def test_hears_nothing_else(self, relay, turn, tell, database):
        await tell(CommandCommitted(key="notifications_read"), ADA)

        await turn(relay(echo))

        assert await events_told(database, BEN) == []

    async def test_runs_once_though_the_worker_died_after_publishing(
        self, relay, turn, tell, database
    ):
        await tell(HEARD, ADA)

        with pytest.raises(KilledError):
            await turn(relay(echo, RelayThatDies))
        await turn(relay(echo))
        await turn(relay(echo))

        assert await events_told(database, BEN) == [ECHO]


class TestAReactionThatFails:
    async def test_leaves_nothing_half_done_and_holds_up_no_other_event(
        self, relay, turn, tell, database
    ):
        await tell(HEARD, ADA)
        await tell(ECHO, ADA)
        failing = relay(fail)

        assert await turn(failing) == 2
        assert await turn(failing) == 1
        assert await events_told(database, BEN) == []

    async def test_is_given_up_after_five_tries(self, relay, turn, tell):
        await tell(HEARD, ADA)
        failing = relay(fail)

        turns = [await turn(failing) for _ in range(ATTEMPTS_MAX + 1)]

        assert turns == [1] * ATTEMPTS_MAX + [0]

    async def test_may_succeed_at_the_next_try(self, relay, turn, tell, database):
        await tell(HEARD, ADA)

        await turn(relay(fail))
        await turn(relay(echo))

        assert await events_told(database, BEN) == [ECHO]
