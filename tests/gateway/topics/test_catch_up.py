"""A client that resumes while Redis is away waits for it; only then is it told `gap`."""

import pytest

from gateway.limits import CATCH_UP_OUTAGE_SECONDS_MAX, HELD_EVENTS_MAX
from protocol.server_frames import EventFrame, Gap, Ok, Replayed
from protocol.topics import Position
from tests.gateway.builders import a_product
from tests.gateway.house import House

TOPICS = [a_product(), a_product(), a_product()]


@pytest.fixture
async def house(nursery):
    """A worker on which every topic is open, ten events old."""
    house = House(nursery)
    for topic in TOPICS:
        for _ in range(10):
            house.streams.publish(topic)
    opener = await house.enter(positions=dict.fromkeys(TOPICS, Position("other", 0)))
    await house.settled()
    opener.read()
    return house


@pytest.fixture
async def visitor(house):
    visitor = await house.enter()
    await house.settled()
    visitor.read()
    return visitor


def resume(house, visitor, *topics, after=4):
    visitor.resume({topic: Position(house.streams.head(topic).epoch, after) for topic in topics})


class TestResumingDuringAnOutage:
    async def test_of_seconds_ends_with_every_missed_event_and_no_gap(self, house, visitor):
        house.streams.go_down()
        resume(house, visitor, *TOPICS)
        await house.settled(CATCH_UP_OUTAGE_SECONDS_MAX - 5)
        early = visitor.read()
        house.streams.publish(TOPICS[0])
        house.streams.come_back()
        await house.settled(3)
        told = visitor.read()

        assert [type(frame).__name__ for frame in early] == ["Resumed"]
        assert not [frame for frame in told if isinstance(frame, Gap)]
        offsets = {
            topic: [
                one.offset for one in told if isinstance(one, EventFrame) and one.topic == topic
            ]
            for topic in TOPICS
        }
        assert offsets == {
            TOPICS[0]: list(range(5, 12)),
            TOPICS[1]: list(range(5, 11)),
            TOPICS[2]: list(range(5, 11)),
        }
        assert {one.topic for one in told if isinstance(one, Replayed)} == set(TOPICS)

    async def test_that_lasts_ends_with_a_gap_for_every_topic_in_one_wait(self, house, visitor):
        house.streams.go_down()
        resume(house, visitor, *TOPICS)
        await house.settled(CATCH_UP_OUTAGE_SECONDS_MAX - 1)
        early = visitor.read()
        await house.settled(2)
        told = visitor.read()

        assert [type(frame).__name__ for frame in early] == ["Resumed"]
        assert {frame.topic: frame.reason for frame in told if isinstance(frame, Gap)} == (
            dict.fromkeys(TOPICS, "lost")
        )

    async def test_is_given_up_when_too_much_is_kept_meanwhile(self, house, visitor):
        topic = TOPICS[0]
        house.streams.is_stuck = True
        resume(house, visitor, topic)
        await house.settled()
        for _ in range(HELD_EVENTS_MAX + 1):
            house.streams.publish(topic)
        await house.settled(4)
        _, gap, *events = visitor.read()

        assert isinstance(gap, Gap)
        assert (gap.reason, gap.position.offset) == ("too_far", 10 + HELD_EVENTS_MAX + 1)
        assert events == []

    async def test_ends_with_a_gap_at_once_if_the_log_did_not_survive(self, house, visitor):
        house.streams.go_down()
        resume(house, visitor, TOPICS[0])
        await house.settled(3)
        house.streams.come_back(empty=True)
        await house.settled(2)
        _, *told = visitor.read()
        gaps = [frame for frame in told if frame.topic == TOPICS[0]]

        assert {frame.reason for frame in gaps} == {"epoch"}
        assert gaps[-1].position == house.streams.head(TOPICS[0])

    async def test_is_forgotten_with_the_client(self, house, visitor):
        house.streams.go_down()
        resume(house, visitor, *TOPICS)
        await house.settled(3)
        before = house.hub.statistics().subscriptions_count

        visitor.leave()
        house.streams.come_back()
        await house.settled(3)

        assert before - house.hub.statistics().subscriptions_count == len(TOPICS) + 1

    async def test_tells_nothing_of_a_topic_that_was_left_meanwhile(self, house, visitor):
        house.streams.go_down()
        resume(house, visitor, TOPICS[0])
        await house.settled(3)
        visitor.read()

        visitor.unsubscribe(TOPICS[0])
        house.streams.come_back()
        await house.settled(3)

        (answer,) = visitor.read()
        assert isinstance(answer, Ok)
