"""Calls to a Redis Cluster: each to the master that has its first key, over a link of its own.

The map of slots is learned from any node, kept for a few seconds, and learned again at once when a
node says that a slot has moved or cannot be reached.
"""

from collections.abc import Callable
from typing import Final

import trio

from gateway.streams.address import RedisAddress
from gateway.streams.link import Link, LinkStatistics
from gateway.streams.replies import (
    Argument,
    LinkDownError,
    LinkReplyError,
    Reply,
)
from gateway.streams.slots import SLOTS_COUNT, read_slots, slot_of_call
from shared.logging import get_logger

MAP_SECONDS: Final = 5.0
"""How old the map of slots gets without any sign that it is wrong."""

MAP_PAUSE_SECONDS: Final = 0.1
MAP_ANSWER_SECONDS_MAX: Final = 1.0
START_SECONDS_MAX: Final = 5.0

REDIRECTS_MAX: Final = 16
"""Times one call follows a slot that moves, or waits a moment for a cluster that votes."""

REDIRECT_PAUSE_SECONDS: Final = 0.05

_logger: Final = get_logger("streams.cluster")

Node = tuple[str, int]
"""Host and port."""


class _Member:
    """A node, the link to it, and the scope that the link lives in."""

    def __init__(self, address: RedisAddress, name: str) -> None:
        self.link = Link(address, name=name)
        self.scope = trio.CancelScope()

    async def run(self) -> None:
        with self.scope:
            await self.link.run()


