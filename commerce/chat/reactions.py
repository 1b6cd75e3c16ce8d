"""The commands of chat."""

from typing import Final

from commerce.chat import service
from commerce.chat.model import Message
from commerce.foundation.commands import Caller, Commands
from commerce.foundation.database import Transaction
from protocol.commands import (
    DeleteMessage,
    EditMessage,
    JoinRoom,
    LeaveRoom,
    MarkRead,
    MessageResult,
    SendMessage,
)
from protocol.views import Person


async def send_message(tx: Transaction, caller: Caller, command: SendMessage) -> MessageResult:
    """Say something in a room."""
    sent = await service.send(
        tx,
        _person(caller),
        command.room,
        command.text,
        reply_to=command.reply_to,
        key=caller.key,
    )
    return _result(sent)


async def edit_message(tx: Transaction, caller: Caller, command: EditMessage) -> MessageResult:
    """Change one's own message."""
    edited = await service.edit(tx, caller.user, command.room, command.message, text=command.text)
    return _result(edited)


async def delete_message(tx: Transaction, caller: Caller, command: DeleteMessage) -> MessageResult:
    """Take a message back."""
    return _result(await service.delete(tx, caller.user, command.room, command.message))


async def join_room(tx: Transaction, caller: Caller, command: JoinRoom) -> None:
    """Become a member."""
    await service.join(tx, _person(caller), command.room)


async def leave_room(tx: Transaction, caller: Caller, command: LeaveRoom) -> None:
    """Stop being a member."""
    await service.leave(tx, caller.user, command.room)


async def mark_read(tx: Transaction, caller: Caller, command: MarkRead) -> None:
    """Move one's read mark forward."""
    await service.mark_read(tx, caller.user, command.room, command.seq)


COMMANDS: Final[Commands] = {
    SendMessage: send_message,
    EditMessage: edit_message,
    DeleteMessage: delete_message,
    JoinRoom: join_room,
    LeaveRoom: leave_room,
    MarkRead: mark_read,
}


def _person(caller: Caller) -> Person:
    return Person(id=caller.user, name=caller.name)


def _result(message: Message) -> MessageResult:
    return MessageResult(message=message.id, seq=message.seq, version=message.version)
