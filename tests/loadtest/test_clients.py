import pytest
import trio

from loadtest.clients import RefusedError, TicketUnavailableError
from loadtest.limits import OUTCOME_SECONDS_MAX
from loadtest.listening import Listener
from protocol.client_frames import GiveCommand, Hello, Ping, Refresh, Subscribe, Unsubscribe
from protocol.commands import SendMessage
from protocol.events import CommandCommitted, CommandRejected, ReadMarked
from protocol.server_frames import (
    Error,
    Gap,
    Ok,
    Reconnect,
    Refreshed,
    Replayed,
    Subscribed,
    Unsubscribed,
)
from protocol.topics import Position
from tests.loadtest.scripted_gateway import (
    ROOM,
    ROOM_TOPIC,
    USER_TOPIC,
    ScriptedGateway,
    TicketOffice,
    a_client,
    an_event,
)
from tests.loadtest.virtual_time import in_virtual_time

pytestmark = in_virtual_time

HELLO_THERE = SendMessage(room=ROOM, text="Hello")


class Diary(Listener):
    """Writes down what it hears."""

    def __init__(self):
        self.events = []
        self.starts_at = {}
        self.stopped = []
        self.gaps = []
        self.codes = []
        self.connected_count = 0
        self.failures = []
        self.accepted_keys = []
        self.finished_keys = []

    def connected(self, welcome, seconds):
        self.connected_count += 1

    def connect_failed(self, reason):
        self.failures.append(reason)

    def disconnected(self, code):
        self.codes.append(code)

    def starts(self, topic, position):
        self.starts_at[topic] = position

    def stops(self, topic):
        self.stopped.append(topic)

    def event(self, frame):
        self.events.append((frame.topic, frame.offset))

    def gap(self, frame):
        self.gaps.append(frame.topic)

    def accepted(self, command):
        self.accepted_keys.append(command.key)

    def finished(self, command):
        self.finished_keys.append(command.key)


@pytest.fixture
def gateway():
    return ScriptedGateway()


@pytest.fixture
def diary():
    return Diary()


@pytest.fixture
def tickets():
    return TicketOffice()


@pytest.fixture
def client(gateway, diary, tickets, nursery):
    client = a_client(gateway, listener=diary, tickets=tickets)
    nursery.start_soon(client.run)
    return client


async def connected(gateway, **welcome):
    call = await gateway.take_call()
    await call.welcome(**welcome)
    return call


async def subscribed(client, call, nursery, *, offset=5):
    nursery.start_soon(client.subscribe, ROOM_TOPIC)
    asked = await call.hear_only(Subscribe)
    await call.say(Subscribed(id=asked.id, topic=ROOM_TOPIC, position=Position("r1", offset)))
    await trio.testing.wait_all_tasks_blocked()


def marked(offset):
    return an_event(ROOM_TOPIC, offset, ReadMarked(room=ROOM, seq=offset, unread=0))


class TestAClient:
    async def test_hears_events_that_come_right_behind_the_answer(
        self, client, gateway, diary, nursery
    ):
        call = await connected(gateway)
        nursery.start_soon(client.subscribe, ROOM_TOPIC)
        asked = await call.hear_only(Subscribe)
        await call.say(
            Subscribed(id=asked.id, topic=ROOM_TOPIC, position=Position("r1", 5)), marked(6)
        )
        await trio.testing.wait_all_tasks_blocked()

        assert diary.starts_at[ROOM_TOPIC] == Position("r1", 5)
        assert diary.events == [(ROOM_TOPIC, 6)]
        assert client.position(ROOM_TOPIC) == Position("r1", 6)

    async def test_resumes_every_topic_from_where_it_stood(self, client, gateway, nursery):
        call = await connected(gateway)
        await subscribed(client, call, nursery)
        await call.say(marked(6), marked(7))
        await trio.testing.wait_all_tasks_blocked()
        await call.lose()

        hello = await (await gateway.take_call()).welcome()

        assert hello.positions == {USER_TOPIC: Position("e1", 0), ROOM_TOPIC: Position("r1", 7)}
        assert hello.session == "session-1"

    async def test_goes_on_after_a_gap_from_where_the_gateway_says(
        self, client, gateway, diary, nursery
    ):
        call = await connected(gateway)
        await subscribed(client, call, nursery)
        await call.say(Gap(topic=ROOM_TOPIC, position=Position("r2", 40), reason="epoch"))
        await trio.testing.wait_all_tasks_blocked()

        assert diary.gaps == [ROOM_TOPIC]
        assert client.position(ROOM_TOPIC) == Position("r2", 40)

    async def test_forgets_a_topic_whose_right_it_lost(self, client, gateway, diary, nursery):
        call = await connected(gateway)
        await subscribed(client, call, nursery)
        await call.say(Unsubscribed(topic=ROOM_TOPIC))
        await trio.testing.wait_all_tasks_blocked()

        assert diary.stopped == [ROOM_TOPIC]
        assert client.position(ROOM_TOPIC) is None

    async def test_asks_again_for_a_topic_that_the_welcome_left_out(self, client, gateway, nursery):
        call = await connected(gateway)
        await subscribed(client, call, nursery)
        await call.lose()
        call = await connected(gateway, positions={})

        asked = await call.hear_only(Subscribe)

        assert (asked.topic, asked.position) == (ROOM_TOPIC, Position("r1", 5))
        await call.say(
            Subscribed(id=asked.id, topic=ROOM_TOPIC, position=Position("r1", 5)),
            Replayed(topic=ROOM_TOPIC, position=Position("r1", 5), count=0),
        )

    async def test_stops_hearing_what_it_unsubscribes_from(self, client, gateway, diary, nursery):
        call = await connected(gateway)
        await subscribed(client, call, nursery)
        nursery.start_soon(client.unsubscribe, ROOM_TOPIC)
        asked = await call.hear_only(Unsubscribe)
        await call.say(Ok(id=asked.id))
        await trio.testing.wait_all_tasks_blocked()

        assert diary.stopped == [ROOM_TOPIC]

    async def test_is_told_when_it_may_not_hear_a_topic(self, client, gateway, nursery):
        async def refuse(call):
            asked = await call.hear_only(Subscribe)
            await call.say(
                Error(id=asked.id, code=102, name="unknown_topic", message="No.", temporary=False)
            )

        call = await connected(gateway)
        nursery.start_soon(refuse, call)

        with pytest.raises(RefusedError, match="unknown_topic"):
            await client.subscribe(ROOM_TOPIC)


