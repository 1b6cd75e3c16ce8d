"""A small Valkey Cluster on loopback: three masters, and replicas where a test wants them."""

import time

from redis import Redis
from redis.exceptions import RedisError

from deploy.engines.ports import free_port
from deploy.engines.running import RunningEngine
from deploy.engines.valkey import ClusterPart, Valkey

SLOTS = 16_384
MASTERS = 3
NODE_TIMEOUT_MS = 1_000
SETTLE_SECONDS_MAX = 30
LOOK_AGAIN_SECONDS = 0.02


class Node:
    """One server of a cluster, and the means to talk to it and to hurt it."""

    def __init__(self, folder, number):
        engine = Valkey(
            folder=folder / f"node-{number}",
            port=free_port(),
            tuning="fast",
            cluster=ClusterPart(bus_port=free_port(), node_timeout_ms=NODE_TIMEOUT_MS),
        )
        self.server = RunningEngine(engine, log=folder / f"node-{number}.log")
        self.server.start()
        self.port = engine.port
        self.bus_port = engine.cluster.bus_port
        self.id = self.ask("CLUSTER", "MYID").decode()

    def ask(self, *words):
        with Redis(port=self.port, protocol=2, socket_timeout=20) as client:
            client.response_callbacks.clear()
            return client.execute_command(*words)

    def facts(self):
        """What it knows of its cluster."""
        lines = self.ask("CLUSTER", "INFO").decode().split()
        return dict(line.split(":", 1) for line in lines)

    def is_master(self):
        return self.ask("ROLE")[0] == b"master"


class ValkeyCluster:
    """A cluster that is up.

    A server dies with the thread that started it, so nothing that starts one is to be called in
    another thread: that is making a cluster, `replica_of` and `bring_back`.
    """

    def __init__(self, folder):
        folder.mkdir()
        self._folder = folder
        self.nodes = [Node(folder, number) for number in range(MASTERS)]
        share = SLOTS // MASTERS + 1
        for number, node in enumerate(self.nodes):
            last = min((number + 1) * share, SLOTS) - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", number * share, last)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            self._meet(node)
        self.wait_settled()

    @property
    def url(self):
        """The address of the cluster: some of its nodes."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])

    def _meet(self, node):
        node.ask("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self.nodes[0].bus_port)

    def wait_settled(self):
        """Wait until every node that runs knows of every other, and every slot has a master."""
        wait_until(lambda: all(map(self._is_settled, self.running())))

    def _is_settled(self, node):
        facts = node.facts()
        return facts["cluster_state"] == "ok" and int(facts["cluster_known_nodes"]) == len(
            self.nodes
        )

    def running(self):
        return [node for node in self.nodes if node.server.is_running]

    def masters(self):
        return [node for node in self.running() if node.is_master()]

    def master_of(self, key):
        """Return the node that has a key."""
        slot = self.nodes[0].ask("CLUSTER", "KEYSLOT", key)
        for first, last, (_, port, *_), *_ in self.running()[0].ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise LookupError(key)

    def slot_of(self, key):
        return self.nodes[0].ask("CLUSTER", "KEYSLOT", key)

    def another_master(self, node):
        """Return a master that is not `node`."""
        return next(each for each in self.masters() if each is not node)

    def begin_move(self, slot, source, target):
        """Begin to move a slot: from now on its keys may be on either node."""
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)

    def move_keys(self, slot, source, target, *, count=1000):
        """Move some keys of a slot."""
        keys = source.ask("CLUSTER", "GETKEYSINSLOT", slot, count)
        if keys:
            place = ("127.0.0.1", target.port, "", 0, 5000)
            source.ask("MIGRATE", *place, "KEYS", *keys)
        return keys

    def end_move(self, slot, source, target):
        """Give a slot whose keys have moved to its new owner."""
        for node in (target, source, *self.masters()):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def move_slot(self, key, target=None):
        """Move the slot of `key`, with its keys, to another node; return the one that had it."""
        slot, source = self.slot_of(key), self.master_of(key)
        target = target or self.another_master(source)
        self.begin_move(slot, source, target)
        self.move_keys(slot, source, target)
        self.end_move(slot, source, target)
        return source

    def replica_of(self, master):
        """Return a replica that has everything its master has; start one if there is none."""
        for node in self.running():
            role = node.ask("ROLE")
            if role[0] == b"slave" and role[2] == master.port:
                return node
        return self.add_replica(master)

    def detach_replica(self, replica, master):
        """Let a replica fall behind: from now on it hears nothing new."""
        replica.ask("CONFIG", "SET", "masterauth", "wrong")
        master.ask("CLIENT", "KILL", "TYPE", "replica")
        wait_until(lambda: replica.ask("ROLE")[3] != b"connected")

    def replace_master(self, master, replica):
        """Kill a master, and wait until its replica has its place."""
        master.server.kill()
        wait_until(replica.is_master)
        replica.ask("CONFIG", "SET", "masterauth", "")
        wait_until(lambda: all(node.facts()["cluster_state"] == "ok" for node in self.running()))

    def bring_back(self, node):
        """Start a node that was killed; it follows whoever has its place."""
        node.server.start()
        self.wait_settled()
        wait_until(lambda: node.ask("ROLE")[3:4] == [b"connected"])

    def add_replica(self, master):
        """Start a node that follows `master`, and wait until it has everything."""
        replica = Node(self._folder, len(self.nodes))
        self.nodes.append(replica)
        self._meet(replica)
        self.wait_settled()
        replica.ask("CLUSTER", "REPLICATE", master.id)
        wait_until(lambda: replica.ask("ROLE")[3:4] == [b"connected"])
        return replica

    def forget(self, node):
        """Stop a node, and have the others forget it."""
        node.server.stop()
        self.nodes.remove(node)
        for other in self.running():
            other.ask("CLUSTER", "FORGET", node.id)

    def flush(self):
        """Empty the cluster; start again what a test that failed has left dead."""
        dead = [node for node in self.nodes if not node.server.is_running]
        for node in dead:
            node.server.start()
        if dead:
            self.wait_settled()
        for node in self.masters():
            node.ask("FLUSHALL", "SYNC")
            node.ask("SCRIPT", "FLUSH", "SYNC")

    def stop(self):
        for node in self.nodes:
            node.server.stop()


def wait_until(condition):
    """Return as soon as `condition()` holds; fail if it does not in time."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while not _holds(condition):
        assert time.monotonic() < deadline, "the cluster did not settle"
        time.sleep(LOOK_AGAIN_SECONDS)


def _holds(condition):
    try:
        return condition()
    except RedisError:
        return False
