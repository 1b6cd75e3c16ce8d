"""An endpoint that hears webhooks, on this machine."""

import asyncio
import json

import h11


class Listener:
    """Keeps what it was sent, and answers as it is told to."""

    def __init__(self):
        self.heard = []
        self.answers = []
        """Statuses for the next deliveries; 200 once they are used up."""
        self._heard = asyncio.Condition()
        self._server = None

    @property
    def url(self):
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}/webhooks"

    @property
    def types(self):
        return [each["type"] for each in self.events]

    @property
    def events(self):
        return [event for event, _, _ in self.heard]

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def wait_heard(self, count):
        async with asyncio.timeout(30), self._heard:
            await self._heard.wait_for(lambda: len(self.heard) >= count)

    async def _serve(self, reader, writer):
        http = h11.Connection(h11.SERVER)
        body, headers = b"", {}
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Request):
                headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                break
        status = self.answers.pop(0) if self.answers else 200
        answer = h11.Response(
            status_code=status, headers=[("content-length", "0"), ("connection", "close")]
        )
        writer.write(http.send(answer) + http.send(h11.EndOfMessage()))
        await writer.drain()
        writer.close()
        async with self._heard:
            self.heard.append(_read(body, headers))
            self._heard.notify_all()


def _read(body, headers):
    return json.loads(body), body, headers