class TestACommand:
    async def test_is_finished_by_its_outcome(self, client, gateway, diary):
        call = await connected(gateway)
        await client.wait_connected()
        command = await client.give(HELLO_THERE)
        given = await call.accept_command()
        await call.commit(given.key, offset=1)

        assert await command.wait() == CommandCommitted(key=command.key)
        assert diary.accepted_keys == diary.finished_keys == [command.key]

    async def test_may_be_finished_before_it_is_accepted(self, client, gateway, diary):
        call = await connected(gateway)
        await client.wait_connected()
        command = await client.give(HELLO_THERE)
        given = await call.hear_only(GiveCommand)
        await call.commit(given.key, offset=1)

        await command.wait()

        assert diary.finished_keys == [command.key]

    async def test_is_sent_again_under_the_same_key_after_a_lost_connection(self, client, gateway):
        call = await connected(gateway)
        await client.wait_connected()
        command = await client.give(HELLO_THERE)
        first = await call.hear_only(GiveCommand)
        await call.lose()

        again = await (await connected(gateway)).hear_only(GiveCommand)

        assert again.key == first.key == command.key
        assert again.body == first.body

    async def test_given_without_a_connection_is_sent_with_the_next_one(self, client, gateway):
        command = await client.give(HELLO_THERE)

        given = await (await connected(gateway)).hear_only(GiveCommand)

        assert given.key == command.key

    async def test_that_was_accepted_is_not_sent_again_while_its_outcome_may_come(
        self, client, gateway
    ):
        call = await connected(gateway)
        await client.wait_connected()
        command = await client.give(HELLO_THERE)
        await call.accept_command()
        await trio.testing.wait_all_tasks_blocked()
        await call.lose()
        call = await connected(gateway)
        await call.commit(command.key, offset=1)

        await command.wait()

        assert command.sent_count == 1

    async def test_is_sent_again_when_its_outcome_stays_away(self, client, gateway):
        call = await connected(gateway)
        await client.wait_connected()
        command = await client.give(HELLO_THERE)
        await call.accept_command()
        accepted_at = trio.current_time()

        again = await call.hear_only(GiveCommand)

        assert again.key == command.key
        assert trio.current_time() - accepted_at == pytest.approx(OUTCOME_SECONDS_MAX, abs=0.1)

    async def test_is_sent_again_at_once_when_outcomes_were_lost_in_a_gap(self, client, gateway):
        call = await connected(gateway)
        await client.wait_connected()
        await client.give(HELLO_THERE)
        await call.accept_command()
        lost_at = trio.current_time()
        await call.say(Gap(topic=USER_TOPIC, position=Position("e2", 3), reason="lost"))

        await call.hear_only(GiveCommand)

        assert trio.current_time() == lost_at

    async def test_waits_as_long_as_a_temporary_refusal_asks(self, client, gateway):
        call = await connected(gateway)
        await client.wait_connected()
        command = await client.give(HELLO_THERE)
        given = await call.hear_only(GiveCommand)
        refused_at = trio.current_time()
        await call.say(
            Error(
                id=given.id,
                code=108,
                name="unavailable",
                message="Later.",
                temporary=True,
                retry_after_ms=3000,
            )
        )

        again = await call.hear_only(GiveCommand)

        assert again.key == command.key
        assert trio.current_time() - refused_at >= 3

    async def test_is_finished_by_a_refusal_for_good(self, client, gateway):
        call = await connected(gateway)
        await client.wait_connected()
        command = await client.give(HELLO_THERE)
        given = await call.hear_only(GiveCommand)
        refusal = Error(id=given.id, code=107, name="bad_frame", message="No.", temporary=False)
        await call.say(refusal)

        assert await command.wait() == refusal
        assert client.commands_outstanding == 0

    async def test_may_be_rejected(self, client, gateway):
        call = await connected(gateway)
        await client.wait_connected()
        command = await client.give(HELLO_THERE)
        given = await call.accept_command()
        rejected = CommandRejected(key=given.key, code="not_a_member", message="No.")
        await call.say(an_event(USER_TOPIC, 1, rejected))

        assert await command.wait() == rejected


