"""What a checkout costs in statements: pinned, so that none creeps in for each line."""

import pytest_asyncio

from commerce.cart import service as carts
from commerce.orders import service as orders
from commerce.orders.model import OrderFilter
from commerce.payments import service as payments
from tests.commerce.chat.test_statements import statements_of
from tests.commerce.orders.gateways import ScriptedGateway
from tests.commerce.shop import ADA

A_CALL_MAX = 25
"""What the brief allows."""

CART_CHANGE = 6


@pytest_asyncio.fixture
async def cart(shop):
    await shop.buy(await shop.add("Warm", stock=9))  # learns array types
    for number in range(4):
        cart = await shop.put(await shop.add(f"No {number}", stock=9))
    return cart


async def counted(database, act):
    """Return what an act sends, with what its transaction tells at its end."""
    async with database.transaction() as tx:
        with statements_of(tx) as sent:
            result = await act(tx)
            await tx.flush()
    return result, len(sent)


async def test_a_checkout_of_four_limited_things_takes_few_statements_a_call(
    shop, database, cart, clock
):
    gateway = ScriptedGateway(clock)

    offered, quoting = await counted(
        database,
        lambda tx: orders.quote(tx, ADA, cart_version=cart.version, country="DE"),
    )
    order, confirming = await counted(
        database, lambda tx: orders.confirm(tx, ADA, offered.quote.id)
    )
    begun = await orders.pay(
        database, gateway, orders.PayRequest(buyer=ADA, order=order.id, run="one")
    )
    gateway.move(begun.attempt.id, "succeeded")

    async def settle(tx):
        recorded = await payments.record(tx, begun.attempt.id, gateway.seen(begun.attempt))
        return await orders.settle(tx, recorded)

    paid, settling = await counted(database, settle)

    assert paid.state == "paid"
    assert max(quoting, confirming, settling) <= A_CALL_MAX
    assert (quoting, confirming, settling) == (7, 23, 16)


async def test_a_list_of_orders_takes_two_statements_however_long_it_is(shop, database):
    cheap = await shop.add("Cheap", price=0)
    dear = await shop.add("Dear", price=100)
    for _ in range(3):
        await shop.put(cheap)
        cart = await shop.put(dear)
        await shop.place(cart.version)

    mine, for_buyer = await counted(database, lambda tx: orders.of_buyer(tx, ADA, limit=50))
    wanted = OrderFilter(state="awaiting_payment", buyer=ADA)
    found, for_staff = await counted(database, lambda tx: orders.search(tx, wanted, limit=50))

    assert [len(order.lines) for order in mine] == [2, 2, 2]
    assert found == mine
    assert (for_buyer, for_staff) == (2, 2)


async def test_a_cart_change_takes_the_same_few_statements_in_a_full_cart(shop, database):
    for number in range(9):
        await shop.put(await shop.add(f"No {number}"))
    another = await shop.add("Another")

    changed, changing = await counted(
        database, lambda tx: carts.set_line(tx, ADA, another, quantity=2)
    )

    assert len(changed.lines) == 10
    assert changing == CART_CHANGE
