"""The commands of chat."""

from collections.abc import Sequence
from typing import Final

from commerce.chat import service
from commerce.chat.model import Draft, Edit, Enclosed, Message
from commerce.foundation.commands import Caller, Commands, Together
from commerce.foundation.database import Transaction
from protocol.commands import (
    DeleteMessage,
    EditMessage,
    JoinRoom,
    LeaveRoom,
    MarkRead,
    MessageResult,
    ReactionResult,
    SendMessage,
    SetReaction,
)
from protocol.views import Person
from shared.errors import ExpectedError


async def send_messages(
    tx: Transaction, given: Sequence[tuple[Caller, SendMessage]]
) -> list[MessageResult | ExpectedError]:
    """Say things in rooms."""
    told = await service.send_all(tx, [_draft(caller, command) for caller, command in given])
    return [each if isinstance(each, ExpectedError) else _result(each) for each in told]


async def edit_message(tx: Transaction, caller: Caller, command: EditMessage) -> MessageResult:
    """Change one's own message."""
    change = Edit(text=command.text, version=command.version, mentions=command.mentions)
    return _result(
        await service.edit(tx, _person(caller), command.room, command.message, change=change)
    )


async def delete_message(tx: Transaction, caller: Caller, command: DeleteMessage) -> MessageResult:
    """Take a message back."""
    return _result(await service.delete(tx, caller.user, command.room, command.message))


async def set_reaction(tx: Transaction, caller: Caller, command: SetReaction) -> ReactionResult:
    """React to a message, or no longer."""
    reacted = await service.react(
        tx,
        _person(caller),
        command.room,
        command.message,
        emoji=command.emoji,
        on=command.on,
    )
    return ReactionResult(message=reacted.id, reactions_version=reacted.reactions_version)


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
    SendMessage: Together(send_messages),
    EditMessage: edit_message,
    DeleteMessage: delete_message,
    SetReaction: set_reaction,
    JoinRoom: join_room,
    LeaveRoom: leave_room,
    MarkRead: mark_read,
}


def _draft(caller: Caller, command: SendMessage) -> Draft:
    return Draft(
        author=_person(caller),
        room_id=command.room,
        text=command.text,
        enclosed=Enclosed(
            reply_to=command.reply_to,
            parts=list(dict.fromkeys(command.parts)),
            attachments=list(dict.fromkeys(command.attachments)),
            mentions=command.mentions,
        ),
        key=caller.key,
    )


def _person(caller: Caller) -> Person:
    return Person(id=caller.user, name=caller.name)


def _result(message: Message) -> MessageResult:
    return MessageResult(message=message.id, seq=message.seq, version=message.version)
