"""What holds over all workers: sessions, the number of sockets, ended sign-ins, lost rights."""

import pytest
import trio
from trio_websocket import ConnectionClosed

from gateway.limits import CONNECTIONS_PER_USER_MAX
from gateway.streams import sockets
from gateway.streams.cluster_link import ClusterLink
from gateway.streams.slots import slot_of
from gateway.streams.sockets import Held, Holder
from protocol.client_frames import Hello, Refresh
from protocol.events import SessionRevoked
from protocol.server_frames import Error, Pong, Refreshed, Unsubscribed, Welcome
from protocol.stream_names import topic_access, topic_live_channel, user_ended_sign_ins
from protocol.topics import user_topic
from tests.gateway.builders import a_message, a_room, a_ticket, a_user_id, mint

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def workers(start_worker):
    return [await start_worker(), await start_worker()]


class Crowd:
    """Sockets that stay open until the test ends."""

    def __init__(self, nursery):
        self.nursery = nursery
        self.answers = []

    async def hello(self, worker, user, **fields):
        """Say hello; note the answer, a `Welcome` or a close code, and stay."""
        async with worker.connect() as client:
            hello = Hello(id=1, ticket=a_ticket(user), device="device-1", **fields)
            await client.send(hello)
            answer = await self._answer(client)
            self.answers.append(answer)
            if isinstance(answer, Welcome):
                self.answers.append(await client.wait_closed())

    async def _answer(self, client):
        raw = await read(client)
        return raw if isinstance(raw, int | Welcome) else await self._answer(client)

    def start(self, *args, **fields):
        self.nursery.start_soon(lambda: self.hello(*args, **fields))

    async def wait(self, condition):
        with trio.fail_after(30):
            while not condition():  # noqa: ASYNC110 - the answers come from many tasks
                await trio.sleep(0.01)

    def count(self, kind):
        return sum(isinstance(answer, kind) for answer in self.answers)


async def read(client):
    """The next frame, or the code with which the socket was closed."""
    try:
        return await client.receive()
    except ConnectionClosed as closed:
        return closed.reason.code


@pytest.fixture
async def crowd(nursery):
    return Crowd(nursery)


class TestASession:
    async def test_is_taken_over_from_another_worker(self, workers, commerce):
        user = a_user_id()
        async with workers[0].connect() as older, workers[1].connect() as newer:
            first = await older.hello(user)
            second = await newer.hello(user, session=first.session)

            assert await older.wait_closed() == 4009
            assert second.session == first.session
            assert isinstance(await newer.ping(), Pong)

    async def test_claimed_by_many_at_once_is_left_with_exactly_one(self, workers, commerce, crowd):
        user, session = a_user_id(), mint("con")
        for number in range(8):
            crowd.start(workers[number % 2], user, session=session)

        await crowd.wait(lambda: len(crowd.answers) - crowd.count(Welcome) == 7)
        async with workers[0].connect() as newest:
            await newest.hello(user, session=session)
            await crowd.wait(lambda: len(crowd.answers) - crowd.count(Welcome) == 8)

            assert {answer for answer in crowd.answers if isinstance(answer, int)} == {4009}
            assert isinstance(await newest.ping(), Pong)

    async def test_of_another_user_is_nobodys_to_take(self, workers, commerce):
        async with workers[0].connect() as mine, workers[1].connect() as other:
            first = await mine.hello()
            await other.hello(session=first.session)

            assert isinstance(await mine.ping(), Pong)


