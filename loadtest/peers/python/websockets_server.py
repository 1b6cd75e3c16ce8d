"""`websockets` on uvloop: rooms are sets, `broadcast()` sends to each, no compression."""

import asyncio
import json
import os
from collections import defaultdict
from typing import Any

import uvloop
from tickets import claims_of
from websockets.asyncio.server import ServerConnection, broadcast, serve

rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)


async def handle(socket: ServerConnection) -> None:
    """Serve one client from its hello to its end."""
    hello = json.loads(await socket.recv())
    user = claims_of(hello["ticket"])["sub"]
    for room in hello["rooms"]:
        rooms[room].add(socket)
    try:
        await socket.send('{"type":"welcome"}')
        async for data in socket:
            await hear(socket, user, json.loads(data))
    finally:
        for room in hello["rooms"]:
            rooms[room].discard(socket)
            if not rooms[room]:
                del rooms[room]


async def hear(socket: ServerConnection, user: str, message: dict[str, Any]) -> None:
    """Do what a client asks."""
    match message["type"]:
        case "say":
            broadcast(rooms[message["room"]], json.dumps({**message, "type": "message"}))
        case "typing":
            others = rooms[message["room"]] - {socket}
            broadcast(others, json.dumps({"type": "typing", "user": user}))
        case "ping":
            await socket.send('{"type":"pong"}')


async def main() -> None:
    """Serve for ever."""
    async with serve(
        handle, "127.0.0.1", int(os.environ["BENCH_PORT"]), compression=None, backlog=4096
    ) as server:
        await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
