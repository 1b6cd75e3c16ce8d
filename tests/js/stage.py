"""A stage for the JavaScript client: a real gateway, and the rest of the shop played by the test.

The scripts that run in Node ask for things over HTTP: a ticket, an event on a topic, the commands
that arrived, a gateway that dies or comes back.
"""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import redis

from deploy.engines.ports import free_port
from protocol.codec import decode_command, encode_event, encode_topic_entry
from protocol.envelopes import TopicEntry
from protocol.events import AnyEvent
from protocol.stream_names import (
    ACCESS_READY_KEY,
    COMMAND_FIELD,
    COMMAND_PARTITIONS,
    TOPIC_IDLE_SECONDS_MAX,
    TOPIC_LOG_ENTRIES_MAX,
    command_stream,
    topic_access,
    topic_live_channel,
    topic_log,
    topic_meta,
    topic_seen,
)
from shared.clock import SystemClock, unix_ms
from shared.environment import process_variables
from shared.ids import mint_id
from shared.tickets import DEV_SIGNING_KEY, TICKET_LIFETIME_SECONDS, TicketSigner

ROOT = Path(__file__).parents[2]
PUBLISH = (ROOT / "commerce" / "foundation" / "publish.lua").read_text()
START_SECONDS_MAX = 30


class Stage:
    """What the scripts may ask for; every public method is an address."""

    def __init__(self, redis_url, folder):
        self._redis_url = redis_url
        self._redis = redis.Redis.from_url(redis_url)
        self._log = (folder / "gateway.log").open("ab")
        self._port, self._operator_port = free_port(), free_port()
        self._gateway = None
        self._clock = SystemClock()
        self._signer = TicketSigner(DEV_SIGNING_KEY)

    def start(self):
        """Start the gateway and wait until it takes sockets."""
        self._gateway = subprocess.Popen(
            [sys.executable, "-m", "gateway"],
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
            env={
                **process_variables(),
                "RIALTO_REDIS_URL": self._redis_url,
                "RIALTO_GATEWAY_PORT": str(self._port),
                "RIALTO_GATEWAY_OPERATOR_PORT": str(self._operator_port),
            },
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready():
            assert self._gateway.poll() is None, "the gateway ended"
            assert time.monotonic() < deadline, "the gateway did not get ready"
            time.sleep(0.05)

    def kill(self):
        """Kill the gateway, as a crash would."""
        self._gateway.kill()
        self._gateway.wait()

    def stop(self):
        """Stop the gateway, as a deploy would."""
        self._gateway.send_signal(signal.SIGTERM)
        self._gateway.wait()

    def close(self):
        """End everything."""
        if self._gateway is not None and self._gateway.poll() is None:
            self.kill()
        self._log.close()
        self._redis.close()

    def ticket(self, *, user, lifetime_ms=TICKET_LIFETIME_SECONDS * 1000):
        """Give a ticket that is good for this long."""
        now = self._clock.now()
        earlier = now - timedelta(seconds=TICKET_LIFETIME_SECONDS, milliseconds=-lifetime_ms)
        ticket = self._signer.sign(
            user=user, name="Ada", session=mint_id("ses", now), roles=(), now=earlier
        )
        return {
            "ticket": ticket,
            "expires_in_ms": lifetime_ms,
            "socket_url": f"ws://127.0.0.1:{self._port}/ws",
        }

    def user(self):
        """Make up a user."""
        return mint_id("usr", self._clock.now())

    def room(self):
        """Make up a room that everybody may hear."""
        room = mint_id("rom", self._clock.now())
        self._redis.hset(topic_access(f"room:{room}"), "*", "reader")
        self._redis.set(ACCESS_READY_KEY, "1")
        return room

    def publish(self, *, topic, bodies):
        """Tell events on a topic, as commerce does."""
        now = self._clock.now()
        for body in bodies:
            event = msgspec.convert(body, AnyEvent)
            event_id = mint_id("evt", now)
            entry = TopicEntry(
                id=event_id, at_ms=unix_ms(now), body=msgspec.Raw(encode_event(event))
            )
            self._redis.eval(
                PUBLISH,
                3,
                *(topic_log(topic), topic_meta(topic), topic_seen(topic)),
                *(mint_id("epo", now), topic_live_channel(topic)),
                *(TOPIC_LOG_ENTRIES_MAX, TOPIC_IDLE_SECONDS_MAX * 1000, "PUBLISH"),
                *(event_id, encode_topic_entry(entry)),
            )

    def forget(self, *, topic):
        """Lose everything Redis knows of a topic."""
        self._redis.delete(topic_log(topic), topic_meta(topic), topic_seen(topic))

    def commands(self):
        """Return every command that was taken, in the order of its stream."""
        found = []
        for partition in range(COMMAND_PARTITIONS):
            for _, fields in self._redis.xrange(command_stream(partition)):
                envelope = decode_command(fields[COMMAND_FIELD])
                found.append({"key": envelope.key, "user": envelope.user})
        return found

    def _is_ready(self):
        try:
            address = f"http://127.0.0.1:{self._operator_port}/readyz"
            with urllib.request.urlopen(address, timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def open_stage(stage):
    """Serve what the scripts may ask for; yields the address."""

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("content-length", 0))
            wishes = json.loads(self.rfile.read(length) or b"{}")
            given = getattr(stage, self.path.removeprefix("/"))(**wishes)
            answer = json.dumps(given).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
