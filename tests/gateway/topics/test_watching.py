"""Products that pages show: the newest state reaches every watcher, and never an older one."""

import random

import pytest
import trio
from hypothesis import HealthCheck, given, settings, strategies
from trio.testing import MockClock

from gateway.limits import (
    FEED_IDLE_SECONDS,
    STATE_PAUSE_SECONDS,
    WATCH_RATE,
    WATCHED_AGE_MS_MAX,
)
from protocol.client_frames import TOPICS_MAX, WATCHED_PRODUCTS_MAX
from protocol.server_frames import (
    Error,
    EventFrame,
    Gap,
    ProductState,
    Stale,
    Subscribed,
    Watching,
)
from tests.gateway.builders import a_change, a_product, a_user_id
from tests.gateway.house import House


@pytest.fixture
async def house(nursery):
    return House(nursery)


@pytest.fixture
async def visitor(house):
    visitor = await house.enter()
    await house.settled()
    visitor.read()
    return visitor


def name(topic):
    return topic.removeprefix("product:")


def states(frames):
    return [frame.product.version for frame in frames if isinstance(frame, ProductState)]


async def watch(house, visitor, products, **more):
    """Watch and return what was told, the answer first."""
    visitor.watch({name(topic): version for topic, version in products.items()}, **more)
    await house.settled()
    return visitor.read()


class TestAWatch:
    async def test_is_told_what_changed_since_the_version_it_has(self, house, visitor):
        changed, same = a_product(), a_product()
        house.streams.publish(changed, a_change(changed, 7, stock=3))
        house.streams.publish(same, a_change(same, 4))

        answer, state = await watch(house, visitor, {changed: 5, same: 4})

        assert isinstance(answer, Watching)
        assert answer.stale == []
        assert (state.product.id, state.product.version, state.product.stock) == (
            name(changed),
            7,
            3,
        )

    async def test_hears_every_newer_state(self, house, visitor):
        product = a_product()
        await watch(house, visitor, {product: 1})

        house.streams.publish(product, a_change(product, 2))
        await house.settled()

        assert states(visitor.read()) == [2]

    async def test_is_never_told_an_older_state(self, house, visitor):
        product = a_product()
        house.streams.publish(product, a_change(product, 8))
        await watch(house, visitor, {product: 9})

        for version in (3, 9, 8, 10, 4):
            house.streams.publish(product, a_change(product, version))
            await house.settled()

        assert states(visitor.read()) == [10]

    async def test_hears_the_newest_of_a_swarm_of_changes_and_few_of_the_others(
        self, house, visitor
    ):
        product = a_product()
        await watch(house, visitor, {product: 1})

        for version in range(2, 102):
            house.streams.publish(product, a_change(product, version))
            await trio.sleep(STATE_PAUSE_SECONDS / 25)
        await house.settled()

        told = states(visitor.read())
        assert told == sorted(set(told))
        assert told[0] == 2
        assert told[-1] == 101
        assert len(told) <= 7

    async def test_does_not_count_as_a_topic_and_shares_the_feed(self, house, visitor):
        topics = [a_product() for _ in range(TOPICS_MAX)]
        for topic in topics:
            visitor.subscribe(topic)
        await house.settled(10)
        visitor.read()

        answer, *_ = await watch(house, visitor, {topics[0]: 1, a_product(): 1})
        house.streams.publish(topics[0], a_change(topics[0], 2))
        await house.settled()

        assert isinstance(answer, Watching)
        event, state = sorted(visitor.read(), key=lambda frame: type(frame).__name__)
        assert isinstance(event, EventFrame)
        assert isinstance(state, ProductState)
        assert house.hub.statistics().feeds_count == TOPICS_MAX + 2

    async def test_goes_on_when_the_subscription_ends(self, house, visitor):
        product = a_product()
        visitor.subscribe(product)
        await watch(house, visitor, {product: 1})
        visitor.unsubscribe(product)
        await house.settled(FEED_IDLE_SECONDS * 3)
        visitor.read()

        house.streams.publish(product, a_change(product, 2))
        await house.settled()

        assert states(visitor.read()) == [2]

    async def test_costs_redis_nothing_when_another_has_it_already(self, house, visitor):
        products = {a_product(): 1 for _ in range(20)}
        await watch(house, visitor, products)
        other = await house.enter()
        await house.settled()
        other.read()
        calls_count = house.streams.calls_count

        answer, *_ = await watch(house, other, products)

        assert isinstance(answer, Watching)
        assert house.streams.calls_count == calls_count

    async def test_of_two_hundred_products_is_one_frame(self, house, visitor):
        products = {a_product(): 2**53 - 1 for _ in range(WATCHED_PRODUCTS_MAX)}

        answer, *_ = await watch(house, visitor, products)

        assert isinstance(answer, Watching)
        assert house.services.watching.statistics().watches_count == WATCHED_PRODUCTS_MAX

    async def test_that_changes_too_often_is_told_to_wait(self, house, visitor):
        for _ in range(WATCH_RATE[1] + 1):
            visitor.watch({})
        await house.settled(0.05)

        *_, last = visitor.read()
        assert isinstance(last, Error)
        assert last.name == "rate_limited"


