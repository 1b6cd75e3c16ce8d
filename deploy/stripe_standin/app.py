"""The stand-in as a web application: wires every door. Start reading here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from quart import Quart, Response

from deploy.stripe_standin.api import Api
from deploy.stripe_standin.billing import collecting, renewing
from deploy.stripe_standin.control import Control, control_blueprint
from deploy.stripe_standin.faults import Faults
from deploy.stripe_standin.limits import BILLING_TICK_SECONDS, BODY_BYTES_MAX
from deploy.stripe_standin.page.pages import page_blueprint
from deploy.stripe_standin.payments import refunds
from deploy.stripe_standin.routes import all_routes
from deploy.stripe_standin.settings import StandInSettings
from deploy.stripe_standin.store import Document, Store
from deploy.stripe_standin.webhooks import endpoints
from deploy.stripe_standin.webhooks.deliverer import Deliverer
from deploy.stripe_standin.world import ShiftedClock, World
from shared.clock import Clock
from shared.logging import get_logger

_log = get_logger("stripe")


class StandIn:
    """Everything that lives as long as the process."""

    def __init__(
        self, settings: StandInSettings, store: Store, clock: Clock, *, public_url: str
    ) -> None:
        self._clock = ShiftedClock(clock)
        self._settings = settings
        self.world = World(store, self._clock, public_url=public_url)
        self.deliverer = Deliverer(self.world, clock)
        self.world.listeners.append(self._hear)
        self._faults = Faults()
        with store.transaction():
            endpoints.configure(self.world, settings.webhooks, settings.webhook_secret)

    def app(self) -> Quart:
        """Return the application; `running` has to be entered while it serves."""
        app = Quart("deploy.stripe_standin", static_folder=None)
        app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
        api = Api(
            world=self.world,
            routes=all_routes(),
            faults=self._faults,
            secret_key=self._settings.secret_key,
        )

        @app.route("/v1/<path:path>", methods=["GET", "POST", "DELETE"])
        async def call(path: str) -> Response:
            return await api.answer(path)

        @app.errorhandler(500)
        async def break_down(error: Exception) -> Response:
            _log.error("request.broke", exc_info=getattr(error, "original_exception", error))
            body = {"error": {"type": "api_error", "message": "The stand-in has a bug here."}}
            return Response(msgspec.json.encode(body), 500, content_type="application/json")

        @app.get("/readyz")
        async def readyz() -> Response:
            return Response("ok\n", content_type="text/plain")

        control = Control(
            world=self.world,
            clock=self._clock,
            faults=self._faults,
            deliverer=self.deliverer,
            tick=self._tick,
        )
        app.register_blueprint(page_blueprint(self.world))
        app.register_blueprint(control_blueprint(control, self._settings.control_token))
        return app

    def _hear(self, name: str, document: Document) -> None:
        """Payments tell invoices, invoices tell subscriptions, and webhooks tell the world."""
        collecting.on_intent(self.world, name, document)
        renewing.on_invoice(self.world, name, document)
        self.deliverer.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver webhooks and let time pass, for as long as the block lasts.

        If one of the two breaks, so does the block: the supervisor starts the process again.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.deliverer.run(), name="deliverer"),
                group.create_task(self._let_time_pass(), name="time"),
            ]
            yield
            for task in tasks:
                task.cancel()

    async def _let_time_pass(self) -> None:
        while True:
            await asyncio.sleep(BILLING_TICK_SECONDS)
            with self.world.store.transaction():
                self._tick()

    def _tick(self) -> None:
        refunds.settle_due(self.world)
        renewing.advance(self.world, None, self.world.now())
