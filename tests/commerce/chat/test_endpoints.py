import asyncio

import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.settings import CommerceSettings
from tests.commerce.caller import Caller, sign_in

NOWHERE = "rom_01JD0000000000000000000009"


@pytest.fixture
def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def callers(app, redis, clock, world):
    """People by name, signed in; `None` is a visitor."""
    signed_in = {
        name: await sign_in(app, redis, clock, person) for name, person in world.people.items()
    }
    return {**signed_in, None: Caller(app)}


class TestOpeningARoom:
    async def test_makes_a_group(self, callers, world):
        body = {"kind": "group", "title": "Plans", "members": [world.id("ben")]}

        answer = await callers["ada"].post("/v1/rooms", body)

        assert answer.status == 201
        assert answer.body["kind"] == "group"
        assert (answer.body["title"], answer.body["role"]) == ("Plans", "owner")
        assert (answer.body["last_seq"], answer.body["unread"]) == (0, 0)

    async def test_makes_one_room_for_two(self, callers, world):
        for_ben = {"kind": "direct", "members": [world.id("ben")]}
        for_ada = {"kind": "direct", "members": [world.id("ada")]}

        answers = await asyncio.gather(
            *(callers["ada"].post("/v1/rooms", for_ben) for _ in range(5)),
            *(callers["ben"].post("/v1/rooms", for_ada) for _ in range(5)),
        )

        assert {answer.status for answer in answers} == {201}
        assert len({answer.body["id"] for answer in answers}) == 1
        assert {answer.body["title"] for answer in answers} == {"ada", "ben"}

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"kind": "group", "members": []}, "invalid_room"),
            ({"kind": "direct", "members": []}, "invalid_room"),
            ({"kind": "product", "members": []}, "invalid"),
            ({"kind": "group", "title": "x", "members": ["ben"]}, "invalid"),
            ({"kind": "group", "title": "x", "members": [], "colour": "red"}, "invalid"),
            (
                {"kind": "direct", "members": ["usr_01JD0000000000000000000009"]},
                "unknown_user",
            ),
        ],
    )
    async def test_refuses_what_is_no_room(self, callers, body, code):
        answer = await callers["ada"].post("/v1/rooms", body)

        assert (answer.status, answer.code) == (422, code)

    async def test_needs_a_sign_in(self, callers):
        answer = await callers[None].post("/v1/rooms", {"kind": "group", "members": []})

        assert answer.status == 401

    async def test_twice_under_one_key_makes_one_room(self, callers):
        body = {"kind": "group", "title": "Plans", "members": []}
        key = {"Idempotency-Key": "plans-for-may"}

        first = await callers["ada"].post("/v1/rooms", body, **key)
        again = await callers["ada"].post("/v1/rooms", body, **key)

        assert first.body == again.body


class TestListingRooms:
    async def test_gives_the_last_message_and_what_is_unread(self, callers, world):
        room = await world.open_group("ada", "ben")
        await world.send("ada", room, "first")
        await world.send("ada", room, "second")

        answer = await callers["ben"].get("/v1/rooms")

        [item] = answer.body["items"]
        assert (item["id"], item["unread"], item["last_seq"]) == (room, 2, 2)
        assert item["last_message"]["text"] == "second"
        assert answer.body["next"] is None

    async def test_comes_by_the_page(self, callers, world):
        rooms = [await world.open_group("ada") for _ in range(5)]

        first = (await callers["ada"].get("/v1/rooms", limit=3)).body
        rest = (await callers["ada"].get("/v1/rooms", limit=3, after=first["next"])).body

        listed = [item["id"] for item in first["items"] + rest["items"]]
        assert listed == rooms[::-1]
        assert rest["next"] is None

    @pytest.mark.parametrize("query", [{"after": "nonsense"}, {"limit": 0}, {"limit": 101}])
    async def test_refuses_a_page_that_cannot_be(self, callers, query):
        answer = await callers["ada"].get("/v1/rooms", **query)

        assert answer.status == 422