class TestAProductWhoseLogIsSilent:
    async def test_is_believed_to_be_as_the_client_read_it_just_now(self, house, visitor):
        (answer,) = await watch(house, visitor, {a_product(): 5}, age_ms=WATCHED_AGE_MS_MAX)

        assert answer.stale == []

    @pytest.mark.parametrize(("version", "age_ms"), [(0, 0), (5, WATCHED_AGE_MS_MAX + 1)])
    async def test_is_stale_for_a_client_that_knows_nothing_or_read_it_long_ago(
        self, house, visitor, version, age_ms
    ):
        product = a_product()

        (answer,) = await watch(house, visitor, {product: version}, age_ms=age_ms)

        assert answer.stale == [name(product)]

    async def test_is_stale_if_its_log_cannot_be_read(self, house, visitor):
        product = a_product()
        house.streams.publish(product, b"\xc1 nonsense")

        (answer,) = await watch(house, visitor, {product: 5})

        assert answer.stale == [name(product)]


class TestAWatchThatIsReplaced:
    async def test_hears_nothing_more_of_what_is_shown_no_longer(self, house, visitor):
        before, after = a_product(), a_product()
        await watch(house, visitor, {before: 1})

        await watch(house, visitor, {after: 1})
        house.streams.publish(before, a_change(before, 2))
        house.streams.publish(after, a_change(after, 3))
        await house.settled()

        assert states(visitor.read()) == [3]

    async def test_loses_nothing_that_happens_meanwhile(self, house, visitor):
        kept, added = a_product(), a_product()
        await watch(house, visitor, {kept: 1})

        visitor.watch({name(kept): 1, name(added): 1})
        for version in range(2, 12):
            house.streams.publish(kept, a_change(kept, version))
            house.streams.publish(added, a_change(added, version))
            await trio.sleep(0.003)
        await house.settled()

        newest = {}
        for frame in visitor.read():
            if isinstance(frame, ProductState):
                known = newest.get(frame.product.id, 0)
                assert frame.product.version > known
                newest[frame.product.id] = frame.product.version
        assert newest == {name(kept): 11, name(added): 11}

    async def test_by_nothing_lets_every_feed_go(self, house, visitor):
        await watch(house, visitor, {a_product(): 1, a_product(): 1})

        await watch(house, visitor, {})
        await house.settled(FEED_IDLE_SECONDS * 3)

        assert house.services.watching.statistics().products_count == 0
        assert house.hub.statistics().feeds_count == 1  # the user's own

    async def test_by_one_that_comes_before_it_is_loaded_leaves_nothing_behind(
        self, house, visitor
    ):
        for _ in range(5):
            visitor.watch({name(a_product()): 1})
        visitor.watch({})
        visitor.leave()
        await house.settled(FEED_IDLE_SECONDS * 3)

        assert house.services.watching.statistics().products_count == 0
        assert house.hub.statistics().feeds_count == 0


class TestAWatcherWhoLeaves:
    @pytest.mark.parametrize("seconds", [0, 0.005, 0.01, 0.02, 1])
    async def test_at_any_moment_leaves_nothing_behind(self, house, visitor, seconds):
        visitor.watch({name(a_product()): 1 for _ in range(10)})
        await trio.sleep(seconds)

        visitor.leave()
        await house.settled(FEED_IDLE_SECONDS * 3)

        assert house.services.watching.statistics().watches_count == 0
        assert house.services.watching.statistics().products_count == 0
        assert house.hub.statistics().feeds_count == 0

    @pytest.mark.parametrize("seconds", [0.001, 0.005, 0.01, 0.02, 0.1])
    async def test_while_redis_goes_away_disturbs_nobody(self, house, visitor, seconds):
        product = a_product()
        others = [await house.enter() for _ in range(3)]
        await house.settled()
        for one in (visitor, *others):
            one.watch({name(product): 1})
            await trio.sleep(0.002)
        await trio.sleep(seconds)
        house.streams.go_down()
        visitor.leave()
        others[0].leave()
        await trio.sleep(0.05)
        house.streams.come_back()
        await house.settled(2)
        for one in others[1:]:
            one.watch({name(product): 1})
        await house.settled()

        house.streams.publish(product, a_change(product, 2))
        await house.settled()

        assert [states(one.read())[-1] for one in others[1:]] == [2, 2]

    async def test_while_another_waits_for_the_same_product_does_not_disturb_it(
        self, house, visitor
    ):
        product = a_product()
        other = await house.enter()
        await house.settled()
        other.read()
        visitor.watch({name(product): 1})
        await trio.sleep(0.005)
        other.watch({name(product): 1})
        await trio.sleep(0.001)
        visitor.leave()

        await house.settled()
        house.streams.publish(product, a_change(product, 2))
        await house.settled()

        assert states(other.read()) == [2]