class TestAConnection:
    async def test_is_kept_alive_by_pings_when_the_client_has_nothing_to_say(self, client, gateway):
        call = await connected(gateway, heartbeat_ms=20_000)
        began_at = trio.current_time()

        await call.hear_only(Ping)

        assert trio.current_time() - began_at == pytest.approx(20, abs=0.1)

    async def test_is_given_up_when_the_gateway_falls_silent(self, client, gateway, diary):
        await connected(gateway, heartbeat_ms=20_000)

        await connected(gateway)
        await client.wait_connected()

        assert diary.connected_count == 2
        assert trio.current_time() >= 20

    async def test_gets_a_fresh_ticket_before_the_old_one_expires(self, client, gateway, tickets):
        call = await connected(gateway, ticket_expires_in_ms=300_000, heartbeat_ms=1_000_000)
        began_at = trio.current_time()

        asked = await call.hear_only(Refresh)
        await call.say(Refreshed(id=asked.id, ticket_expires_in_ms=300_000))
        await call.hear_only(Refresh)

        assert asked.ticket == "ticket-2"
        assert 300 <= trio.current_time() - began_at <= 480

    async def test_is_left_within_the_time_a_draining_worker_gives(self, client, gateway, diary):
        call = await connected(gateway)
        began_at = trio.current_time()
        await call.say(Reconnect(within_ms=2000))

        await connected(gateway)

        assert trio.current_time() - began_at <= 2

    async def test_is_tried_again_with_growing_pauses_while_nobody_answers(
        self, gateway, diary, nursery
    ):
        gateway.refusing = True
        client = a_client(gateway, listener=diary)
        nursery.start_soon(client.run)
        with trio.move_on_after(60):
            await client.wait_connected()

        assert 5 <= len(diary.failures) <= 30

    async def test_waits_for_a_ticket(self, gateway, diary, nursery):
        office = TicketOffice()
        fetch = office.fetch

        async def fetch_in_vain_at_first():
            ticket = await fetch()
            if office.issued < 3:
                raise TicketUnavailableError("not now")
            return ticket

        office.fetch = fetch_in_vain_at_first
        nursery.start_soon(a_client(gateway, listener=diary, tickets=office).run)

        hello = await (await gateway.take_call()).hear_only(Hello)

        assert hello.ticket == "ticket-3"
        assert len(diary.failures) == 2

    async def test_is_opened_again_after_a_code_that_allows_it(self, client, gateway, diary):
        call = await connected(gateway)
        await client.wait_connected()
        await call.close(4008)

        await connected(gateway)

        assert diary.codes == [4008]

    async def test_is_not_opened_again_after_a_code_that_forbids_it(self, gateway):
        async def close_for_good():
            await (await connected(gateway)).close(4503)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(close_for_good)

            with pytest.raises(RefusedError, match="4503"):
                await a_client(gateway).run()

    async def test_is_not_opened_again_after_a_refused_ticket(self, gateway):
        async def refuse():
            call = await gateway.take_call()
            hello = await call.hear_only(Hello)
            await call.say(
                Error(id=hello.id, code=101, name="unauthenticated", message="No.", temporary=False)
            )
            await call.close(4500)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(refuse)

            with pytest.raises(RefusedError, match="4500"):
                await a_client(gateway).run()

    async def test_answers_pings_of_the_gateway(self, client, gateway):
        call = await connected(gateway)
        await client.wait_connected()
        await call.ping()
        await client.set_typing(ROOM_TOPIC, on=True)

        assert (await call.hear()).on

    async def test_survives_being_cut(self, client, gateway, diary):
        await connected(gateway)
        await client.wait_connected()
        await client.cut()

        await connected(gateway)
        await client.wait_connected()

        assert diary.connected_count == 2
