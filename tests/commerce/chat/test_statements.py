"""What a message costs: the command consumer pushes hundreds of them a second through here."""

from contextlib import contextmanager

from commerce.chat import service as chat
from commerce.chat.model import Draft, Edit, Enclosed
from tests.commerce.outbox import events_told

TRANSACTION = ("BEGIN", "COMMIT")


@contextmanager
def statements_of(tx):
    """Collect what is sent to Postgres, but for the begin and the end of the transaction."""
    sent = []

    def note(query):
        if not query.query.startswith(TRANSACTION):
            sent.append(query.query)

    with tx._connection.query_logger(note):
        yield sent


class TestSendingMessages:
    async def test_takes_three_statements(self, world, database):
        room = await world.open_group("ada", "ben")

        async with database.transaction() as tx:
            await chat.send(tx, world["ada"], room, "hello")  # learns array types
            with statements_of(tx) as sent:
                await chat.send(tx, world["ada"], room, "hello")

        assert len(sent) == 3

    async def test_takes_four_statements_if_one_answers_another(self, world, database):
        room = await world.open_group("ada", "ben")
        first = await world.send("ada", room)

        async with database.transaction() as tx:
            await chat.send(tx, world["ben"], room, "hello")  # learns array types
            with statements_of(tx) as sent:
                await chat.send(
                    tx, world["ben"], room, "hello", enclosed=Enclosed(reply_to=first.id)
                )

        assert len(sent) == 4

    async def test_takes_three_statements_for_any_number_in_any_rooms_and_one_to_tell_them(
        self, world, database
    ):
        rooms = [await world.open_group("ada", "ben") for _ in range(3)]
        drafts = [
            Draft(author=world[name], room_id=room, text="hello", enclosed=Enclosed())
            for room in rooms
            for name in ["ada", "ben"] * 5
        ]

        async with database.transaction() as tx:
            await chat.send_all(tx, drafts)  # learns array types
            await tx.flush()
            with statements_of(tx) as sent:
                await chat.send_all(tx, drafts)
                await tx.flush()

        assert len(sent) == 3 + 1
        for room in rooms:
            assert len(await events_told(database, f"room:{room}")) == 2 + 2 * 10

    async def test_takes_five_statements_the_first_time_in_a_public_room(
        self, world, database, product_room
    ):
        async with database.transaction() as tx:
            await chat.send(tx, world["ben"], product_room, "hello")  # learns array types
            with statements_of(tx) as sent:
                await chat.send(tx, world["ada"], product_room, "hello")

        assert len(sent) == 5


class TestMarkingAsRead:
    async def test_takes_one_statement(self, world, database):
        room = await world.open_group("ada", "ben")
        await world.send("ada", room)

        async with database.transaction() as tx:
            with statements_of(tx) as sent:
                await chat.mark_read(tx, world.id("ben"), room, 1)

        assert len(sent) == 1


class TestChangingAMessage:
    async def test_takes_four_statements(self, world, database):
        room = await world.open_group("ada", "ben")
        message = await world.send("ada", room)

        async with database.transaction() as tx:
            with statements_of(tx) as sent:
                await chat.edit(tx, world["ada"], room, message.id, change=Edit(text="changed"))

        assert len(sent) == 4


class TestListingRooms:
    async def test_takes_two_statements_whatever_their_number(self, world, database):
        for _ in range(7):
            room = await world.open_group("ada", "ben")
            await world.send("ben", room)

        async with database.transaction() as tx:
            await chat.rooms_of(tx, world.id("ada"), after=None, limit=1)  # learns array types
            with statements_of(tx) as sent:
                await chat.rooms_of(tx, world.id("ada"), after=None, limit=30)

        assert len(sent) == 2