class TestAnOutage:
    async def test_makes_a_new_watch_unavailable_and_leaves_none(self, house, visitor):
        house.streams.go_down()

        (answer,) = await watch(house, visitor, {a_product(): 1})

        assert (answer.name, answer.temporary) == ("unavailable", True)
        assert house.services.watching.statistics().products_count == 0

    async def test_that_hides_a_change_is_made_up_for(self, house, visitor):
        product = a_product()
        house.streams.publish(product, a_change(product, 1))
        await watch(house, visitor, {product: 1})
        house.streams.publish(product, a_change(product, 2), is_heard=False)

        house.hub.audit_all()
        await house.settled(2)

        assert states(visitor.read()) == [2]

    async def test_that_loses_the_log_makes_every_watcher_read_again(self, house, visitor):
        product = a_product()
        house.streams.publish(product, a_change(product, 1))
        await watch(house, visitor, {product: 1})

        house.streams.go_down()
        house.streams.come_back(empty=True)
        await house.settled(3)

        told = [frame for frame in visitor.read() if not isinstance(frame, Gap)]
        assert told == [Stale(products=[name(product)])]

    async def test_that_trims_the_log_tells_the_newest_state(self, house, visitor):
        product = a_product()
        await watch(house, visitor, {product: 1})
        for version in range(2, 9):
            house.streams.publish(product, a_change(product, version), is_heard=False)
        house.streams.trim(product, 1)

        house.hub.audit_all()
        await house.settled(2)

        assert states(visitor.read()) == [8]


VERSIONS = strategies.integers(1, 6)
ACTS = strategies.one_of(
    strategies.tuples(strategies.just("change"), strategies.integers(0, 2)),
    strategies.tuples(strategies.just("change unheard"), strategies.integers(0, 2)),
    strategies.tuples(strategies.just("watch"), strategies.sets(strategies.integers(0, 2))),
    strategies.tuples(strategies.just("reconnect")),
    strategies.tuples(strategies.just("subscribe"), strategies.integers(0, 2)),
    strategies.tuples(strategies.just("outage"), strategies.booleans()),
    strategies.tuples(strategies.just("sleep"), strategies.floats(0, 0.5)),
)


class Page:
    """A page that shows products, and knows what it was told of them."""

    def __init__(self):
        self.user = a_user_id()
        self.visitor = None
        self.shown = set()
        self.known = {}

    def take(self, frames, truth):
        for frame in frames:
            match frame:
                case ProductState():
                    self.known[frame.product.id] = max(
                        frame.product.version, self.known[frame.product.id]
                    )
                case Watching() | Stale():
                    for product in frame.stale if isinstance(frame, Watching) else frame.products:
                        self.known[product] = truth[product]  # as REST would answer
                case Error():
                    assert frame.name in {"unavailable", "already_subscribed"}
                case EventFrame() | Subscribed():
                    pass


async def tell_story(acts, seed):  # noqa: C901, PLR0912, PLR0915  # a table of what may happen
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    async with trio.open_nursery() as nursery:
        house, page = House(nursery, seed=seed), Page()
        topics = [a_product() for _ in range(3)]
        truth = {name(topic): 1 for topic in topics}
        page.known = dict(truth)
        published = []

        async def connect():
            if page.visitor is not None:
                page.take(page.visitor.read(), truth)
                page.visitor.leave()
            page.visitor = await house.enter(page.user)
            await trio.sleep(0.1)
            show()

        def show():
            page.visitor.watch(
                {name(topics[at]): page.known[name(topics[at])] for at in page.shown}
            )

        await connect()
        for act in acts:
            match act:
                case ("change" | "change unheard") as kind, at:
                    truth[name(topics[at])] += 1
                    change = a_change(topics[at], truth[name(topics[at])])
                    house.streams.publish(topics[at], change, is_heard=kind == "change")
                    published.append((topics[at], change))
                case "watch", shown:
                    page.take(page.visitor.read(), truth)
                    page.shown = shown
                    show()
                case ("reconnect",):
                    await connect()
                case "subscribe", at:
                    page.visitor.subscribe(topics[at])
                case "outage", empty:
                    house.streams.go_down()
                    await trio.sleep(dice.random())
                    house.streams.come_back(empty=empty)
                    if empty:
                        await trio.sleep(dice.random())
                        for topic, change in published:  # as commerce's relay does
                            house.streams.publish(topic, change)
                case "sleep", seconds:
                    await trio.sleep(seconds)
            if not page.visitor.connection.is_open:
                await connect()
        await trio.sleep(10)
        house.hub.audit_all()
        await trio.sleep(10)
        show()  # what an outage refused is asked again, as a client does
        await trio.sleep(1)
        page.take(page.visitor.read(), truth)
        for at in page.shown:
            assert page.known[name(topics[at])] == truth[name(topics[at])]
        nursery.cancel_scope.cancel()


class TestWhateverHappens:
    @given(acts=strategies.lists(ACTS, max_size=30), seed=strategies.integers(0, 1000))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_a_page_ends_up_with_the_newest_state_of_what_it_shows(self, acts, seed):
        trio.run(tell_story, acts, seed, clock=MockClock(autojump_threshold=0))