class TestTheHistory:
    async def test_is_read_from_either_end(self, callers, world):
        room = await world.open_group("ada")
        for number in range(5):
            await world.send("ada", room, f"message {number}")

        newest = (await callers["ada"].get(f"/v1/rooms/{room}/messages", limit=2)).body
        older = (await callers["ada"].get(f"/v1/rooms/{room}/messages", before=4, limit=2)).body
        later = (await callers["ada"].get(f"/v1/rooms/{room}/messages", after=3)).body

        assert [item["seq"] for item in newest["items"]] == [4, 5]
        assert [item["seq"] for item in older["items"]] == [2, 3]
        assert [item["seq"] for item in later["items"]] == [4, 5]
        assert (newest["more"], older["more"], later["more"]) == (True, True, False)

    @pytest.mark.parametrize("query", [{"before": "x"}, {"after": -1}, {"after": 2**53}])
    async def test_refuses_what_is_no_number(self, callers, product_room, query):
        answer = await callers["ada"].get(f"/v1/rooms/{product_room}/messages", **query)

        assert answer.status == 422


class TestInvitingAndSendingAway:
    async def test_changes_who_is_in_the_room(self, callers, world, clock):
        room = await world.open_group("ada")
        clock.advance(seconds=1)

        invited = await callers["ada"].post(f"/v1/rooms/{room}/members", {"user": world.id("ben")})
        inside = await callers["ben"].get(f"/v1/rooms/{room}/members")
        removed = await callers["ada"].delete(f"/v1/rooms/{room}/members/{world.id('ben')}")
        outside = await callers["ben"].get(f"/v1/rooms/{room}/members")

        assert (invited.status, invited.body["person"]["name"]) == (201, "ben")
        assert [item["role"] for item in inside.body["items"]] == ["owner", "member"]
        assert (removed.status, removed.body) == (204, None)
        assert (outside.status, outside.code) == (404, "room_not_found")


class TestTheRightsToARoom:
    """Who may see what: a stranger to a private room cannot even tell that it exists."""

    @pytest.mark.parametrize(
        ("kind", "who", "status"),
        [
            ("product", None, 200),
            ("product", "dan", 200),
            ("product", "ada", 200),
            ("group", "ada", 200),
            ("group", "ben", 200),
            ("group", "dan", 404),
            ("group", None, 404),
            ("direct", "ada", 200),
            ("direct", "ben", 200),
            ("direct", "dan", 404),
            ("direct", None, 404),
            ("missing", "ada", 404),
            ("missing", None, 404),
        ],
    )
    async def test_to_read(self, callers, world, product_room, kind, who, status):
        rooms = {
            "product": product_room,
            "group": await world.open_group("ada", "ben"),
            "direct": await world.open_direct("ada", "ben"),
            "missing": NOWHERE,
        }

        answers = [
            await callers[who].get(f"/v1/rooms/{rooms[kind]}{path}")
            for path in ("", "/messages", "/members")
        ]

        assert [answer.status for answer in answers] == [status] * 3

    @pytest.mark.parametrize(
        ("kind", "who", "status", "code"),
        [
            ("group", "ada", 201, None),
            ("group", "ben", 403, "room_forbidden"),
            ("group", "dan", 404, "room_not_found"),
            ("group", None, 401, "unauthenticated"),
            ("direct", "ada", 409, "fixed_members"),
            ("direct", "dan", 404, "room_not_found"),
            ("product", "ada", 403, "room_forbidden"),
            ("missing", "ada", 404, "room_not_found"),
        ],
    )
    async def test_to_invite(self, callers, world, product_room, kind, who, status, code):
        rooms = {
            "product": product_room,
            "group": await world.open_group("ada", "ben"),
            "direct": await world.open_direct("ada", "ben"),
            "missing": NOWHERE,
        }
        body = {"user": world.id("cleo")}

        answer = await callers[who].post(f"/v1/rooms/{rooms[kind]}/members", body)

        assert (answer.status, answer.body.get("code")) == (status, code)

    async def test_are_refused_alike_for_a_foreign_and_a_missing_room(self, callers, world):
        room = await world.open_group("ada")

        foreign = await callers["dan"].get(f"/v1/rooms/{room}")
        missing = await callers["dan"].get(f"/v1/rooms/{NOWHERE}")

        assert foreign.body["detail"].replace(room, NOWHERE) == missing.body["detail"]
        assert (foreign.status, foreign.code) == (missing.status, missing.code)
