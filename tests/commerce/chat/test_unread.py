"""Unread counts, held against a model of five lines under random histories."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from commerce.chat import service as chat
from protocol.ids import ProductId

NAMES = ("ada", "ben", "cleo")

name = st.sampled_from(NAMES)
turns = st.lists(
    st.one_of(
        st.tuples(st.just("send"), name),
        st.tuples(st.just("join"), name),
        st.tuples(st.just("leave"), name),
        st.tuples(st.just("mark"), name, st.integers(0, 15)),
        st.tuples(st.just("delete"), name),
    ),
    max_size=25,
)


class Model:
    """How far each member has read."""

    def __init__(self):
        self.last = 0
        self.read = {}

    def play(self, deed, who, *seq):
        match deed:
            case "send":
                self.last += 1
                self.read[who] = self.last
            case "join":
                self.read.setdefault(who, self.last)
            case "leave":
                self.read.pop(who, None)
            case "mark" if who in self.read:
                self.read[who] = max(self.read[who], min(seq[0], self.last))


class Room:
    """The same, in the database."""

    def __init__(self, tx, world, room):
        self.tx, self.world, self.room, self.sent = tx, world, room, []

    async def play(self, deed, who, *seq):
        person = self.world[who]
        match deed:
            case "send":
                self.sent.append(await chat.send(self.tx, person, self.room, "hello"))
            case "join":
                await chat.join(self.tx, person, self.room)
            case "leave":
                await chat.leave(self.tx, person.id, self.room)
            case "mark" if await self.unread_of(who) is not None:
                await chat.mark_read(self.tx, person.id, self.room, seq[0])
            case "delete":
                for message in self.sent[-1:]:
                    await chat.delete(self.tx, message.author_id, self.room, message.id)

    async def unread_of(self, who):
        summary = (await chat.view(self.tx, self.world.id(who), self.room)).summary
        return None if summary.role is None else summary.unread

    async def listed_unread(self):
        found = {}
        for who in NAMES:
            listed = await chat.rooms_of(self.tx, self.world.id(who), after=None, limit=100)
            for each in listed:
                if each.summary.id == self.room:
                    found[who] = each.summary.unread
        return found


class TestUnreadCounts:
    @pytest.mark.asyncio
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(history=turns)
    async def test_agree_with_the_model_after_any_history(self, world, database, history):
        model = Model()
        async with database.transaction() as tx:
            room_id = await chat.open_product_room(tx, ProductId(tx.mint("prd")), "A product")
            room = Room(tx, world, room_id)
            for turn in history:
                model.play(*turn)
                await room.play(*turn)

            expected = {who: model.last - read for who, read in model.read.items()}
            assert await room.listed_unread() == expected
            assert {who: await room.unread_of(who) for who in expected} == expected