class TestTheSocketsOfAUser:
    async def test_are_counted_over_all_workers_however_they_race(self, workers, commerce, crowd):
        user, extra = a_user_id(), 4
        for number in range(CONNECTIONS_PER_USER_MAX + extra):
            crowd.start(workers[number % 2], user)

        await crowd.wait(lambda: len(crowd.answers) == CONNECTIONS_PER_USER_MAX + extra)

        assert crowd.count(Welcome) == CONNECTIONS_PER_USER_MAX
        assert [answer for answer in crowd.answers if isinstance(answer, int)] == [4504] * extra

    async def test_that_are_gone_make_room(self, workers, commerce, redis):
        user = a_user_id()
        for number in range(CONNECTIONS_PER_USER_MAX):
            await sockets.claim(
                redis, a_holder(user, worker=f"wrk_{number}"), sockets_max=CONNECTIONS_PER_USER_MAX
            )
            # None of these workers was ever heard of: they are dead.
        for worker in workers * 2:
            async with worker.connect() as client:
                assert isinstance(await client.hello(user), Welcome)


def a_holder(user, **changed):
    given = {"session": mint("con"), "worker": mint("wrk"), "connection": mint("con")}
    given |= {"sign_in": mint("ses"), "lasts_ms": 60_000}
    return Holder(user=user, **(given | changed))


class TestAnEndedSignIn:
    @pytest.mark.parametrize("is_all", [True, False])
    async def test_opens_no_socket_though_the_ticket_is_still_good(
        self, worker, commerce, redis, is_all
    ):
        user, sign_in = a_user_id(), mint("ses")
        field, later = ("*" if is_all else sign_in), 4_000_000_000_000
        await redis.call("HSET", user_ended_sign_ins(user), field, later)
        async with worker.connect() as client:
            await client.send(
                Hello(id=1, ticket=a_ticket(user, sign_in=sign_in), device="device-1")
            )

            assert await client.wait_closed() == 4503

    async def test_does_not_concern_the_next_one(self, worker, commerce, redis):
        user = a_user_id()
        await redis.call("HSET", user_ended_sign_ins(user), "*", 1, mint("ses"), 1)
        async with worker.connect() as client:
            assert isinstance(await client.hello(user), Welcome)

    async def test_cannot_refresh(self, worker, commerce, redis):
        user, sign_in = a_user_id(), mint("ses")
        async with worker.connect() as client:
            await client.hello(user, ticket=a_ticket(user, sign_in=sign_in))
            await redis.call("HSET", user_ended_sign_ins(user), sign_in, 1)
            await client.send(Refresh(id=90, ticket=a_ticket(user, sign_in=sign_in)))

            assert await client.wait_closed() == 4503

    async def test_closes_its_sockets_on_every_worker(self, workers, commerce):
        user = a_user_id()
        async with workers[0].connect() as one, workers[1].connect() as two:
            await one.hello(user)
            await two.hello(user)
            await commerce.publish(user_topic(user), SessionRevoked())

            assert [await one.wait_closed(), await two.wait_closed()] == [4503, 4503]


def server_of(link, topic):
    """Return the link to the one server that has a topic."""
    if not isinstance(link, ClusterLink):
        return link
    return link._members[link.owner(slot_of(topic_access(topic).encode()))].link


class TestALostRight:
    async def test_ends_delivery_on_every_worker_with_no_event_at_all(
        self, workers, commerce, redis
    ):
        user, room = a_user_id(), a_room()
        await commerce.grant(room, user)
        async with workers[0].connect() as one, workers[1].connect() as two:
            for client in (one, two):
                await client.hello(user)
                await client.subscribe(room)
            await commerce.revoke(room, user)
            notice = f"! revoked {user}"
            await redis.call(redis.publish_word, topic_live_channel(room), notice)
            await commerce.publish(room, a_message("secret"))
            told = [await one.receive(), await two.receive()]
            answers = [await one.ping(), await two.ping()]

        assert told == [Unsubscribed(topic=room)] * 2
        assert all(isinstance(answer, Pong) for answer in answers)
        assert not one.put_aside
        assert not two.put_aside

    async def test_is_noticed_although_the_notice_of_it_was_lost_with_a_connection(
        self, workers, commerce, redis
    ):
        user, room = a_user_id(), a_room()
        await commerce.grant(room, user)
        async with workers[0].connect() as one, workers[1].connect() as two:
            for client in (one, two):
                await client.hello(user)
                await client.subscribe(room)
            server = server_of(redis, room)
            await server.call("MULTI")
            await server.call("CLIENT", "KILL", "TYPE", "pubsub")
            await server.call("HDEL", topic_access(room), user)
            await server.call(redis.publish_word, topic_live_channel(room), f"! revoked {user}")
            closed, _, listeners_count = await server.call("EXEC")
            with trio.fail_after(5):
                told = [await one.receive(), await two.receive()]
            await commerce.publish(room, a_message("secret"))
            answers = [await one.ping(), await two.ping()]

        assert closed >= 2
        assert listeners_count == 0
        assert told == [Unsubscribed(topic=room)] * 2
        assert all(isinstance(answer, Pong) for answer in answers)
        assert not one.put_aside
        assert not two.put_aside


