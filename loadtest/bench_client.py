"""What receiving costs: our client beside trio-websocket's, against the same sender.

The sender is a thread with plain sockets that repeats one prepared frame; only the receiving
thread's CPU is counted, decoding included.
"""

import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import trio
import trio_websocket
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request

from loadtest.bench_samples import a_message_event
from loadtest.sockets import SocketAddress, connect
from protocol.codec import decode_server_frame, encode_frame

_SOCKETS: Final = 50
_MESSAGES_EACH: Final = 400
_MESSAGES_PER_BURST: Final = 4


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds for so many messages."""

    cpu_seconds: float
    messages: int


def measure_lean_client() -> Cost:
    """Measure our client."""
    return _measure(_receive_lean)


def measure_trio_websocket() -> Cost:
    """Measure trio-websocket's client."""
    return _measure(_receive_trio_websocket)


def _measure(receive: Callable[[int], Awaitable[None]]) -> Cost:
    listener = socket.create_server(("127.0.0.1", 0), backlog=_SOCKETS)
    sender = threading.Thread(target=_send, args=(listener,), daemon=True)
    sender.start()
    port: int = listener.getsockname()[1]
    costs: list[float] = []

    async def all_sockets() -> None:
        began_at = time.thread_time()
        async with trio.open_nursery() as nursery:
            for _ in range(_SOCKETS):
                nursery.start_soon(receive, port)
        costs.append(time.thread_time() - began_at)

    trio.run(all_sockets)
    sender.join()
    return Cost(cpu_seconds=costs[0], messages=_SOCKETS * _MESSAGES_EACH)


async def _receive_lean(port: int) -> None:
    address = SocketAddress(host="127.0.0.1", port=port, path="/", tls=False)
    client = await connect(address, "msgpack")
    received = 0
    while received < _MESSAGES_EACH:
        for message in await client.receive():
            decode_server_frame(message, "msgpack")
            received += 1
    await client.abort()


async def _receive_trio_websocket(port: int) -> None:
    async with trio_websocket.open_websocket_url(
        f"ws://127.0.0.1:{port}/", subprotocols=["rialto.v1.msgpack"]
    ) as client:
        for _ in range(_MESSAGES_EACH):
            decode_server_frame(await client.get_message(), "msgpack")


def _send(listener: socket.socket) -> None:
    with listener:
        connections = [_accept(listener) for _ in range(_SOCKETS)]
    frame = _frame()
    for _ in range(_MESSAGES_EACH // _MESSAGES_PER_BURST):
        for connection in connections:
            connection.sendall(frame * _MESSAGES_PER_BURST)
    for connection in connections:
        connection.recv(4096)  # the goodbye, or nothing from one that just leaves
        connection.close()


def _accept(listener: socket.socket) -> socket.socket:
    connection, _ = listener.accept()
    protocol = WSConnection(ConnectionType.SERVER)
    while True:
        protocol.receive_data(connection.recv(65536))
        for event in protocol.events():
            if isinstance(event, Request):
                accept = AcceptConnection(subprotocol="rialto.v1.msgpack")
                connection.sendall(protocol.send(accept))
                return connection


def _frame() -> bytes:
    payload = encode_frame(a_message_event(1), "msgpack")
    return bytes((0x82, 126)) + len(payload).to_bytes(2, "big") + payload
