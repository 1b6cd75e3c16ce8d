"""People followed by interest, in rooms or out of them, over two workers."""

import pytest
import trio

from gateway.limits import FEED_IDLE_SECONDS
from gateway.topics.people import PeopleBoard
from protocol.client_frames import SetStatus, WatchPeople
from protocol.server_frames import PersonFrame, WatchingPeople
from protocol.topics import user_topic
from protocol.views import Person
from tests.fakes.redis import FakeRedis
from tests.gateway.builders import a_user_id
from tests.gateway.house import House
from tests.gateway.presence.cluster import start_worker

SOON = 2.5
ADA, BEN = Person(id=a_user_id(), name="Ada"), Person(id=a_user_id(), name="Ben")


class Followers:
    """A worker on which clients follow people who are on another worker."""

    def __init__(self, nursery, here, there):
        self.here, self.there = here, there
        self.house = House(nursery)
        self.board = PeopleBoard(presence=here.tracker)
        here.tracker.on_change = self.board.tell
        nursery.start_soon(self.board.run)

    async def a_client(self):
        client = await self.house.enter()
        await self.house.settled()
        client.read()
        return client

    async def follow(self, client, *people):
        users = [person.id for person in people]
        await self.board.watch(client.connection, WatchPeople(id=7, users=users))
        return client.read()

    @staticmethod
    def enter(worker, person, tab="tab", *, visible=True):
        worker.tracker.enter(user_topic(person.id), person, connection=tab, visible=visible)

    @staticmethod
    def leave(worker, person, tab="tab"):
        topic = user_topic(person.id)
        worker.tracker.leave(topic, person.id, connection=tab, closing=True)


@pytest.fixture
async def followers(nursery):
    redis = FakeRedis()
    here = await start_worker(nursery, redis, "wrk_here")
    there = await start_worker(nursery, redis, "wrk_there", seed=1)
    return Followers(nursery, here, there)


@pytest.fixture
async def client(followers):
    return await followers.a_client()


def told(frames):
    """Return the states told, by user, in order."""
    states = []
    for frame in frames:
        match frame:
            case WatchingPeople():
                states += [(person.user, person.state) for person in frame.people]
            case PersonFrame():
                states.append((frame.person.user, frame.person.state))
    return states


class TestFollowing:
    async def test_is_answered_with_the_state_of_each(self, followers, client):
        followers.enter(followers.here, ADA, visible=False)
        followers.enter(followers.there, BEN)
        nobody = Person(id=a_user_id(), name="Nobody")
        await trio.sleep(SOON)

        (answer,) = await followers.follow(client, BEN, ADA, nobody)

        assert isinstance(answer, WatchingPeople)
        assert told([answer]) == [(BEN.id, "online"), (ADA.id, "away"), (nobody.id, "offline")]

    async def test_hears_each_change_once_through_the_grace(self, followers, client):
        await followers.follow(client, ADA)

        followers.enter(followers.there, ADA)
        await trio.sleep(SOON)
        followers.there.tracker.set_visible(ADA.id, connection="tab", visible=False)
        await trio.sleep(SOON)
        followers.leave(followers.there, ADA)
        await trio.sleep(14)
        assert told(client.read()) == [(ADA.id, "online"), (ADA.id, "away")]
        await trio.sleep(1 + SOON)

        assert told(client.read()) == [(ADA.id, "offline")]

    async def test_hears_nothing_of_a_reload(self, followers, client):
        followers.enter(followers.there, ADA, "before")
        await trio.sleep(SOON)
        await followers.follow(client, ADA)

        followers.leave(followers.there, ADA, "before")
        await trio.sleep(5)
        followers.enter(followers.here, ADA, "after")
        await trio.sleep(30)

        assert told(client.read()) == []

    async def test_hears_that_a_user_went_with_their_worker(self, followers, client):
        followers.enter(followers.there, ADA)
        await trio.sleep(15)
        await followers.follow(client, ADA)

        followers.there.kill()
        await trio.sleep(16)

        assert told(client.read()) == [(ADA.id, "offline")]

    async def test_of_others_takes_the_place_of_what_was_followed(self, followers, client):
        await followers.follow(client, ADA)
        await followers.follow(client, BEN)

        followers.enter(followers.there, ADA)
        followers.enter(followers.there, BEN)
        await trio.sleep(SOON)

        assert told(client.read()) == [(BEN.id, "online")]

    async def test_is_only_of_those_somebody_here_follows(self, followers, client):
        await followers.follow(client, ADA)
        channels = followers.here._channels._receivers

        heard = [name for name in channels if "user:" in name]
        assert heard == [f"topic:{{user:{ADA.id}}}:signal"]

    async def test_ends_with_the_last_follower_and_leaves_nothing_behind(self, followers, client):
        other = await followers.a_client()
        await followers.follow(client, ADA, BEN)
        await followers.follow(other, ADA)

        followers.board.leave(client.connection)
        await trio.sleep(FEED_IDLE_SECONDS + 3)
        assert followers.board.statistics().people_count == 1
        followers.board.leave(other.connection)
        await trio.sleep(FEED_IDLE_SECONDS + 3)

        left = followers.board.statistics()
        assert (left.people_count, left.follows_count) == (0, 0)
        assert followers.here.tracker.statistics().kept_count == 1  # the room of the fixture

    @pytest.mark.parametrize("seconds", [0, 0.5, 1, 2])
    async def test_begun_again_while_it_ends_goes_on(self, followers, client, seconds):
        await followers.follow(client, ADA)
        await followers.follow(client)
        await trio.sleep(FEED_IDLE_SECONDS + seconds)
        await followers.follow(client, ADA)
        client.read()

        followers.enter(followers.there, ADA)
        await trio.sleep(SOON)
        followers.leave(followers.there, ADA)
        await trio.sleep(15 + SOON)

        assert told(client.read()) == [(ADA.id, "online"), (ADA.id, "offline")]


class TestAnOutage:
    @pytest.mark.parametrize("lose_everything", [False, True])
    async def test_ends_with_the_truth(self, followers, client, lose_everything):
        redis = followers.here.link._redis
        followers.enter(followers.there, ADA)
        await trio.sleep(SOON)
        await followers.follow(client, ADA, BEN)

        redis.fail()
        followers.leave(followers.there, ADA)
        followers.enter(followers.there, BEN)
        await trio.sleep(16)
        redis.recover(lose_everything=lose_everything)
        await trio.sleep(25)  # a list that is not told again is doubted for 16 s

        assert sorted(told(client.read())) == sorted([(ADA.id, "offline"), (BEN.id, "online")])


class TestAUserOfThisWorker:
    async def test_is_present_under_their_own_topic_as_long_as_they_are_connected(self, nursery):
        house = House(nursery)
        visitor = await house.enter()
        await house.settled()
        visitor.leave()

        own = user_topic(visitor.user_id)
        assert ("enter", own, visitor.user_id, True) in house.presence.calls
        assert ("leave", own, visitor.user_id, True) in house.presence.calls

    async def test_who_is_idle_is_not_looking(self, nursery):
        house = House(nursery)
        visitor = await house.enter()
        await house.settled()

        for idle in (True, False):
            visitor.say(SetStatus(visible=True, idle=idle))
            await house.settled()

        seen = [call for call in house.presence.calls if call[0] == "set_visible"]
        assert seen == [
            ("set_visible", visitor.user_id, False),
            ("set_visible", visitor.user_id, True),
        ]
