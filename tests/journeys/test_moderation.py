"""What a moderator does is felt at once by everybody it is about."""

import pytest
import trio

from loadtest.clients import RefusedError
from loadtest.listening import Listener
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
