"""Connect, hear topics and print every frame: `python -m tests.gateway.live.talk PORT [TOPIC…]`.

Signs its own ticket with the development key, so it talks to a gateway of the dev profile only.
"""

import sys

import trio
from trio_websocket import ConnectionClosed

from tests.gateway.live.client import connected


async def talk(port, topics):
    async with connected(port) as client:
        show(await client.hello())
        for topic in topics:
            show(await client.subscribe(topic))
        try:
            while True:
                show(await client.socket.get_message())
        except ConnectionClosed as closed:
            show(closed.reason)


def show(told):
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    trio.run(talk, int(sys.argv[1]), sys.argv[2:])