class TestAFreshTicket:
    async def test_loses_and_doubles_nothing(self, worker, commerce, nursery):
        user, count = a_user_id(), 60
        async with worker.connect() as client:
            await client.hello(user)

            async def publish():
                for number in range(count):
                    await commerce.publish(user_topic(user), a_message(str(number)))

            nursery.start_soon(publish)
            for number in range(10):
                answer = await client.ask(Refresh(id=100 + number, ticket=a_ticket(user)))
                assert isinstance(answer, Refreshed)
            refused = await client.ask(Refresh(id=200, ticket=a_ticket()))
            events = client.put_aside
            events += await client.receive_many(count - len(events))

        assert isinstance(refused, Error)
        assert refused.name == "unauthenticated"
        assert [event.offset for event in events] == list(range(1, count + 1))


class TestAUserOfWhomNothingWasEverTold:
    async def test_is_given_a_place_from_which_nothing_is_missed(self, worker, commerce):
        user = a_user_id()
        topic = user_topic(user)
        async with worker.connect() as client:
            first = await client.hello(user)
        await commerce.publish(topic, a_message("meanwhile"))
        async with worker.connect() as client:
            second = await client.hello(user, positions=first.positions)
            event, replayed = await client.receive_many(2)

        assert list(first.positions) == [topic]
        assert first.positions[topic].epoch
        assert second.positions == first.positions
        assert (event.offset, replayed.count) == (1, 1)


class TestTheRecordOfASocket:
    async def test_names_the_newest_holder_by_the_greatest_fence(self, redis):
        user, session = a_user_id(), mint("con")
        holders = [a_holder(user, session=session) for _ in range(5)]

        fences = [(await sockets.claim(redis, one, sockets_max=1)).fence for one in holders]
        kept = [await sockets.renew(redis, one) for one in holders]

        assert fences == sorted(set(fences))
        assert kept[:-1] == [sockets.Replaced()] * 4
        assert kept[-1] == Held(fence=fences[-1])

    async def test_is_removed_by_its_holder_alone(self, redis):
        user, session = a_user_id(), mint("con")
        older, newer = a_holder(user, session=session), a_holder(user, session=session)
        for holder in (older, newer):
            await sockets.claim(redis, holder, sockets_max=1)

        await sockets.release(redis, user, session, older.connection)
        still = await sockets.claim(redis, a_holder(user), sockets_max=1)
        await sockets.release(redis, user, session, newer.connection)
        free = await sockets.claim(redis, a_holder(user), sockets_max=1)

        assert still == sockets.Full(workers=[newer.worker])
        assert isinstance(free, Held)

    async def test_lapses(self, redis):
        user = a_user_id()
        await sockets.claim(redis, a_holder(user, lasts_ms=0), sockets_max=1)
        await trio.sleep(0.01)

        assert isinstance(await sockets.claim(redis, a_holder(user), sockets_max=1), Held)

    async def test_is_told_again_to_a_redis_that_lost_it(self, redis):
        user = a_user_id()
        holder = a_holder(user)

        assert isinstance(await sockets.renew(redis, holder), Held)
        assert await sockets.claim(redis, a_holder(user), sockets_max=1) == sockets.Full(
            workers=[holder.worker]
        )
