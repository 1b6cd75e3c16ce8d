"""A bounded mailbox: the only door into an actor.

A mailbox never grows without limit. When it is full the sender learns at once and decides what to
do; nothing is dropped in silence.
"""

from collections import deque
from typing import Generic, TypeVar

Message = TypeVar("Message")


class MailboxFullError(Exception):
    """The actor is slower than its senders."""


class Mailbox(Generic[Message]):
    """Messages wait here, in order, until the actor takes them."""

    __slots__ = ("_capacity", "_messages", "_urgent_capacity")

    def __init__(self, *, capacity_messages: int, urgent_capacity_messages: int) -> None:
        assert 0 < capacity_messages <= urgent_capacity_messages
        self._capacity = capacity_messages
        self._urgent_capacity = urgent_capacity_messages
        self._messages: deque[Message] = deque()

    def put(self, message: Message) -> None:
        """Leave `message` without waiting.

        Raises:
            MailboxFullError: if `capacity_messages` are already waiting.
        """
        self._put(message, self._capacity)

    def put_urgent(self, message: Message) -> None:
        """Leave a message of our own, for which some room is kept.

        Raises:
            MailboxFullError: if `urgent_capacity_messages` are already waiting.
        """
        self._put(message, self._urgent_capacity)

    def _put(self, message: Message, capacity: int) -> None:
        if len(self._messages) >= capacity:
            raise MailboxFullError
        self._messages.append(message)

    def take(self) -> Message:
        """Take the oldest message; there must be one."""
        return self._messages.popleft()

    def clear(self) -> None:
        """Throw away what waits."""
        self._messages.clear()

    def __len__(self) -> int:
        return len(self._messages)
