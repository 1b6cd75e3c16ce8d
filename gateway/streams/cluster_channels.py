"""Sharded pub/sub on a Redis Cluster: one connection to every master, each channel on its owner's.

What is to be heard is kept here; what is attached where follows the map of slots. A channel whose
slot has moved is attached anew, and then messages may have been missed, as after a reconnect.
"""

import functools
from collections.abc import Callable
from typing import Final

import trio

from gateway.streams.channels import (
    CHANNELS_MAX,
    Channels,
    ChannelsStatistics,
    Receiver,
)
from gateway.streams.cluster_link import ClusterLink, Node
from gateway.streams.replies import LinkDownError, LinkFullError, LinkReplyError
from gateway.streams.slots import slot_of
from shared.logging import get_logger

PLACED_AT_ONCE: Final = 256
"""Channels that are being attached anew at a time."""

PLACING_PAUSE_SECONDS: Final = 0.1
START_SECONDS_MAX: Final = 5.0
_logger: Final = get_logger("streams.cluster")


class _Member:
    """The connection to one master, and the scope it lives in."""

    def __init__(self, channels: Channels) -> None:
        self.channels = channels
        self.scope = trio.CancelScope()

    async def run(self) -> None:
        with self.scope:
            await self.channels.run()


class _Wanted:
    """A channel that is to be heard, and the node on which it is attached."""

    __slots__ = ("is_new", "node", "receiver")

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.is_new = True
        self.node: Node | None = None


