"""`/_control/*`: order failures, turn the webhooks' knobs, move the clock, decide for the banks.

These are the stand-in's own and not Stripe's; they need its bearer token and speak JSON.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from quart import Blueprint, Response, request

from deploy.stripe_standin.errors import StripeError
from deploy.stripe_standin.faults import Fault, Faults
from deploy.stripe_standin.payments import (
    aftermath,
    confirming,
    disputes,
    payouts,
    refunds,
    setup_intents,
)
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.webhooks import endpoints
from deploy.stripe_standin.webhooks.deliverer import Deliverer
from deploy.stripe_standin.webhooks.knobs import Knobs
from deploy.stripe_standin.world import ShiftedClock, World, shown

WAIT_SECONDS_MAX: Final = 30.0
Asked = TypeVar("Asked", bound=msgspec.Struct)


class ClockChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Move on, stand still at a unix second, or run with the machine's clock again."""

    advance_seconds: float = 0.0
    freeze_at: int | None = None
    run: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a thing under way ends."""

    succeeds: bool = True


class RefundOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a refund ends."""

    outcome: Literal["succeeded", "failed", "canceled"] = "succeeded"


class DisputeOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the cardholder says."""

    reason: str = "fraudulent"
    amount: Annotated[int, msgspec.Meta(ge=1)] | None = None
    is_inquiry: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a dispute ends."""

    verdict: Literal["won", "lost", "warning_closed"]


class Control:
    """What the endpoints act on."""

    def __init__(
        self,
        *,
        world: World,
        clock: ShiftedClock,
        faults: Faults,
        deliverer: Deliverer,
        tick: Callable[[], None],
    ) -> None:
        self.world = world
        self.clock = clock
        self.faults = faults
        self.deliverer = deliverer
        self._tick = tick

    def order_fault(self, fault: Fault, _: str) -> Document:
        """Let the next calls run into a failure."""
        self.faults.order(fault)
        return {"waiting": len(self.faults.waiting)}

    def set_clock(self, asked: ClockChange, _: str) -> Document:
        """Move the time of everything that is on no test clock, and bill what is due then."""
        if asked.run:
            self.clock.run()
        if asked.freeze_at is not None:
            self.clock.freeze(asked.freeze_at)
        self.clock.advance(asked.advance_seconds)
        self._tick()
        return {"now": self.world.now()}

    def turn_knobs(self, knobs: Knobs, _: str) -> Document:
        """Say how webhooks go from now on."""
        self.deliverer.turn(knobs)
        found: Document = msgspec.to_builtins(knobs)
        return found

    def send_again(self, _: Outcome, event: str) -> Document:
        """Deliver an event once more."""
        self.world.get("event", event)
        return {"endpoints": self.deliverer.send_again(event)}

    def roll(self, _: Outcome, identity: str) -> Document:
        """Give an endpoint a new secret beside the old one."""
        return endpoints.roll(self.world, self.world.get("webhook_endpoint", identity))

    def challenge_payment(self, asked: Outcome, identity: str) -> Document:
        """Let the cardholder answer the bank's question."""
        intent = self.world.get("payment_intent", identity)
        return confirming.complete_challenge(self.world, intent, succeeds=asked.succeeds)

    def challenge_setup(self, asked: Outcome, identity: str) -> Document:
        """Let the cardholder answer the bank's question."""
        intent = self.world.get("setup_intent", identity)
        return setup_intents.complete_challenge(self.world, intent, succeeds=asked.succeeds)

    def settle_payment(self, asked: Outcome, identity: str) -> Document:
        """End a bank debit that is under way."""
        intent = self.world.get("payment_intent", identity)
        return confirming.settle(self.world, intent, succeeds=asked.succeeds)

    def settle_refund(self, asked: RefundOutcome, identity: str) -> Document:
        """End a refund, also one that seemed to have succeeded."""
        return refunds.settle(self.world, self.world.get("refund", identity), asked.outcome)

    def dispute(self, asked: DisputeOrder, identity: str) -> Document:
        """Let the cardholder dispute a charge."""
        return disputes.open_dispute(
            self.world,
            self.world.get("charge", identity),
            asked.reason,
            amount=asked.amount,
            is_inquiry=asked.is_inquiry,
        )

    def warn(self, _: Outcome, identity: str) -> Document:
        """Let the bank warn of fraud."""
        return aftermath.warn(self.world, self.world.get("charge", identity))

    def decide(self, asked: Verdict, identity: str) -> Document:
        """End a dispute."""
        return disputes.decide(self.world, self.world.get("dispute", identity), asked.verdict)

    def settle_payout(self, asked: Outcome, identity: str) -> Document:
        """Let a payout arrive, or come back."""
        payout = self.world.get("payout", identity)
        return payouts.settle(self.world, payout, succeeds=asked.succeeds)


