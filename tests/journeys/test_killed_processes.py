"""Two thousand messages from twenty people, while one process is killed without a warning."""

import pytest
import trio

from loadtest.model import ReferenceModel
from tests.journeys.members import Member, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.trio, pytest.mark.timeout(120)]

MEMBERS = 20
MESSAGES_EACH = 100
MESSAGES = MEMBERS * MESSAGES_EACH
STREAM_SECONDS_MAX = 80


class Crowd:
    """Twenty members of one new room, all connected."""

    def __init__(self, members, model):
        self.members = members
        self.model = model
        self.room = members[0].room

    def committed_count(self):
        return sum(len(member.committed) for member in self.members)

    async def talk(self):
        """Let everybody say their hundred messages, each after the last one's outcome."""

        async def say_all(member):
            for number in range(MESSAGES_EACH):
                await member.say(f"{member.number} says number {number}")

        async with trio.open_nursery() as nursery:
            for member in self.members:
                nursery.start_soon(say_all, member)

    async def wait_everything_heard(self):
        await wait_until(
            lambda: all(len(member.messages) >= MESSAGES for member in self.members), seconds=20
        )


async def a_crowd(shop, rest, nursery):
    tokens = [await rest.sign_in_demo(number) for number in range(1, MEMBERS + 1)]
    people = [await rest.call("GET", "/v1/me", dict, token=token) for token in tokens]
    body = {"kind": "group", "title": "Storm", "members": [one["id"] for one in people[1:]]}
    room = (await rest.call("POST", "/v1/rooms", dict, token=tokens[0], body=body))["id"]
    model = ReferenceModel()
    members = [
        Member(number, shop=shop, rest=rest, token=token, room=room, model=model)
        for number, token in enumerate(tokens)
    ]
    for member in members:
        nursery.start_soon(member.run)
        await member.enter()
    return Crowd(members, model)


async def kill_during_the_talk(shop, crowd, victims):
    """Kill one process after the other, evenly over the stream of messages."""
    killed = []
    async with trio.open_nursery() as talking:
        talking.start_soon(crowd.talk)
        for number, victim in enumerate(victims, start=1):
            enough = MESSAGES * number // (len(victims) + 2)
            await wait_until(lambda enough=enough: crowd.committed_count() >= enough, seconds=40)
            killed.append(await shop.kill(victim))
            assert crowd.committed_count() < MESSAGES, "the stream was over before the kill"
    await crowd.wait_everything_heard()
    for one in killed:
        await shop.wait_back(one)


def assert_everything_once_and_in_order(crowd, stored):
    assert crowd.committed_count() == MESSAGES
    assert [message.seq for message in stored] == list(range(1, MESSAGES + 1))
    by_key = {message.key: message for message in stored}
    for member in crowd.members:
        assert member.wrong == []
        assert [one.id for one in member.messages] == [one.id for one in stored]
        for key, result in member.committed.items():
            assert (by_key[key].id, by_key[key].seq) == (result.message, result.seq)
    assert crowd.model.violation_count == 0, crowd.model.finish({}).violations


class TestKilling:
    @pytest.mark.parametrize("victim", ["gateway-1", "worker", "valkey", "postgres"])
    async def test_one_process_loses_doubles_and_reorders_nothing(
        self, shop, rest, nursery, victim
    ):
        with trio.fail_after(STREAM_SECONDS_MAX):
            crowd = await a_crowd(shop, rest, nursery)
            await kill_during_the_talk(shop, crowd, [victim])
            stored = await rest.history(crowd.room, token=await rest.sign_in_demo(1))

        assert_everything_once_and_in_order(crowd, stored)
        lost_sockets = sum(member.disconnects for member in crowd.members)
        assert (lost_sockets > 0) == (victim == "gateway-1")

    async def test_all_of_them_one_after_the_other_is_survived_as_well(self, shop, rest, nursery):
        with trio.fail_after(STREAM_SECONDS_MAX):
            crowd = await a_crowd(shop, rest, nursery)
            await kill_during_the_talk(shop, crowd, ["valkey", "worker", "gateway-2", "postgres"])
            stored = await rest.history(crowd.room, token=await rest.sign_in_demo(1))

        assert_everything_once_and_in_order(crowd, stored)
