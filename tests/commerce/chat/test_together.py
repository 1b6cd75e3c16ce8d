"""Messages that are sent together leave just what they leave one by one."""

from contextlib import suppress
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings, strategies as st

from commerce.chat import service as chat
from commerce.chat.reactions import COMMANDS
from commerce.foundation.command_log import Entry
from commerce.foundation.commands import Carrier, understand
from protocol.codec import decode_event, decode_topic_entry, encode_command
from protocol.commands import DeleteMessage, EditMessage, JoinRoom, LeaveRoom, SendMessage
from protocol.envelopes import CommandEnvelope
from protocol.ids import MessageId, RoomId, SessionId
from tests.commerce.conftest import TestIsOverError

ULID = "01JD000000000000000000000"
PEOPLE = ["ada", "ben", "cleo", "dan", "banned", "muted"]
TEXTS = ["hello", "look, @ben", " ", "€" * 2_000, "zero\0"]

TABLES = {
    "rooms": "select id, last_seq, active_at from rooms order by id",
    "members": "select * from room_members order by room_id, user_id",
    "standings": "select * from room_standings order by room_id, user_id",
    "messages": "select * from messages order by room_id, seq",
}
OUTCOMES = "select user_id, key, fingerprint, entry, outcome from command_outcomes order by 1, 2"
OUTBOX = "select topic, kind, member, role, body from outbox order by id"


class Act(msgspec.Struct, frozen=True):
    """What somebody does, by names."""

    who: str
    kind: str
    room: str
    key: int
    text: str
    answers: str | None
    names: str | None


ACTS = st.builds(
    Act,
    who=st.sampled_from(PEOPLE + ["ada"] * 4),
    kind=st.sampled_from(["send"] * 12 + ["join", "leave", "edit", "delete"]),
    room=st.sampled_from(["group", "product", "slow"] * 4 + ["missing"]),
    key=st.integers(0, 60),
    text=st.sampled_from(["hello"] * 8 + TEXTS),
    answers=st.sampled_from([None] * 6 + ["first", "missing"]),
    names=st.sampled_from([None] * 6 + ["ben", "dan"]),
)
BATCHES = st.lists(st.lists(ACTS, min_size=8, max_size=24), min_size=1, max_size=3)


def hello(who, room, key):
    return Act(who=who, kind="send", room=room, key=key, text="hello", answers=None, names=None)


class Scene:
    """Rooms in which anything may be refused, and what came of some batches in them."""

    def __init__(self, world, rooms, first):
        self.world = world
        self.rooms = rooms
        self.first = first

    def command(self, act):
        room = self.rooms[act.room]
        match act.kind:
            case "send":
                answers = {"first": self.first, "missing": MessageId(f"msg_{ULID}1")}
                return SendMessage(
                    room=room,
                    text=act.text,
                    reply_to=answers.get(act.answers),
                    parts=[f"prd_{ULID}1", f"prd_{ULID}2"] if act.names else [],
                    mentions=[self.world.id(act.names)] if act.names else [],
                )
            case "join":
                return JoinRoom(room=room)
            case "leave":
                return LeaveRoom(room=room)
            case "edit":
                return EditMessage(room=room, message=self.first, text=act.text)
            case _:
                return DeleteMessage(room=room, message=self.first)

    def order(self, number, act):
        envelope = CommandEnvelope(
            key=f"key-{act.key:08}",
            user=self.world.id(act.who),
            user_name=act.who,
            session=SessionId("ses_01JD0000000000000000000001"),
            sent_at_ms=1,
            command=self.command(act),
        )
        return understand(Entry(partition=0, id=f"{number}-0", payload=encode_command(envelope)))

    async def left_by(self, database, batches, *, one_by_one):
        """Return what is in the tables, and was told, after some batches; undo it all."""
        carrier, number, left = Carrier(COMMANDS, attempts_max=5), 0, None
        with suppress(TestIsOverError):
            async with database.transaction() as tx:
                for batch in batches:
                    orders = [self.order(number + place, act) for place, act in enumerate(batch)]
                    number += len(batch)
                    report = await carrier.carry_out(tx, orders, one_by_one=one_by_one)
                    assert not report.unfinished
                    await tx.flush()
                    tx.now += timedelta(seconds=1)
                left = await everything(tx._connection)
                raise TestIsOverError
        return left


async def everything(connection):
    """Return every row as text; messages, whose ids are drawn, by room and number."""
    names = {
        row["id"]: f"{row['room_id']}#{row['seq']}"
        for row in await connection.fetch("select id, room_id, seq from messages")
    }

    def told(value):
        text = repr(value)
        for identity, name in names.items():
            text = text.replace(identity, name)
        return text

    found = {
        name: [told(dict(row)) for row in await connection.fetch(sql)]
        for name, sql in TABLES.items()
    }
    found["outcomes"] = [
        told((user, key, fingerprint, entry, msgspec.msgpack.decode(outcome)))
        for user, key, fingerprint, entry, outcome in await connection.fetch(OUTCOMES)
    ]
    topics = {}
    for topic, kind, member, role, body in await connection.fetch(OUTBOX):
        event = None if body is None else decode_event(decode_topic_entry(body).body)
        topics.setdefault(topic, []).append(told((kind, member, role, event)))
    for topic, rows in topics.items():
        found[topic] = rows if topic.startswith("room:") else sorted(rows)
    return found


@pytest_asyncio.fixture
async def scene(world, database, product_room):
    await world.add_people("banned", "muted")
    rooms = {
        "group": await world.open_group("ada", "ben", "cleo"),
        "product": product_room,
        "slow": await world.open_group("ben", "ada", "muted"),
        "missing": RoomId(f"rom_{ULID}9"),
    }
    first = await world.send("ada", rooms["group"])
    await world.join("muted", product_room)
    await world.make_staff("ada")
    async with database.transaction() as tx:
        ada = world.id("ada")
        await chat.set_slow_mode(tx, world.id("ben"), rooms["slow"], 2)
        await chat.ban(tx, ada, product_room, world.id("banned"), reason="spam")
        until = tx.now.replace(year=tx.now.year + 1)
        await chat.mute(tx, ada, product_room, world.id("muted"), until=until)
        await chat.leave(tx, world.id("muted"), product_room)
        await tx.flush()
        await tx.execute("delete from outbox")
    return Scene(world, rooms, first.id)


class TestMessagesSentTogether:
    @pytest.mark.asyncio
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(batches=BATCHES)
    @example(batches=[[hello("ada", "slow", 1), hello("ada", "slow", 2)]])
    async def test_leave_what_they_leave_one_by_one(self, scene, database, batches):
        together = await scene.left_by(database, batches, one_by_one=False)
        one_by_one = await scene.left_by(database, batches, one_by_one=True)

        assert together == one_by_one
