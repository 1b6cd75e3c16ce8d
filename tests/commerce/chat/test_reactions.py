import pytest

from commerce.chat.errors import RoomNotFoundError
from commerce.chat.reactions import COMMANDS
from commerce.foundation.commands import Caller
from protocol.commands import (
    DeleteMessage,
    EditMessage,
    JoinRoom,
    LeaveRoom,
    MarkRead,
    MessageResult,
    SendMessage,
)
from protocol.ids import SessionId

SESSION = SessionId("ses_01JD0000000000000000000001")


@pytest.fixture
def give(world, database):
    """Carry out a command of somebody, as the command consumer does."""

    async def give(name, command, *, key="key-00000001"):
        caller = Caller(user=world.id(name), name=name, session=SESSION, key=key)
        async with database.transaction() as tx:
            return await COMMANDS[type(command)](tx, caller, command)

    return give


class TestTheCommandsOfChat:
    async def test_answer_with_the_message_they_made(self, world, give, product_room):
        sent = await give("ada", SendMessage(room=product_room, text="helo"))
        edit = EditMessage(room=product_room, message=sent.message, text="hello")
        edited = await give("ada", edit)
        deleted = await give("ada", DeleteMessage(room=product_room, message=sent.message))

        assert sent == MessageResult(message=sent.message, seq=1, version=1)
        assert edited == MessageResult(message=sent.message, seq=1, version=2)
        assert deleted == MessageResult(message=sent.message, seq=1, version=3)

    async def test_keep_the_key_by_which_the_author_knows_the_message(
        self, world, give, product_room
    ):
        await give("ada", SendMessage(room=product_room, text="hello"), key="key-00000002")

        [message] = (await world.history("ada", product_room)).messages
        assert message.command_key == "key-00000002"

    async def test_carry_the_message_that_is_answered(self, world, give, product_room):
        first = await give("ada", SendMessage(room=product_room, text="hello"))
        answer = SendMessage(room=product_room, text="hello!", reply_to=first.message)

        await give("ben", answer)

        assert (await world.history("ben", product_room)).messages[1].reply_to == first.message

    async def test_let_people_in_and_out(self, world, give, product_room):
        assert await give("ada", JoinRoom(room=product_room)) is None
        assert (await world.view("ada", product_room)).role == "member"

        assert await give("ada", LeaveRoom(room=product_room)) is None
        assert (await world.view("ada", product_room)).role is None

    async def test_move_the_read_mark(self, world, give, product_room):
        await give("ben", JoinRoom(room=product_room))
        await give("ada", SendMessage(room=product_room, text="hello"))

        assert await give("ben", MarkRead(room=product_room, seq=1)) is None

        assert (await world.view("ben", product_room)).unread == 0

    async def test_refuse_by_an_error_with_a_code(self, world, give):
        private = await world.open_group("ada")

        with pytest.raises(RoomNotFoundError) as refused:
            await give("ben", SendMessage(room=private, text="hello"))

        assert refused.value.code == "room_not_found"
