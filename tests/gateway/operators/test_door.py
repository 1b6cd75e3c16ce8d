"""What operators see and do over HTTP, and who is not let in."""

import json

import pytest
import trio
from structlog.testing import capture_logs

from gateway.http import READY, create_app
from gateway.limits import OPERATOR_BODY_BYTES_MAX, OPERATOR_PAGE_MAX
from gateway.operators.crowd import Crowd
from gateway.operators.door import operators_door
from protocol.server_frames import NOTICE_TEXT_CHARS_MAX, Notice
from tests.gateway.builders import a_message, a_product, a_user_id
from tests.gateway.house import House

TOKEN = "operator-token-of-32-characters-or-more"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "X-Rialto-Operator": "grace"}


@pytest.fixture
async def house(nursery):
    return House(nursery)


def door_of(house, token=TOKEN):
    crowd = Crowd(registry=house.registry, hub=house.hub, clock=house.clock)
    door = operators_door(crowd, token=token)
    return create_app(readiness=lambda: READY, measure=lambda: None, operators=door).test_client()


@pytest.fixture
async def door(house):
    return door_of(house)


async def ask(door, method, path, body=None, headers=HEADERS):
    data = None if body is None else json.dumps(body)
    answer = await door.open(path, method=method, headers=headers, data=data)
    return answer.status_code, json.loads(await answer.get_data())


async def see(door, query=""):
    status, page = await ask(door, "GET", f"/connections?{query}")
    assert status == 200, page
    return page


def ids(page):
    return [one["id"] for one in page["connections"]]


async def crowd_of(house, count, **options):
    visitors = [await house.enter(**options) for _ in range(count)]
    await house.settled()
    return sorted(visitors, key=lambda one: one.connection.id)


class TestWhoeverHasNoToken:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": "Bearer \xff"},
        ],
    )
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/connections"),
            ("GET", "/top"),
            ("POST", "/broadcast"),
            ("POST", "/users/x/kick"),
        ],
    )
    async def test_is_refused_and_noted(self, door, headers, method, path):
        with capture_logs() as lines:
            status, answer = await ask(door, method, path, headers=headers)

        assert (status, answer["error"]) == (401, "unauthenticated")
        assert [line["event"] for line in lines] == ["operator.refused"]
        assert "wrong" not in json.dumps(lines)

    async def test_may_still_probe_and_measure(self, door):
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await door.get(path)).status_code == 200

    async def test_is_refused_where_no_token_was_set_even_with_an_empty_one(self, house):
        door = door_of(house, token="")

        status, answer = await ask(
            door, "GET", "/connections", headers={"Authorization": "Bearer "}
        )

        assert (status, answer["error"]) == (403, "no_operator_token")


class TestTheListOfConnections:
    async def test_tells_what_there_is_to_know_of_each(self, house, door):
        visitor = await house.enter(wire_format="msgpack")
        visitor.connection.device = "device-1"
        await house.settled(3)

        (shown,) = (await see(door))["connections"]

        assert shown == {
            "id": visitor.connection.id,
            "user": visitor.user_id,
            "name": "Ada",
            "device": "device-1",
            "address": "192.0.2.1",
            "format": "msgpack",
            "visible": True,
            "topics": 1,
            "open_seconds": pytest.approx(3, abs=0.5),
            "silent_seconds": pytest.approx(3, abs=0.5),
            "waiting_bytes": 0,
            "waiting_seconds": 0.0,
        }

    async def test_is_told_page_by_page_each_connection_once(self, house, door):
        visitors = await crowd_of(house, 7)
        found, after, pages = [], "", 0
        while after is not None:
            page = await see(door, f"limit=3&after={after}" if after else "limit=3")
            found += ids(page)
            after, pages = page["next"], pages + 1

        assert found == [one.connection.id for one in visitors]
        assert pages == 3

    async def test_can_be_narrowed_to_a_user_a_topic_a_device_an_address(self, house, door):
        ada, bob = await crowd_of(house, 2)
        topic = a_product()
        ada.subscribe(topic)
        bob.connection.device = "bobs-phone"
        await house.settled()

        assert ids(await see(door, f"user={ada.user_id}")) == [ada.connection.id]
        assert ids(await see(door, f"topic={topic}")) == [ada.connection.id]
        assert ids(await see(door, "device=bobs-phone")) == [bob.connection.id]
        assert len(ids(await see(door, "address=192.0.2.1"))) == 2
        assert ids(await see(door, "address=192.0.2.2")) == []
        assert ids(await see(door, f"topic={topic}&device=bobs-phone")) == []
        assert ids(await see(door, f"user={a_user_id()}")) == []

    async def test_can_be_narrowed_to_the_old_and_to_the_slow(self, house, door):
        old = await house.enter()
        await house.settled(60)
        slow = await house.enter(window_bytes=600)
        topic = a_product()
        slow.subscribe(topic)
        await house.settled()
        for _ in range(5):
            house.streams.publish(topic, a_message("x" * 500))
        await trio.sleep(4)

        assert ids(await see(door, "older_than=30")) == [old.connection.id]
        (shown,) = (await see(door, "slower_than=2"))["connections"]
        assert shown["id"] == slow.connection.id
        assert shown["waiting_bytes"] > 1000
        assert ids(await see(door, "slower_than=20")) == []

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            f"limit={OPERATOR_PAGE_MAX + 1}",
            "limit=many",
            "older_than=-1",
            "user=ada",
            "topic=kitchen",
            "after=x",
            "colour=red",
        ],
    )
    async def test_refuses_a_question_it_does_not_understand(self, door, query):
        status, answer = await ask(door, "GET", f"/connections?{query}")

        assert (status, answer["error"]) == (400, "bad_request")


