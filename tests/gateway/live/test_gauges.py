"""After any churn everything that was held for somebody is let go, and the gauges say so."""

import random

import httpx
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from protocol.client_frames import Ping, SetTyping, Subscribe
from protocol.commands import SendMessage
from protocol.ids import RoomId
from protocol.server_frames import Accepted, EventFrame
from tests.gateway.builders import a_message, a_product, a_room

IN_FLIGHT = {
    *("connections", "actors", "sockets", "handshakes", "feeds", "rooms", "subscriptions"),
    *("mailbox_messages", "outboxes", "outbox_bytes", "outbox_seconds_max", "silence_seconds_max"),
    *("audits_waiting", "link_waiting", "link_unsent_bytes", "channels_attached", "users_shut_out"),
}
CLIENTS = 30
TOLD = (
    "rialto_gateway_delivery_lag_seconds_count",
    "rialto_gateway_deliveries_total",
    "rialto_gateway_accepts_total",
    "rialto_gateway_closes_total",
    "rialto_gateway_commands_total",
)


async def numbers(worker):
    """The sum of each metric, over its labels."""
    async with httpx.AsyncClient(trust_env=False) as operator:
        page = (await operator.get(worker.listening.operator + "/metrics")).text
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


async def in_flight(worker):
    found = await numbers(worker)
    return {name: found[f"rialto_gateway_{name}"] for name in IN_FLIGHT}


async def come_and_go(worker, topics, dice):
    """One client: it listens, talks, and leaves politely, rudely, or before it was let in."""
    async with worker.connect(dice.choice(["json", "msgpack"])) as client:
        manner = dice.choice(["polite", "rude", "early"])
        if manner == "early":
            return
        await client.hello()
        for topic in dice.sample(topics, 2):
            await client.send(Subscribe(id=next(client.numbers), topic=topic))
        await client.send(SetTyping(topic=topics[0], on=True))
        body = SendMessage(room=RoomId("rom_" + "0" * 26), text="hi")
        assert isinstance(await client.command(body), Accepted)
        await client.send(Ping(id=next(client.numbers)))
        if manner == "rude":
            await client.socket._stream.aclose()


class TestTheGauges:
    @pytest.mark.timeout(90)
    async def test_return_to_zero_after_churn(self, start_worker, commerce, monkeypatch):
        monkeypatch.setattr("gateway.topics.hub.FEED_IDLE_SECONDS", 0.2)
        worker, dice = await start_worker(), random.Random(7)  # noqa: S311 - repeatable
        topics = [a_room(), a_room(), a_product()]
        for topic in topics[:2]:
            await commerce.grant(topic, "*", "reader")
        before = await numbers(worker)
        async with worker.connect() as listener:
            await listener.hello()
            await listener.subscribe(topics[2])
            async with trio.open_nursery() as crowd:
                for _ in range(CLIENTS):
                    crowd.start_soon(come_and_go, worker, topics, dice)
                for _ in range(5):
                    await commerce.publish(topics[2], a_message())
            for _ in range(5):
                assert isinstance(await listener.receive(), EventFrame)
            during = await in_flight(worker)
            after = await numbers(worker)

        assert during["connections"] >= 1
        assert during["feeds"] >= 1
        assert all(after[name] > before.get(name, 0) for name in TOLD)
        left = await in_flight(worker)
        with trio.move_on_after(30):
            while any(left.values()):
                await trio.sleep(0.1)
                left = await in_flight(worker)
        assert left == dict.fromkeys(IN_FLIGHT, 0.0)