class ClusterLink:
    """A link to every node of a cluster, which looks from outside like one."""

    on_map: Callable[[], None]
    """Called when slots have got other owners."""

    def __init__(self, seeds: tuple[RedisAddress, ...], *, name: str = "rialto-gateway") -> None:
        self.on_map = _do_nothing
        self._name = name
        self._seeds = seeds
        self._members: dict[Node, _Member] = {}
        self._owners: list[Node | None] = [None] * SLOTS_COUNT
        self._masters: frozenset[Node] = frozenset()
        self._moved: dict[int, Node] = {}
        self._doubted = trio.Event()
        self._came_up = trio.Event()

    # The map

    @property
    def masters(self) -> frozenset[Node]:
        """Every node that has slots."""
        return self._masters

    def owner(self, slot: int) -> Node | None:
        """Return the node that has a slot, as far as is known."""
        return self._moved.get(slot, self._owners[slot])

    def address_of(self, node: Node) -> RedisAddress:
        """Return how to connect to a node."""
        return self._seeds[0].at(*node)

    def note_moved(self, refusal: LinkReplyError) -> None:
        """Take what a node says of a slot's new place, until the map says it too."""
        place = str(refusal).partition(" ")[2]
        slot, node = int(place.partition(" ")[0]), _node_in(place)
        if node in self._members and self.owner(slot) != node:
            self._moved[slot] = node
            self.on_map()
        self.doubt()

    def doubt(self) -> None:
        """Have the map learned anew: there is a sign that it is wrong."""
        self._doubted.set()

    @property
    def publish_word(self) -> str:
        """The command that tells a channel."""
        return "SPUBLISH"

    @property
    def is_up(self) -> bool:
        """Say whether every slot has an owner that can be reached."""
        return bool(self._masters) and all(self._is_up(node) for node in self._masters)

    async def wait_up(self) -> None:
        """Return as soon as every slot has an owner that can be reached."""
        if not self.is_up:
            await self._came_up.wait()

    def _is_up(self, node: Node) -> bool:
        member = self._members.get(node)
        return member is not None and member.link.is_up

    def statistics(self) -> LinkStatistics:
        """Count what was done and what is waiting, over all nodes there are now."""
        every = [member.link.statistics() for member in self._members.values()]
        return LinkStatistics(
            is_up=self.is_up,
            calls_count=sum(each.calls_count for each in every),
            refused_count=sum(each.refused_count for each in every),
            failed_count=sum(each.failed_count for each in every),
            connects_count=sum(each.connects_count for each in every),
            disconnects_count=sum(each.disconnects_count for each in every),
            waiting_count=sum(each.waiting_count for each in every),
            unsent_bytes=sum(each.unsent_bytes for each in every),
            last_failure=next((each.last_failure for each in every if each.last_failure), ""),
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep connected for ever; started when the cluster is known, or is slow to answer."""
        async with trio.open_nursery() as nursery:
            for seed in self._seeds:
                self._start(nursery, (seed.host, seed.port))
            nursery.start_soon(self._keep_map, nursery)
            nursery.start_soon(self._watch)
            with trio.move_on_after(START_SECONDS_MAX):
                await self.wait_up()
            task_status.started()

    async def _watch(self) -> None:
        while True:
            if not self.is_up and self._came_up.is_set():
                self._came_up = trio.Event()
            while not self.is_up:  # noqa: ASYNC110 - the nodes come up one by one
                await trio.sleep(MAP_PAUSE_SECONDS)
            self._came_up.set()
            await trio.sleep(MAP_PAUSE_SECONDS)

    def _start(self, nursery: trio.Nursery, node: Node) -> None:
        member = self._members[node] = _Member(self.address_of(node), self._name)
        nursery.start_soon(member.run)

    async def _keep_map(self, nursery: trio.Nursery) -> None:
        while True:
            await self._learn(nursery)
            await trio.sleep(MAP_PAUSE_SECONDS)
            with trio.move_on_after(MAP_SECONDS if self._masters else MAP_PAUSE_SECONDS):
                await self._doubted.wait()
            self._doubted = trio.Event()

    async def _learn(self, nursery: trio.Nursery) -> None:
        """Ask the masters, then the others, until one has an answer."""
        for node in sorted(self._members, key=lambda node: node not in self._masters):
            member = self._members[node]
            if not member.link.is_up:
                continue
            try:
                with trio.fail_after(MAP_ANSWER_SECONDS_MAX):
                    reply = await member.link.call("CLUSTER", "SLOTS")
                owners = read_slots(reply, asked_host=node[0])
            except (LinkDownError, LinkReplyError, trio.TooSlowError, ValueError):
                continue
            if any(owners):
                self._take(owners, nursery)
                return

    def _take(self, owners: list[Node | None], nursery: trio.Nursery) -> None:
        for slot in [slot for slot, node in self._moved.items() if owners[slot] == node]:
            del self._moved[slot]
        if owners == self._owners:
            return
        self._owners = owners
        self._masters = frozenset(owner for owner in owners if owner is not None)
        kept = self._masters | {(seed.host, seed.port) for seed in self._seeds}
        for node in self._members.keys() - kept:
            self._members.pop(node).scope.cancel()
        for node in self._masters - self._members.keys():
            self._start(nursery, node)
        _logger.info(
            "cluster.map", masters=sorted(f"{host}:{port}" for host, port in self._masters)
        )
        self.on_map()

    # Calls

    async def call(self, *args: Argument) -> Reply:
        """Carry out one command where its first key is; one without a key goes to any master.

        It follows a slot that has moved or is moving, and waits a little for a cluster that is
        choosing a new master; the deadline is the caller's scope. Otherwise as `Link.call`.

        Raises:
            LinkDownError: if the node is down, or the cluster does not come to rest.
            LinkReplyError: if Redis refused.
        """
        slot = slot_of_call(args)
        unrest = ""
        for _ in range(REDIRECTS_MAX):
            try:
                return await self._call_owner(args, slot)
            except _UnrestError as error:
                unrest = str(error)
            self.doubt()
            await trio.sleep(REDIRECT_PAUSE_SECONDS)
        raise LinkDownError(f"the cluster does not come to rest: {unrest}")

    async def _call_owner(self, words: tuple[Argument, ...], slot: int | None) -> Reply:
        member = self._member_for(slot)
        if member is None:
            await trio.lowlevel.checkpoint()
            raise _UnrestError("no master is known")
        try:
            return await member.link.call(*words)
        except LinkDownError:
            self.doubt()
            raise
        except LinkReplyError as refusal:
            return await self._follow(refusal, words)

    def _member_for(self, slot: int | None) -> _Member | None:
        node = next(iter(self._masters), None) if slot is None else self.owner(slot)
        return None if node is None else self._members.get(node)

    async def _follow(self, refusal: LinkReplyError, words: tuple[Argument, ...]) -> Reply:
        """Do what a node says instead of an answer; raise what is none of the cluster's."""
        kind, _, rest = str(refusal).partition(" ")
        match kind:
            case "ASK":
                return await self._call_asking(_node_in(rest), words)
            case "MOVED":
                self.note_moved(refusal)
            case "TRYAGAIN" | "CLUSTERDOWN":
                pass
            case _:
                raise refusal
        raise _UnrestError(str(refusal))

    async def _call_asking(self, node: Node, words: tuple[Argument, ...]) -> Reply:
        """Call where the keys of a slot are that is just being moved."""
        member = self._members.get(node)
        if member is None:
            raise _UnrestError(f"{node} is not known yet")
        try:
            return await member.link.call_asking(*words)
        except LinkReplyError as refusal:
            if str(refusal).startswith(("TRYAGAIN", "MOVED", "CLUSTERDOWN")):
                raise _UnrestError(str(refusal)) from refusal
            raise


class _UnrestError(Exception):
    """A slot is on its way, or a new master is being chosen."""


def _node_in(place: str) -> Node:
    """Return the node of `{slot} {host}:{port}`."""
    host, _, port = place.partition(" ")[2].rpartition(":")
    return host, int(port)


def _do_nothing() -> None:
    """Stand in until somebody wants to know."""