def control_blueprint(control: Control, token: str) -> Blueprint:
    """Return the endpoints; without a token they are closed."""
    doors = Blueprint("control", __name__, url_prefix="/_control")

    @doors.before_request
    async def check_token() -> Response | None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and secrets.compare_digest(given.encode(), token.encode()):
            return None
        return _json({"error": "this needs the stand-in's control token"}, 401)

    def post(path: str, kind: type[Asked], act: Callable[[Asked, str], Document]) -> None:
        async def door(identity: str = "") -> Response:
            return await _act(control.world, kind, act, identity)

        doors.add_url_rule(path, path.replace(".", "_"), door, methods=["POST"])

    post("/faults", Fault, control.order_fault)
    post("/clock", ClockChange, control.set_clock)
    post("/webhooks", Knobs, control.turn_knobs)
    post("/events/<identity>/send", Outcome, control.send_again)
    post("/webhook_endpoints/<identity>/roll", Outcome, control.roll)
    post("/payment_intents/<identity>/challenge", Outcome, control.challenge_payment)
    post("/setup_intents/<identity>/challenge", Outcome, control.challenge_setup)
    post("/payment_intents/<identity>/settle", Outcome, control.settle_payment)
    post("/refunds/<identity>/settle", RefundOutcome, control.settle_refund)
    post("/charges/<identity>/dispute", DisputeOrder, control.dispute)
    post("/charges/<identity>/warn", Outcome, control.warn)
    post("/disputes/<identity>/decide", Verdict, control.decide)
    post("/payouts/<identity>/settle", Outcome, control.settle_payout)
    _waiting_doors(doors, control)
    return doors


def _waiting_doors(doors: Blueprint, control: Control) -> None:
    @doors.delete("/faults")
    async def clear() -> Response:
        control.faults.clear()
        return _json({"waiting": 0})

    @doors.post("/release")
    async def release() -> Response:
        held = control.faults.held
        control.faults.release()
        return _json({"released": held})

    @doors.get("/held/<int:count>")
    async def held(count: int) -> Response:
        """Answer when so many calls are held."""
        return await _when(control.faults.wait_held(count), {"held": count})

    @doors.get("/webhooks/idle")
    async def idle() -> Response:
        """Answer when every webhook is delivered, lost or given up."""
        return await _when(control.deliverer.wait_idle(), {"waiting": 0})


async def _when(condition: Awaitable[None], answer: Document) -> Response:
    try:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            await condition
    except TimeoutError:
        return _json({"error": f"it did not come to that in {WAIT_SECONDS_MAX} s"}, 504)
    return _json(answer)


async def _act(
    world: World, kind: type[Asked], act: Callable[[Asked, str], Document], identity: str
) -> Response:
    body = await request.get_data()
    try:
        asked = msgspec.json.decode(body or b"{}", type=kind)
        with world.store.transaction():
            answer = act(asked, identity)
    except msgspec.DecodeError as error:
        return _json({"error": str(error)}, 400)
    except StripeError as error:
        return _json(error.body(), error.status)
    return _json(shown(answer))


def _json(answer: Any, status: int = 200) -> Response:  # noqa: ANN401 - JSON
    return Response(msgspec.json.encode(answer), status, content_type="application/json")
