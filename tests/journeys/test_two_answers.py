"""Two answers to a command: whoever lost one asks again with the same key, from anywhere."""

import secrets
from contextlib import asynccontextmanager

import psutil
import pytest
import trio

from loadtest.listening import Listener
from protocol.commands import MessageResult, SendMessage, SetReaction
from protocol.events import CommandCommitted, CommandRejected

pytestmark = [pytest.mark.trio, pytest.mark.timeout(60)]

HEAR_SECONDS_MAX = 20
TRIES_MAX = 40
GATEWAYS = ("gateway-1", "gateway-2")


class Author:
    """A user with a room of their own, and as many devices as it takes."""

    def __init__(self, shop, rest, token, room):
        self.shop = shop
        self.rest = rest
        self.token = token
        self.room = room
        self.devices = 0

    async def said(self):
        return await self.rest.history(self.room, token=self.token)

    async def sockets(self):
        """Return the far ends of each gateway worker's connections."""
        pids = {name: (await self.shop.process(name)).pid for name in GATEWAYS}
        return {
            name: {
                one.raddr.port
                for one in psutil.Process(pid).net_connections(kind="tcp")
                if one.status == psutil.CONN_ESTABLISHED
            }
            for name, pid in pids.items()
        }

    @asynccontextmanager
    async def device(self):
        """Connect a new device; yield its client and the worker it is connected to."""
        self.devices += 1
        before = await self.sockets()
        client = self.shop.client(
            self.rest, self.token, device=f"device-{self.devices:04}", listener=Listener()
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.run)
            with trio.fail_after(HEAR_SECONDS_MAX):
                await client.wait_connected()
            after = await self.sockets()
            grown = [name for name in GATEWAYS if after[name] - before[name]]
            yield client, grown
            nursery.cancel_scope.cancel()

    async def ask(self, client, body, key):
        """Give a command and return its outcome."""
        with trio.fail_after(HEAR_SECONDS_MAX):
            return await (await client.give(body, key=key)).wait()


@pytest.fixture
async def author(shop, rest):
    token = await rest.sign_in_demo(41)
    body = {"kind": "group", "title": "Notes to myself", "members": []}
    room = (await rest.call("POST", "/v1/rooms", dict, token=token, body=body))["id"]
    return Author(shop, rest, token, room)


def a_key():
    return f"key-{secrets.token_hex(8)}"


class TestACommandThatWasCommittedLongAgo:
    async def test_is_told_again_by_every_worker_on_any_device(self, author):
        key, body = a_key(), SendMessage(room=author.room, text="once")
        async with author.device() as (client, _):
            first = await author.ask(client, body, key)
            for number in range(40):
                later = SendMessage(room=author.room, text=f"later {number}")
                assert isinstance(await author.ask(client, later, a_key()), CommandCommitted)

        answers = {}
        for _ in range(TRIES_MAX):
            async with author.device() as (client, workers):
                told = await author.ask(client, body, key)
            if len(workers) == 1:
                answers[workers[0]] = told
            if len(answers) == len(GATEWAYS):
                break

        assert isinstance(first.result, MessageResult)
        assert answers == dict.fromkeys(GATEWAYS, first)
        assert [one.text for one in await author.said()].count("once") == 1

    async def test_keeps_its_key_from_any_other_command(self, author):
        key, body = a_key(), SendMessage(room=author.room, text="mine")
        async with author.device() as (client, _), author.device() as (other, _):
            first = await author.ask(client, body, key)

            refused = await author.ask(other, SendMessage(room=author.room, text="other"), key)
            again = await author.ask(other, body, key)

        assert isinstance(refused, CommandRejected)
        assert (refused.code, refused.temporary) == ("key_conflict", False)
        assert again == first
        assert [one.text for one in await author.said()] == ["mine"]


class TestOneCommandFromTwoDevicesAtOnce:
    async def test_happens_once_and_both_hear_the_same(self, author):
        outcomes = {}

        async def give(name, client, key, body):
            outcomes.setdefault(key, {})[name] = await author.ask(client, body, key)

        async with (
            author.device() as (one, _),
            author.device() as (other, _),
            trio.open_nursery() as nursery,
        ):
            for number in range(12):
                key, body = a_key(), SendMessage(room=author.room, text=f"number {number}")
                nursery.start_soon(give, "one", one, key, body)
                nursery.start_soon(give, "other", other, key, body)

        assert all(told["one"] == told["other"] for told in outcomes.values())
        assert all(isinstance(told["one"], CommandCommitted) for told in outcomes.values())
        texts = sorted(one.text for one in await author.said())
        assert texts == sorted(f"number {number}" for number in range(12))


class TestACommandThatWasRejected:
    async def test_is_rejected_alike_wherever_it_is_asked_about(self, author):
        key = a_key()
        nowhere = SetReaction(
            room=author.room, message="msg_01JD0000000000000000000009", emoji="👍", on=True
        )
        async with author.device() as (client, _):
            first = await author.ask(client, nowhere, key)

        async with author.device() as (client, _):
            again = await author.ask(client, nowhere, key)

        assert isinstance(first, CommandRejected)
        assert first.code == "message_not_found"
        assert again == first
