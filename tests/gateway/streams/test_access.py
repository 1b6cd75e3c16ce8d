"""Who may hear a topic."""

import pytest

from gateway.streams import access
from gateway.streams.access import AccessUnknownError
from protocol.ids import UserId
from protocol.stream_names import ACCESS_BANNED, ACCESS_READY_KEY, topic_access
from protocol.topics import MalformedTopicError, Topic

ADA = UserId("usr_01JDZZZZZZZZZZZZZZZZZZZZZA")
BOB = UserId("usr_01JDZZZZZZZZZZZZZZZZZZZZZB")
ROOM = Topic("room:rom_01JDZZZZZZZZZZZZZZZZZZZZZZ")
ORDER = Topic("order:ord_01JDZZZZZZZZZZZZZZZZZZZZZZ")
PRODUCT = Topic("product:prd_01JDZZZZZZZZZZZZZZZZZZZZZZ")


@pytest.fixture
async def ready(link):
    """A projection that is complete."""
    await link.call("SET", ACCESS_READY_KEY, 1)


class TestTheTopicOfAUser:
    async def test_is_for_themselves_only(self, link):
        assert await access.role_of(link, Topic(f"user:{ADA}"), ADA) == "owner"
        assert await access.role_of(link, Topic(f"user:{BOB}"), ADA) is None


class TestTheTopicOfAProduct:
    async def test_is_for_anyone(self, link):
        assert await access.role_of(link, PRODUCT, ADA) == "reader"


@pytest.mark.parametrize("topic", [ROOM, ORDER])
class TestARoomOrAnOrder:
    async def test_is_for_those_it_names(self, link, ready, topic):
        await link.call("HSET", topic_access(topic), ADA, "member")

        assert await access.role_of(link, topic, ADA) == "member"
        assert await access.role_of(link, topic, BOB) is None

    async def test_is_for_anyone_if_it_says_so(self, link, ready, topic):
        await link.call("HSET", topic_access(topic), "*", "reader", BOB, "moderator")

        assert await access.role_of(link, topic, ADA) == "reader"
        assert await access.role_of(link, topic, BOB) == "moderator"

    async def test_is_not_for_who_was_banned_although_it_is_for_anyone(self, link, ready, topic):
        await link.call("HSET", topic_access(topic), "*", "reader", BOB, ACCESS_BANNED)

        assert await access.role_of(link, topic, ADA) == "reader"
        assert await access.role_of(link, topic, BOB) is None

    async def test_cannot_be_denied_while_the_projection_is_rebuilt(self, link, topic):
        with pytest.raises(AccessUnknownError):
            await access.role_of(link, topic, ADA)

    async def test_is_open_to_those_who_are_named_even_while_it_is_rebuilt(self, link, topic):
        await link.call("HSET", topic_access(topic), ADA, "member")

        assert await access.role_of(link, topic, ADA) == "member"


class TestWhatIsNoTopic:
    async def test_is_refused(self, link):
        with pytest.raises(MalformedTopicError):
            await access.role_of(link, Topic("room:42"), ADA)
