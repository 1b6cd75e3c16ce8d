"""Ports, health and a graceful stop."""

import asyncio
import socket

import httpx
import pytest
from quart import Quart

from commerce.foundation.serving import Listener, PortTakenError, operator_app, serve


async def fine():
    return True


async def broken():
    raise ConnectionRefusedError


class TestTheOperatorsPort:
    async def test_says_that_the_process_lives_whatever_else_is_down(self):
        response = await operator_app({"database": broken}).test_client().get("/livez")

        assert response.status_code == 200

    async def test_says_when_everything_needed_is_there(self):
        response = await operator_app({"database": fine}).test_client().get("/readyz")

        assert response.status_code == 200
        assert (await response.get_json())["ready"] is True

    async def test_names_what_is_missing(self):
        checks = {"database": broken, "redis": fine}

        response = await operator_app(checks).test_client().get("/readyz")

        assert response.status_code == 503
        assert (await response.get_json())["failed"] == {"database": "ConnectionRefusedError"}

    async def test_gives_the_metrics(self):
        response = await operator_app({}).test_client().get("/metrics")

        assert "rialto_outbox_lag_seconds" in await response.get_data(as_text=True)


class TestAListener:
    def test_refuses_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()

            with pytest.raises(PortTakenError, match="cannot be had"):
                Listener(Quart("test"), host="127.0.0.1", port=taken.getsockname()[1])


class TestAStop:
    async def test_lets_the_request_under_way_end(self):
        app, reached, gate = Quart("test"), asyncio.Event(), asyncio.Event()

        @app.get("/slow")
        async def slow():
            reached.set()
            await gate.wait()
            return "done"

        stop = asyncio.Event()
        listener = Listener(app, host="127.0.0.1", port=0)
        serving = asyncio.create_task(serve([listener], stop))
        async with httpx.AsyncClient(base_url=f"http://{listener.address}") as client:
            asking = asyncio.create_task(client.get("/slow"))
            await reached.wait()

            stop.set()
            gate.set()

            assert (await asking).text == "done"
        async with asyncio.timeout(10):
            await serving
