"""What one tab does, the other one hears; what happened in between is told on return."""

import pytest
import redis
import trio

from loadtest.listening import Listener
from protocol.commands import PlaceOrder, SetCartLine
from protocol.events import (
    CartChanged,
    CommandCommitted,
    NotificationReceived,
    OrderFulfilled,
    OrderPaid,
    OrderPlaced,
)
from protocol.topics import user_topic
from tests.journeys.members import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.trio, pytest.mark.timeout(60)]

ORDER_EVENTS = (OrderPlaced, OrderPaid, OrderFulfilled)
HEAR_SECONDS_MAX = 15


class Tab(Listener):
    """One page of one user."""

    def __init__(self, shop, rest, token, *, device):
        self.heard = []
        self.client = shop.client(rest, token, device=device, listener=self)

    def event(self, frame):
        self.heard.append(frame)

    def heard_of(self, *kinds):
        """Return the ids of events of these kinds, in the order they came."""
        return [frame.id for frame in self.heard if isinstance(frame.body, kinds)]


async def a_user(rest, number):
    token = await rest.sign_in_demo(number)
    return token, (await rest.call("GET", "/v1/me", dict, token=token))["id"]


async def two_tabs(shop, rest, token, nursery):
    tabs = [Tab(shop, rest, token, device=device) for device in ("first-tab", "second-tab")]
    for tab in tabs:
        nursery.start_soon(tab.client.run)
        await tab.client.wait_connected()
    return tabs


async def a_free_variant(rest):
    page = await rest.call("GET", "/v1/products", dict, query={"limit": "100"})
    while True:
        for product in page["items"]:
            if product["price"]["amount_minor"] == 0 and product["stock"] != 0:
                whole = await rest.call("GET", f"/v1/products/{product['slug']}", dict)
                return next(
                    one["id"] for one in whole["variants"] if not one["price"]["amount_minor"]
                )
        query = {"limit": "100", "after": page["next"]}
        page = await rest.call("GET", "/v1/products", dict, query=query)


def tell(redis_url, **fields):
    """Leave a notification as any internal service may."""
    with redis.Redis.from_url(redis_url) as link:
        link.xadd("notifications", fields)


class TestAnOrderPlacedInOneTab:
    async def test_is_heard_step_by_step_in_both(self, shop, rest, nursery):
        token, _ = await a_user(rest, 31)
        first, second = await two_tabs(shop, rest, token, nursery)
        variant = await a_free_variant(rest)

        with trio.fail_after(HEAR_SECONDS_MAX):
            filled = await (
                await first.client.give(SetCartLine(variant=variant, quantity=1))
            ).wait()
            assert isinstance(filled, CommandCommitted)
            order = PlaceOrder(cart_version=filled.result.version)
            placed = await (await first.client.give(order)).wait()
        assert isinstance(placed, CommandCommitted)
        for tab in (first, second):
            await wait_until(lambda tab=tab: len(tab.heard_of(*ORDER_EVENTS)) >= 3, seconds=10)

        assert first.heard_of(*ORDER_EVENTS) == second.heard_of(*ORDER_EVENTS)
        kinds = [type(one.body) for one in second.heard if isinstance(one.body, ORDER_EVENTS)]
        assert kinds == list(ORDER_EVENTS)
        assert second.heard_of(CartChanged)


class TestANotification:
    async def test_reaches_both_devices_and_the_one_that_was_away(self, shop, rest, nursery):
        token, user = await a_user(rest, 32)
        first, second = await two_tabs(shop, rest, token, nursery)
        away = Tab(shop, rest, token, device="third-tab")
        async with trio.open_nursery() as visit:
            visit.start_soon(away.client.run)
            await away.client.wait_connected()
            left_at = away.client.position(user_topic(user))
            visit.cancel_scope.cancel()

        for number in range(3):
            told = {"user": user, "title": f"News {number}", "category": "account"}
            await trio.to_thread.run_sync(lambda told=told: tell(shop.redis_url, **told))
        for tab in (first, second):
            await wait_until(
                lambda tab=tab: len(tab.heard_of(NotificationReceived)) >= 3,
                seconds=HEAR_SECONDS_MAX,
            )
        nursery.start_soon(away.client.run)
        await wait_until(lambda: len(away.heard_of(NotificationReceived)) >= 3, seconds=10)

        assert left_at is not None
        titles = [
            [
                frame.body.notification.title
                for frame in tab.heard
                if isinstance(frame.body, NotificationReceived)
            ]
            for tab in (first, second, away)
        ]
        assert titles == [["News 0", "News 1", "News 2"]] * 3

    async def test_told_twice_under_one_key_arrives_once(self, shop, rest, nursery):
        token, user = await a_user(rest, 33)
        first, _ = await two_tabs(shop, rest, token, nursery)
        twice = {"user": user, "title": "Once", "category": "account", "key": "news-0001"}

        for told in (twice, twice, {**twice, "title": "Last", "key": "news-0002"}):
            await trio.to_thread.run_sync(lambda told=told: tell(shop.redis_url, **told))
        await wait_until(
            lambda: any(
                isinstance(frame.body, NotificationReceived)
                and frame.body.notification.title == "Last"
                for frame in first.heard
            ),
            seconds=HEAR_SECONDS_MAX,
        )

        assert len(first.heard_of(NotificationReceived)) == 2