class ClusterChannels:
    """Hears channels wherever they are, over any number of reconnects and moves."""

    on_reconnected: Callable[[], None]
    """Called when everything is attached again: messages may have been missed."""

    on_drained: Callable[[], None]
    """Called when every message that has arrived from a node was handed on; see `Channels`."""

    def __init__(self, link: ClusterLink) -> None:
        self.on_reconnected = self.on_drained = _do_nothing
        self._link = link
        self._members: dict[Node, _Member] = {}
        self._wanted: dict[str, _Wanted] = {}
        self._moves_count = 0
        self._disturbed = trio.Event()
        self._is_settled = False
        link.on_map = self._disturb

    @property
    def is_up(self) -> bool:
        """Say whether everything that should be attached is."""
        members = self._members.values()
        return self._is_settled and bool(members) and all(one.channels.is_up for one in members)

    @property
    def connects_count(self) -> int:
        """Count the connections made and the moves; when it grows, messages may be missing."""
        return self._moves_count + sum(
            one.channels.connects_count for one in self._members.values()
        )

    def statistics(self) -> ChannelsStatistics:
        """Count what was heard and what is attached, over all nodes there are now."""
        every = [one.channels.statistics() for one in self._members.values()]
        return ChannelsStatistics(
            is_up=self.is_up,
            attached_count=len(self._wanted),
            messages_count=sum(each.messages_count for each in every),
            receiver_failures_count=sum(each.receiver_failures_count for each in every),
            connects_count=self.connects_count,
            disconnects_count=sum(each.disconnects_count for each in every),
            last_failure=next((each.last_failure for each in every if each.last_failure), ""),
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep everything attached for ever; started when connected, or when that takes long."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._settle_forever, nursery)
            with trio.move_on_after(START_SECONDS_MAX):
                while not self.is_up:  # noqa: ASYNC110 - one by one
                    await trio.sleep(PLACING_PAUSE_SECONDS / 10)
            task_status.started()
            await trio.sleep_forever()

    async def attach(self, channel: str, receiver: Receiver) -> None:
        """Hear `channel` from now on; see `Channels.attach`.

        Raises:
            LinkDownError: if its master cannot be reached, or the slot does not come to rest.
            LinkReplyError: if Redis refused.
        """
        if len(self._wanted) >= CHANNELS_MAX:
            await trio.lowlevel.checkpoint()
            raise LinkFullError("too many channels")
        wanted = self._wanted[channel] = _Wanted(receiver)
        try:
            await self._place(channel, wanted)
        except BaseException:
            if self._wanted.get(channel) is wanted:
                del self._wanted[channel]
            raise
        wanted.is_new = False
        if self._is_misplaced(channel, wanted):
            self._disturb()

    async def detach(self, channel: str) -> None:
        """Stop hearing `channel`. Never fails, never waits."""
        wanted = self._wanted.pop(channel, None)
        member = None if wanted is None or wanted.node is None else self._members.get(wanted.node)
        if member is None:
            await trio.lowlevel.checkpoint()
        else:
            await member.channels.detach(channel)

    async def _place(self, channel: str, wanted: _Wanted) -> None:
        """Attach a channel where its slot is.

        Raises:
            LinkDownError: if that cannot be reached, or is not certain.
            LinkReplyError: if Redis refused.
        """
        node = self._link.owner(slot_of(channel.encode()))
        member = None if node is None else self._members.get(node)
        if member is None:
            self._link.doubt()
            await trio.lowlevel.checkpoint()
            raise LinkDownError("the master of the slot is not known, or new")
        try:
            await member.channels.attach(channel, wanted.receiver)
        except LinkReplyError as refusal:
            if not str(refusal).startswith("MOVED"):
                raise
            self._link.note_moved(refusal)
            raise LinkDownError("the slot is moving") from refusal
        if self._wanted.get(channel) is wanted:
            wanted.node = node

    # What follows the map

    def _disturb(self) -> None:
        self._disturbed.set()

    def _lose(self, node: Node, channel: str) -> None:
        """Note that a node has let go of a channel: its slot has moved."""
        wanted = self._wanted.get(channel)
        if wanted is not None and wanted.node == node:
            wanted.node = None
            self._is_settled = False
            self._link.doubt()
            self._disturb()

    async def _settle_forever(self, nursery: trio.Nursery) -> None:
        while True:
            self._disturbed = trio.Event()
            self._follow_masters(nursery)
            if await self._settle():
                self._is_settled = True
                await self._disturbed.wait()
            else:
                await trio.sleep(PLACING_PAUSE_SECONDS)

    def _follow_masters(self, nursery: trio.Nursery) -> None:
        masters = self._link.masters
        for node in self._members.keys() - masters:
            self._members.pop(node).scope.cancel()
            for wanted in self._wanted.values():
                if wanted.node == node:
                    wanted.node = None
        for node in masters - self._members.keys():
            channels = Channels(self._link.address_of(node), is_sharded=True)
            channels.on_reconnected = self._note_reconnected
            channels.on_drained = self._note_drained
            channels.on_dropped = functools.partial(self._lose, node)
            member = self._members[node] = _Member(channels)
            nursery.start_soon(member.run)

    async def _settle(self) -> bool:
        """Attach anew what is not where it belongs; say whether all of it now is."""
        misplaced = [
            name
            for name, one in self._wanted.items()
            if not one.is_new and self._is_misplaced(name, one)
        ]
        if not misplaced:
            return True
        self._is_settled = False
        for start in range(0, len(misplaced), PLACED_AT_ONCE):
            async with trio.open_nursery() as nursery:
                for channel in misplaced[start : start + PLACED_AT_ONCE]:
                    nursery.start_soon(self._move, channel)
        if any(self._is_misplaced(name, self._wanted.get(name)) for name in misplaced):
            return False
        self._moves_count += 1
        self._note_reconnected()
        return True

    def _is_misplaced(self, channel: str, wanted: _Wanted | None) -> bool:
        return wanted is not None and wanted.node != self._link.owner(slot_of(channel.encode()))

    async def _move(self, channel: str) -> None:
        wanted = self._wanted.get(channel)
        if wanted is None:
            return
        before, wanted.node = wanted.node, None
        if before is not None and before in self._members:
            await self._members[before].channels.detach(channel)
        try:
            await self._place(channel, wanted)
        except (LinkDownError, LinkReplyError) as error:
            _logger.debug("channel.unplaced", channel=channel, why=str(error))

    def _note_reconnected(self) -> None:
        self.on_reconnected()

    def _note_drained(self) -> None:
        self.on_drained()


def _do_nothing() -> None:
    """Stand in until the hub says what to do."""
