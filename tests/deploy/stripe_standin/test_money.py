"""Whatever is captured and refunded, in whatever order: the balance says it to the unit."""

import contextlib

from hypothesis import given, settings, strategies as st

from deploy.stripe_standin.errors import InvalidRequestError
from tests.deploy.stripe_standin.world import new_world, post

STEPS = st.lists(
    st.tuples(st.sampled_from(["pay", "refund", "fail", "dispute"]), st.integers(0, 30_000)),
    max_size=12,
)


def carry_out(world, kind, amount, intents):
    from deploy.stripe_standin.payments import disputes, refunds  # noqa: PLC0415 - one use

    if kind == "pay":
        intents.append(
            post(
                world,
                "payment_intents",
                f"amount={100 + amount}&currency=jpy&payment_method_types[0]=card"
                "&payment_method=pm_card_visa&confirm=true",
            )
        )
    elif kind == "refund" and intents:
        post(world, "refunds", f"payment_intent={intents[-1]['id']}&amount={amount}")
    elif kind == "fail":
        for refund in world.select("refund", status="succeeded")[:1]:
            with world.store.transaction():
                refunds.settle(world, refund, "failed")
    elif kind == "dispute" and intents:
        with world.store.transaction():
            disputes.open_dispute(
                world, world.get("charge", intents[-1]["latest_charge"]), "fraudulent"
            )


class TestAnyHistory:
    @settings(max_examples=60, deadline=None)
    @given(STEPS)
    def test_refunds_no_more_than_was_captured_and_books_every_unit(self, steps):
        world, intents = new_world(), []

        for kind, amount in steps:
            with contextlib.suppress(InvalidRequestError):  # a step that is not possible now
                carry_out(world, kind, amount, intents)

        charges = world.select("charge")
        refunds = [each for each in world.select("refund") if each["status"] != "failed"]
        disputed = sum(each["amount"] for each in world.select("dispute"))
        booked = world.select("balance_transaction")
        captured = sum(each["amount_captured"] for each in charges)
        refunded = sum(each["amount"] for each in refunds)
        assert all(0 <= each["amount_refunded"] <= each["amount_captured"] for each in charges)
        assert sum(each["amount_refunded"] for each in charges) == refunded
        assert sum(each["amount"] for each in booked) == captured - refunded - disputed
        assert all(each["net"] == each["amount"] - each["fee"] for each in booked)
