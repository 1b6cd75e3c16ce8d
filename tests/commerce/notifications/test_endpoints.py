import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.notifications import service
from commerce.notifications.model import Draft
from commerce.settings import CommerceSettings
from tests.commerce.caller import Caller, sign_in


@pytest.fixture
def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def told(database, ada):
    async with database.transaction() as tx:
        return [
            await service.notify(tx, Draft(user=ada.id, title=f"Number {number}"))
            for number in range(5)
        ]


@pytest_asyncio.fixture
async def as_ada(app, redis, clock, ada):
    return await sign_in(app, redis, clock, ada)


@pytest_asyncio.fixture
async def as_ben(app, redis, clock, ben):
    return await sign_in(app, redis, clock, ben)


class TestListingNotifications:
    async def test_comes_by_the_page_with_the_unread_count(self, as_ada, told):
        first = (await as_ada.get("/v1/notifications", limit=3)).body
        rest = (await as_ada.get("/v1/notifications", limit=3, after=first["next"])).body

        ids = [item["id"] for item in first["items"] + rest["items"]]
        assert ids == [each.id for each in told[::-1]]
        assert (first["unread"], rest["unread"], rest["next"]) == (5, 5, None)

    async def test_shows_only_ones_own(self, as_ben, told):
        answer = await as_ben.get("/v1/notifications")

        assert answer.body == {"items": [], "unread": 0, "next": None}

    async def test_needs_a_sign_in(self, app):
        answer = await Caller(app).get("/v1/notifications")

        assert answer.status == 401

    async def test_refuses_a_cursor_of_another_list(self, as_ada):
        answer = await as_ada.get("/v1/notifications", after="gaNzZXEA")

        assert answer.status == 422


class TestReadingNotifications:
    async def test_leaves_the_newer_ones_unread(self, as_ada, told):
        answer = await as_ada.post("/v1/notifications/read", {"up_to": told[2].id})

        listed = (await as_ada.get("/v1/notifications")).body
        assert (answer.status, answer.body) == (200, {"unread": 2})
        assert [item.get("read", False) for item in listed["items"]] == [
            False,
            False,
            True,
            True,
            True,
        ]

    async def test_of_somebody_else_is_not_found(self, as_ben, told):
        answer = await as_ben.post("/v1/notifications/read", {"up_to": told[2].id})

        assert (answer.status, answer.code) == (404, "notification_not_found")

    async def test_refuses_what_is_no_notification(self, as_ada):
        answer = await as_ada.post("/v1/notifications/read", {"up_to": "usr_1"})

        assert answer.status == 422
