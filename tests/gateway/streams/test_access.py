"""Who may hear a topic."""

import pytest

from gateway.streams.access import AccessUnknownError, Right, right_of, rights_of
from protocol.ids import UserId
from protocol.stream_names import ACCESS_BANNED, ACCESS_READY_KEY, access_muted, topic_access
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


async def role_of(link, topic, user):
    right = await right_of(link, topic, user)
    return None if right is None else right.role


class TestTheTopicOfAUser:
    async def test_is_for_themselves_only(self, link):
        assert await role_of(link, Topic(f"user:{ADA}"), ADA) == "owner"
        assert await role_of(link, Topic(f"user:{BOB}"), ADA) is None


class TestTheTopicOfAProduct:
    async def test_is_for_anyone(self, link):
        assert await role_of(link, PRODUCT, ADA) == "reader"


@pytest.mark.parametrize("topic", [ROOM, ORDER])
class TestARoomOrAnOrder:
    async def test_is_for_those_it_names(self, link, ready, topic):
        await link.call("HSET", topic_access(topic), ADA, "member")

        assert await role_of(link, topic, ADA) == "member"
        assert await role_of(link, topic, BOB) is None

    async def test_is_for_anyone_if_it_says_so(self, link, ready, topic):
        await link.call("HSET", topic_access(topic), "*", "reader", BOB, "moderator")

        assert await role_of(link, topic, ADA) == "reader"
        assert await role_of(link, topic, BOB) == "moderator"

    async def test_is_not_for_who_was_banned_although_it_is_for_anyone(self, link, ready, topic):
        await link.call("HSET", topic_access(topic), "*", "reader", BOB, ACCESS_BANNED)

        assert await role_of(link, topic, ADA) == "reader"
        assert await role_of(link, topic, BOB) is None

    async def test_cannot_be_denied_while_the_projection_is_rebuilt(self, link, topic):
        with pytest.raises(AccessUnknownError):
            await role_of(link, topic, ADA)

    async def test_is_open_to_those_who_are_named_even_while_it_is_rebuilt(self, link, topic):
        await link.call("HSET", topic_access(topic), ADA, "member")

        assert await role_of(link, topic, ADA) == "member"


class TestWhoIsMuted:
    async def test_may_hear_and_not_write_until_then(self, link, ready):
        muted = {BOB: 1_790_000_000_000, ADA: 5}
        fields = [word for user, until in muted.items() for word in (access_muted(user), until)]
        await link.call("HSET", topic_access(ROOM), "*", "reader", BOB, "member", *fields)

        assert await right_of(link, ROOM, BOB) == Right("member", 1_790_000_000_000)
        assert await right_of(link, ROOM, ADA) == Right("reader", 5)


class TestManyAtOnce:
    async def test_are_told_apart(self, link, ready):
        users = [UserId(f"usr_{number:026d}") for number in range(600)]
        fields = [word for user in users[::2] for word in (user, "member")]
        await link.call("HSET", topic_access(ROOM), *fields, access_muted(users[4]), 7)

        rights = await rights_of(link, ROOM, users)

        assert list(rights) == users
        assert [user for user, right in rights.items() if right is not None] == users[::2]
        assert rights[users[4]] == Right("member", 7)


class TestWhatIsNoTopic:
    async def test_is_refused(self, link):
        with pytest.raises(MalformedTopicError):
            await role_of(link, Topic("room:42"), ADA)
