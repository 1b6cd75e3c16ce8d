"""An actor: one mailbox, at most one task, one message at a time.

The task lives only while there is mail, so an actor at rest costs no more than its state.
"""

from collections.abc import Awaitable, Callable
from typing import Generic

import trio

from gateway.actors.mailbox import Mailbox, Message


class Actor(Generic[Message]):
    """Hands its messages to `handle`, in order, never two at once."""

    __slots__ = ("_handle", "_handle_at_once", "_is_working", "_mailbox", "_nursery", "_on_crash")

    def __init__(
        self,
        *,
        nursery: trio.Nursery,
        mailbox: Mailbox[Message],
        handle: Callable[[Message], Awaitable[None]],
        on_crash: Callable[[Exception], None],
        handle_at_once: Callable[[Message], bool] | None = None,
    ) -> None:
        """Make an actor.

        `handle_at_once` is asked first for a message that finds the actor at rest; it deals with
        what needs no waiting, and says whether it did. That saves a task for each such message.
        """
        self._nursery = nursery
        self._mailbox = mailbox
        self._handle = handle
        self._handle_at_once = handle_at_once
        self._on_crash = on_crash
        self._is_working = False

    def tell(self, message: Message) -> None:
        """Leave a message.

        Raises:
            MailboxFullError: if too many are waiting.
        """
        if not self._is_working and self._is_done_at_once(message):
            return
        self._mailbox.put(message)
        self._work()

    def _is_done_at_once(self, message: Message) -> bool:
        if self._handle_at_once is None:
            return False
        try:
            return self._handle_at_once(message)
        except Exception as crash:  # noqa: BLE001 - as below
            self._on_crash(crash)
            return True

    def tell_urgently(self, message: Message) -> None:
        """Leave a message of our own.

        Raises:
            MailboxFullError: if even so too many are waiting.
        """
        self._mailbox.put_urgent(message)
        self._work()

    @property
    def waiting_count(self) -> int:
        """Count the messages not taken yet."""
        return len(self._mailbox)

    def _work(self) -> None:
        if not self._is_working:
            self._is_working = True
            self._nursery.start_soon(self._empty_mailbox)

    async def _empty_mailbox(self) -> None:
        """Handle all that waits. A crash throws the rest away and is told, not raised."""
        try:
            while self._mailbox:
                await self._handle(self._mailbox.take())
        except Exception as crash:  # noqa: BLE001 - a supervisor: whoever owns the actor decides
            self._mailbox.clear()
            self._on_crash(crash)
        finally:
            self._is_working = False
