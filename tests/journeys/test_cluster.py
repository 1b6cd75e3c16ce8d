"""A whole shop on a Redis Cluster: people talk while a master dies and its replica takes over."""

import functools

import pytest
import trio

from protocol.stream_names import topic_log
from tests.journeys.members import Member, wait_until
from tests.journeys.shop import a_running_shop

pytestmark = [pytest.mark.fault, pytest.mark.trio, pytest.mark.timeout(180)]

MEMBERS = 6
MESSAGES_EACH = 40
MESSAGES = MEMBERS * MESSAGES_EACH
TALK_SECONDS_MAX = 90


@pytest.fixture(scope="module")
def cluster_shop(scratch_folder, valkey_cluster):
    """A shop that was told of a cluster."""
    valkey_cluster.flush()
    folder = scratch_folder / "cluster-shop"
    folder.mkdir()
    with a_running_shop(folder, redis_url=valkey_cluster.url) as running:
        yield running


@pytest.fixture
async def cluster_rest(cluster_shop):
    async with cluster_shop.open_rest() as rest:
        yield rest


async def a_talk(shop, rest, nursery):
    tokens = [await rest.sign_in_demo(number) for number in range(1, MEMBERS + 1)]
    people = [await rest.call("GET", "/v1/me", dict, token=token) for token in tokens]
    body = {"kind": "group", "title": "Cluster", "members": [one["id"] for one in people[1:]]}
    room = (await rest.call("POST", "/v1/rooms", dict, token=tokens[0], body=body))["id"]
    members = [
        Member(number, shop=shop, rest=rest, token=token, room=room)
        for number, token in enumerate(tokens)
    ]
    for member in members:
        nursery.start_soon(member.run)
        await member.enter()
    return members


class TestAMasterThatDies:
    async def test_costs_no_message_and_no_order(
        self, cluster_shop, cluster_rest, valkey_cluster, nursery
    ):
        with trio.fail_after(TALK_SECONDS_MAX):
            members = await a_talk(cluster_shop, cluster_rest, nursery)

            def committed_count():
                return sum(len(member.committed) for member in members)

            async def say_all(member):
                for number in range(MESSAGES_EACH):
                    await member.say(f"{member.number} says number {number}")

            master = valkey_cluster.master_of(topic_log(members[0].topic))
            replica = valkey_cluster.replica_of(master)
            async with trio.open_nursery() as talking:
                for member in members:
                    talking.start_soon(say_all, member)
                await wait_until(lambda: committed_count() >= MESSAGES // 4, seconds=40)
                await in_thread(valkey_cluster.replace_master, master, replica)
                assert committed_count() < MESSAGES, "the talk was over before the master died"
            await wait_until(
                lambda: all(len(member.messages) >= MESSAGES for member in members), seconds=30
            )
            stored = await cluster_rest.history(
                members[0].room, token=await cluster_rest.sign_in_demo(1)
            )
            valkey_cluster.bring_back(master)

        assert [message.seq for message in stored] == list(range(1, MESSAGES + 1))
        for member in members:
            assert member.wrong == []
            assert [one.id for one in member.messages] == [one.id for one in stored]


def in_thread(work, *args):
    return trio.to_thread.run_sync(functools.partial(work, *args))