class TestTheTop:
    async def test_names_the_slowest_sockets_and_the_topics_that_wait_for_them(self, house, door):
        topic, calm = a_product(), a_product()
        quick, slow = await house.enter(), await house.enter(window_bytes=600)
        for visitor in (quick, slow):
            visitor.subscribe(topic)
        quick.subscribe(calm)
        await house.settled()
        for _ in range(5):
            house.streams.publish(topic, a_message("x" * 500))
        await trio.sleep(2)

        status, top = await ask(door, "GET", "/top")

        assert status == 200
        assert [one["id"] for one in top["slowest"]] == [slow.connection.id]
        topics = {one["topic"]: one for one in top["topics"]}
        assert (topics[topic]["listeners"], topics[topic]["offset"]) == (2, 5)
        assert topics[topic]["waiting_bytes"] > 1000
        assert topics[calm]["waiting_bytes"] == 0
        waiting = [one["waiting_bytes"] for one in top["topics"]]
        assert waiting == sorted(waiting, reverse=True)


class TestAKick:
    @pytest.mark.parametrize(("reconnect", "code"), [(True, 4015), (False, 4510)])
    async def test_closes_one_connection_and_leaves_a_line(self, house, door, reconnect, code):
        visitor, bystander = await crowd_of(house, 2)

        with capture_logs() as lines:
            status, answer = await ask(
                door,
                "POST",
                f"/connections/{visitor.connection.id}/kick",
                {"reconnect": reconnect},
            )

        assert (status, answer) == (200, {"closed": 1})
        assert visitor.close_codes() == [code]
        assert bystander.connection.is_open
        (line,) = lines
        assert line["event"] == "operator.kicked"
        assert line["operator"] == "grace"
        assert line["connection"] == visitor.connection.id
        assert TOKEN not in json.dumps(lines)

    async def test_of_a_user_closes_all_theirs_and_nobody_elses(self, house, door):
        user = a_user_id()
        mine, other = await crowd_of(house, 2, user=user), await house.enter()
        await house.settled()

        _, answer = await ask(door, "POST", f"/users/{user}/kick")

        assert answer == {"closed": 2}
        assert [one.close_codes() for one in mine] == [[4015], [4015]]
        assert other.connection.is_open

    async def test_done_twice_at_once_closes_once(self, house, door):
        (visitor,) = await crowd_of(house, 1)
        path = f"/connections/{visitor.connection.id}/kick"
        answers = []

        async def kick():
            answers.append(await ask(door, "POST", path))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(kick)
            nursery.start_soon(kick)

        assert sorted(status for status, _ in answers) == [200, 404]
        assert visitor.close_codes() == [4015]

    async def test_of_nobody_says_so(self, door):
        status, answer = await ask(door, "POST", "/connections/con_nobody/kick")

        assert (status, answer["error"]) == (404, "not_found")


class TestABroadcast:
    async def test_reaches_everybody_in_their_own_format(self, house, door):
        visitors = [await house.enter(wire_format=name) for name in ("json", "msgpack")]
        await house.settled()
        for visitor in visitors:
            visitor.read()

        with capture_logs() as lines:
            status, answer = await ask(
                door, "POST", "/broadcast", {"text": "Closing at noon", "level": "warning"}
            )

        assert (status, answer) == (200, {"told": 2})
        for visitor in visitors:
            (notice,) = visitor.read()
            assert isinstance(notice, Notice)
            assert (notice.text, notice.level, notice.topic) == ("Closing at noon", "warning", None)
        assert [(line["event"], line["told"]) for line in lines] == [("operator.broadcast", 2)]

    async def test_to_a_topic_or_a_user_reaches_only_them(self, house, door):
        listener, other = await crowd_of(house, 2)
        topic = a_product()
        listener.subscribe(topic)
        await house.settled()
        listener.read(), other.read()

        _, to_topic = await ask(door, "POST", "/broadcast", {"text": "a", "topic": topic})
        _, to_user = await ask(door, "POST", "/broadcast", {"text": "b", "user": other.user_id})

        assert (to_topic, to_user) == ({"told": 1}, {"told": 1})
        assert [(one.text, one.topic) for one in listener.read()] == [("a", topic)]
        assert [one.text for one in other.read()] == ["b"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"text": ""},
            {"text": "x" * (NOTICE_TEXT_CHARS_MAX + 1)},
            {"text": 7},
            {"text": "x", "level": "shout"},
            {"text": "x", "to": "all"},
            {"text": "x", "user": "ada"},
            {"text": "x", "user": "usr_" + "0" * 26, "topic": "room:rom_" + "0" * 26},
            [],
        ],
    )
    async def test_that_is_not_right_reaches_nobody(self, house, door, body):
        (visitor,) = await crowd_of(house, 1)
        visitor.read()

        status, answer = await ask(door, "POST", "/broadcast", body)

        assert (status, answer["error"]) == (400, "bad_request")
        assert visitor.read() == []

    async def test_too_large_is_not_even_read(self, door):
        body = {"text": "x" * OPERATOR_BODY_BYTES_MAX}

        status, answer = await ask(door, "POST", "/broadcast", body)

        assert (status, answer["error"]) == (413, "bad_request")
