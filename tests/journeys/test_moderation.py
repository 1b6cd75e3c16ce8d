"""What a moderator does is felt at once by everybody it is about."""

import pytest
import trio

from deploy.data_folder import DataFolder
from deploy.keys import read_or_make_keys
from deploy.operations.client import Operators
from deploy.supervisor.control import AskStatus, ask
from loadtest.clients import RefusedError
from loadtest.listening import Listener
from loadtest.rest import RestError
from loadtest.sockets import SocketAddress, SocketClosedError, connect
from protocol.client_frames import Hello
from protocol.close_codes import REVOKED
from protocol.codec import encode_frame
from protocol.commands import SendMessage
from protocol.events import (
    CommandRejected,
    MemberBanned,
    Mentioned,
    MessageSent,
    NotificationReceived,
)
from protocol.topics import room_topic
from tests.journeys.members import wait_until

pytestmark = [pytest.mark.trio, pytest.mark.timeout(60)]

HEAR_SECONDS_MAX = 20
BAN_SECONDS_MAX = 1.0
SOCKETS_MAX = 10
STAFF_DEMO_USER = 10


class Person(Listener):
    """A user on one device, who remembers what was heard."""

    def __init__(self, shop, rest, token, user, number):
        self.token = token
        self.user = user
        self.heard = []
        self.ended = []
        self.client = shop.client(rest, token, device=f"moderated-{number}", listener=self)

    def event(self, frame):
        self.heard.append(frame)

    def stops(self, topic):
        self.ended.append(topic)

    def told(self, kind):
        return [frame.body for frame in self.heard if isinstance(frame.body, kind)]


async def a_person(shop, rest, nursery, number):
    token = await rest.sign_in_demo(number)
    user = (await rest.call("GET", "/v1/me", dict, token=token))["id"]
    person = Person(shop, rest, token, user, number)
    nursery.start_soon(person.client.run)
    with trio.fail_after(HEAR_SECONDS_MAX):
        await person.client.wait_connected()
    return person


async def enter(person, room):
    """Hear a room; a right that was just given reaches the gateways a moment later."""
    with trio.fail_after(HEAR_SECONDS_MAX):
        while True:
            try:
                return await person.client.subscribe(room_topic(room))
            except RefusedError:
                await trio.sleep(0.05)


class TestAMemberWhoIsBanned:
    async def test_hears_nothing_more_and_cannot_come_back(self, shop, rest, nursery):
        ada = await a_person(shop, rest, nursery, 42)
        ben = await a_person(shop, rest, nursery, 43)
        body = {"kind": "group", "title": "Quiet", "members": [ben.user]}
        room = (await rest.call("POST", "/v1/rooms", dict, token=ada.token, body=body))["id"]
        for person in (ada, ben):
            await enter(person, room)

        await rest.call("PUT", f"/v1/rooms/{room}/bans/{ben.user}", dict, token=ada.token, body={})
        await wait_until(lambda: room_topic(room) in ben.ended, seconds=HEAR_SECONDS_MAX)
        with trio.fail_after(HEAR_SECONDS_MAX):
            said = await (await ada.client.give(SendMessage(room=room, text="peace"))).wait()
            refused = await (await ben.client.give(SendMessage(room=room, text="hey"))).wait()
            with pytest.raises(RefusedError):
                await ben.client.subscribe(room_topic(room))

        assert said.result.seq == 1
        assert isinstance(refused, CommandRejected)
        assert refused.code == "room_not_found"
        assert ada.told(MemberBanned) == [MemberBanned(room=room, user=ben.user)]
        assert ben.told(MessageSent) == []


class TestSomebodyWhoIsMentioned:
    async def test_is_notified_once(self, shop, rest, nursery):
        ada = await a_person(shop, rest, nursery, 44)
        ben = await a_person(shop, rest, nursery, 45)
        body = {"kind": "group", "title": "Type lovers", "members": [ben.user]}
        room = (await rest.call("POST", "/v1/rooms", dict, token=ada.token, body=body))["id"]

        with trio.fail_after(HEAR_SECONDS_MAX):
            command = SendMessage(room=room, text="Are you there?", mentions=[ben.user])
            await (await ada.client.give(command)).wait()
        await wait_until(lambda: ben.told(NotificationReceived), seconds=HEAR_SECONDS_MAX)

        [event] = ben.told(Mentioned)
        [notice] = ben.told(NotificationReceived)
        assert (event.room, event.author.id) == (room, ada.user)
        assert notice.notification.title.endswith("mentioned you in Type lovers")
        assert notice.notification.link == f"/rooms/{room}"


class TestAUserWhoIsBannedFromTheShop:
    async def test_loses_every_socket_on_every_worker_within_a_second(self, shop, rest, nursery):
        email, password = "gone@example.com", "a long password nobody knows"
        token = await rest.register(email=email, name="Gone", password=password)
        user = (await rest.call("GET", "/v1/me", dict, token=token))["id"]
        sockets = await sockets_on_both_workers(shop, rest, token, user, nursery)
        staff = await rest.sign_in_demo(STAFF_DEMO_USER)

        began_at = trio.current_time()
        await rest.call("PUT", f"/v1/users/{user}/ban", dict, token=staff, body={"reason": "spam"})
        with trio.fail_after(HEAR_SECONDS_MAX):
            for socket in sockets:
                await socket.closed.wait()
        with pytest.raises(RestError):
            await rest.ticket(token)

        assert max(socket.closed_at for socket in sockets) - began_at < BAN_SECONDS_MAX
        assert {socket.code for socket in sockets} == {REVOKED.code}


class OpenSocket:
    """One socket of a user, and when it was closed with which code."""

    def __init__(self):
        self.closed = trio.Event()
        self.closed_at = self.code = None

    async def hear(self, socket):
        try:
            while True:
                await socket.receive()
        except SocketClosedError as closed:
            self.closed_at, self.code = trio.current_time(), closed.code
            self.closed.set()
        finally:
            await socket.abort()


async def sockets_on_both_workers(shop, rest, token, user, nursery):
    """Open sockets until both workers have some; which one takes one in is up to the kernel."""
    sockets = []
    while min(await trio.to_thread.run_sync(counts_of_workers, shop, user)) < 1:
        assert len(sockets) < SOCKETS_MAX
        socket = await connect(SocketAddress.parse(shop.socket_url), "json")
        ticket = await rest.ticket(token)
        hello = Hello(id=1, ticket=ticket.ticket, device="device-1")
        await socket.send(encode_frame(hello, "json"))
        with trio.fail_after(HEAR_SECONDS_MAX):
            await socket.receive()
        sockets.append(OpenSocket())
        nursery.start_soon(sockets[-1].hear, socket)
    return sockets


def counts_of_workers(shop, user):
    """Return how many sockets of a user each gateway worker has."""
    token = read_or_make_keys(DataFolder(path=shop.folder).secrets).operator_token
    operators = Operators(ask(shop.folder, AskStatus()).status, token=token)
    answers = operators.ask_gateways("GET", f"/connections?user={user}")
    return [len(answer.json()["connections"]) for answer in answers]
