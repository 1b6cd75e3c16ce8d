"""Redis stands still for five seconds; nobody is thrown out, and nothing is lost."""

import pytest
import trio

from protocol.commands import SendMessage
from protocol.events import CommandCommitted
from tests.journeys.members import Member, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.trio, pytest.mark.timeout(90)]

OUTAGE_SECONDS = 5


class Patient(Member):
    """Remembers temporary refusals."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.refusals = []

    def put_off(self, command, refusal):
        self.refusals.append(refusal.name)


async def two_members(shop, rest, nursery):
    tokens = [await rest.sign_in_demo(number) for number in (21, 22)]
    other = await rest.call("GET", "/v1/me", dict, token=tokens[1])
    body = {"kind": "group", "title": "Calm", "members": [other["id"]]}
    room = (await rest.call("POST", "/v1/rooms", dict, token=tokens[0], body=body))["id"]
    members = [
        Patient(number, shop=shop, rest=rest, token=token, room=room)
        for number, token in enumerate(tokens)
    ]
    for member in members:
        nursery.start_soon(member.run)
        await member.enter()
    return members


class TestARedisThatStandsStill:
    async def test_costs_nobody_the_socket_and_nothing_is_lost(self, shop, rest, nursery):
        writer, reader = await two_members(shop, rest, nursery)
        await writer.say("before")
        valkey = await shop.process("valkey")
        with shop.frozen(valkey.pid):
            outage_ends_at = trio.current_time() + OUTAGE_SECONDS
            during = await writer.client.give(SendMessage(room=writer.room, text="during"))
            await wait_until(lambda: writer.refusals, seconds=20)
            await trio.sleep_until(outage_ends_at)
            refused_meanwhile = list(writer.refusals)
        with trio.fail_after(30):
            outcome = await during.wait()
        await writer.say("after")
        await wait_until(lambda: len(reader.messages) >= 3, seconds=20)

        assert set(refused_meanwhile) == {"unavailable"}
        assert isinstance(outcome, CommandCommitted)
        assert [message.text for message in reader.messages] == ["before", "during", "after"]
        assert (writer.disconnects, reader.disconnects) == (0, 0)
        assert (await shop.process("valkey")).pid == valkey.pid
