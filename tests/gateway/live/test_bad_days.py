"""Slow clients, a Redis that goes away, workers that share a room."""

import socket
from contextlib import asynccontextmanager

import pytest
import trio

from protocol.client_frames import Hello, SetTyping, Subscribe
from protocol.codec import encode_frame
from protocol.commands import SendMessage
from protocol.ids import RoomId
from protocol.server_frames import Accepted, Error, EventFrame, Replayed
from protocol.signals import Presence, Typing
from protocol.topics import Position, user_topic
from tests.gateway.builders import a_message, a_product, a_room, a_ticket, a_user_id
from tests.gateway.connections.frames import close_codes, split
from tests.gateway.connections.talker import REQUEST

pytestmark = pytest.mark.timeout(90)
TEXT_BYTES = 4000


@asynccontextmanager
async def frozen_client(port, topic):
    """A client that subscribes and then reads nothing, with as small a window as there is."""
    with socket.socket() as frozen:
        await trio.to_thread.run_sync(subscribe_and_freeze, frozen, port, topic)
        yield frozen


def subscribe_and_freeze(frozen, port, topic):
    frozen.settimeout(20)
    frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    frozen.connect(("127.0.0.1", port))
    frozen.sendall(REQUEST.format(path="/ws", more="").encode())
    assert b" 101 " in frozen.recv(1000)
    hello = Hello(id=1, ticket=a_ticket(), device="device-1", positions={topic: Position("x", 0)})
    payload = encode_frame(hello, "json")
    frozen.sendall(bytes((0x81, 0xFE)) + len(payload).to_bytes(2, "big") + b"\0\0\0\0" + payload)


def read_to_the_end(frozen):
    stream = b""
    try:
        while received := frozen.recv(1 << 16):
            stream += received
            if close_codes(stream):
                break
    except ConnectionResetError:
        pass
    return stream


class TestAClientThatReadsNothing:
    async def test_costs_the_others_nothing_and_is_closed_resumably(self, worker, commerce):
        topic = a_product()
        count = 500
        async with frozen_client(worker.port, topic) as frozen:
            async with worker.connect("msgpack") as reader:
                await reader.hello()
                start = (await reader.subscribe(topic)).position
                for _ in range(count):
                    await commerce.publish(topic, a_message("x" * TEXT_BYTES))
                    assert isinstance(await reader.receive(), EventFrame)
                stream = await trio.to_thread.run_sync(read_to_the_end, frozen)

            frames, _ = split(stream)
            assert close_codes(stream) == [4008]
            assert frames[-1][0] == 8

        heard = sum(b'"type":"event"' in payload for _, payload in frames)
        assert heard < count
        async with worker.connect() as again:
            await again.hello()
            await again.subscribe(topic, Position(start.epoch, count - 50))
            found = await again.receive_many(51)
        assert [frame.offset for frame in found[:-1]] == list(range(count - 49, count + 1))
        assert isinstance(found[-1], Replayed)


class TestARedisThatGoesAway:
    @pytest.mark.fault
    async def test_for_a_while_closes_no_socket_and_loses_no_event(
        self, worker, commerce, redis, valkey_server
    ):
        user, topic = a_user_id(), a_product()
        async with worker.connect() as client:
            await client.hello(user)
            await client.subscribe(topic)
            await commerce.publish(topic, a_message("before"))
            await client.receive()
            valkey_server.kill()
            await trio.sleep(0.5)
            refused = await client.command(SendMessage(room=RoomId("rom_" + "0" * 26), text="hi"))
            await trio.sleep(2)
            valkey_server.start()
            await until_up(redis)
            for number in range(20):
                await commerce.publish(topic, a_message(str(number)), silently=number % 2 == 0)
            told = await client.receive_many(20)
            accepted = await until_accepted(client)

        assert isinstance(refused, Error)
        assert (refused.name, refused.temporary) == ("unavailable", True)
        assert [frame.offset for frame in told] == list(range(2, 22))
        assert isinstance(accepted, Accepted)


async def until_up(link):
    with trio.fail_after(20):
        while not link.is_up:  # noqa: ASYNC110 - the link has no event
            await trio.sleep(0.01)


async def until_accepted(client):
    with trio.fail_after(20):
        while True:
            answer = await client.command(SendMessage(room=RoomId("rom_" + "0" * 26), text="hi"))
            if isinstance(answer, Accepted):
                return answer
            await trio.sleep(0.1)


class TestTwoWorkers:
    async def test_show_each_other_who_is_here_and_who_writes(self, start_worker, commerce):
        left, right = await start_worker(), await start_worker()
        room, ada, bob = a_room(), a_user_id(), a_user_id()
        await commerce.grant(room, "*", "reader")
        async with left.connect() as one, right.connect("msgpack") as two:
            await one.hello(ada)
            await one.subscribe(room)
            await two.hello(bob)
            await two.send(Subscribe(id=90, topic=room))
            with trio.fail_after(10):
                while True:
                    presence = (await two.receive_signal(Presence)).body
                    if presence.count == 2:
                        break
            await one.send(SetTyping(topic=room, on=True))
            typing = (await two.receive_signal(Typing)).body

        assert {person.id for person in presence.users} == {ada, bob}
        assert [person.id for person in typing.users] == [ada]

    async def test_tell_one_user_the_same_in_the_same_order(self, start_worker, commerce):
        left, right = await start_worker(), await start_worker()
        user = a_user_id()
        async with left.connect() as one, right.connect("msgpack") as two:
            await one.hello(user)
            await two.hello(user)
            for number in range(50):
                await commerce.publish(user_topic(user), a_message(str(number)))
            first, second = await one.receive_many(50), await two.receive_many(50)

        assert first == second
