import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.settings import CommerceSettings
from tests.commerce.caller import Caller, sign_in


@pytest_asyncio.fixture
async def callers(database, redis, clock, world):
    """People by name, signed in; `None` is a visitor."""
    app = create_app(CommerceSettings(), database=database, redis=redis, clock=clock)
    signed_in = {
        name: await sign_in(app, redis, clock, person) for name, person in world.people.items()
    }
    return {**signed_in, None: Caller(app)}


class TestAModerator:
    async def test_is_told_what_they_may_do(self, callers, world):
        room = await world.open_group("ada", "ben")

        powers = {
            name: (await callers[name].get(f"/v1/rooms/{room}")).body["powers"]
            for name in ("ada", "ben")
        }

        assert "change_roles" in powers["ada"]
        assert powers["ben"] == []

    async def test_changes_roles_mutes_and_slows_the_room(self, callers, world):
        room = await world.open_group("ada", "ben")
        members = f"/v1/rooms/{room}/members/{world.id('ben')}"

        role = await callers["ada"].put(f"{members}/role", {"role": "moderator"})
        muted = await callers["ada"].put(f"{members}/mute", {"until_ms": 4_000_000_000_000})
        back = await callers["ada"].put(f"{members}/mute", {"until_ms": None})
        slow = await callers["ada"].put(f"/v1/rooms/{room}/slow-mode", {"seconds": 30})
        shown = await callers["ben"].get(f"/v1/rooms/{room}")

        assert (role.status, role.body["role"]) == (200, "moderator")
        assert (muted.status, muted.code) == (422, "invalid_mute")
        assert (back.status, back.body["muted_until_ms"]) == (200, None)
        assert slow.status == 204
        assert shown.body["slow_mode_seconds"] == 30

    async def test_bans_lists_and_lifts(self, callers, world):
        room = await world.open_group("ada", "ben")
        bans = f"/v1/rooms/{room}/bans"

        banned = await callers["ada"].put(f"{bans}/{world.id('ben')}", {"reason": "Spam"})
        listed = await callers["ada"].get(bans)
        gone = await callers["ben"].get(f"/v1/rooms/{room}")
        lifted = await callers["ada"].delete(f"{bans}/{world.id('ben')}")

        assert (banned.status, lifted.status, gone.status) == (204, 204, 404)
        assert [(one["person"]["id"], one["reason"]) for one in listed.body["items"]] == [
            (world.id("ben"), "Spam")
        ]
        assert (await callers["ada"].get(bans)).body["items"] == []

    async def test_sees_and_settles_reports(self, callers, world):
        room = await world.open_group("ada", "ben")
        message = await world.send("ben", room, "Buy!")
        path = f"/v1/rooms/{room}"

        told = await callers["ben"].put(f"{path}/messages/{message.id}/report", {"reason": "Spam"})
        [report] = (await callers["ada"].get(f"{path}/reports")).body["items"]
        settled = await callers["ada"].delete(f"{path}/reports/{report['id']}")

        assert (told.status, settled.status) == (204, 204)
        assert (report["text"], report["reason"]) == ("Buy!", "Spam")
        assert (await callers["ben"].get(f"{path}/reports")).status == 403
        assert (await callers["ada"].get("/v1/reports")).status == 403
        assert (await callers["ada"].get(f"{path}/reports")).body["items"] == []

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("members/{ben}/role", {"role": "king"}),
            ("members/{ben}/mute", {}),
            ("slow-mode", {"seconds": 3_601}),
            ("slow-mode", {"seconds": -1}),
            ("bans/{ben}", {"reason": "x" * 501}),
        ],
    )
    async def test_is_held_to_bounds(self, callers, world, path, body):
        room = await world.open_group("ada", "ben")
        where = path.format(ben=world.id("ben"))

        answer = await callers["ada"].put(f"/v1/rooms/{room}/{where}", body)

        assert (answer.status, answer.code) == (422, "invalid")


class TestSearching:
    async def test_a_public_room_is_for_anyone_and_a_private_one_for_members(
        self, callers, world, product_room
    ):
        group = await world.open_group("ada")
        await world.send("ada", group, "heron")
        await world.send("ada", product_room, "heron")

        public = await callers[None].get(f"/v1/rooms/{product_room}/search", q="her")
        private = await callers["ben"].get(f"/v1/rooms/{group}/search", q="her")

        assert [message["text"] for message in public.body["items"]] == ["heron"]
        assert (private.status, private.code) == (404, "room_not_found")
