"""What the demo users bought before: orders in every state they can rest in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from commerce.accounts.model import User
from commerce.catalog.model import NewProduct, Variant
from commerce.orders.model import Order, OrderEvent, OrderLine, PastOrder, Step, machine, record
from commerce.seed.fate import Fate
from commerce.seed.goods import CURRENCY
from protocol.ids import EventId, OrderId, OrderLineId, UserId
from protocol.views import OrderState

Way = tuple[OrderState, ...]

ORDERS_OF_ONE_MIN: Final = 4
ORDERS_OF_ONE_MAX: Final = 14

_FULFILLED: Final[Way] = ("awaiting_payment", "paid", "fulfilled")
_WAYS: Final[tuple[Way, ...]] = (
    *(_FULFILLED,) * 16,
    ("awaiting_payment", "paid"),
    ("awaiting_payment", "canceled"),
    ("awaiting_payment", "canceled"),
    ("awaiting_payment", "expired"),
)
"""How an order with a price goes, by how often. None still waits: it would expire at once."""

_STEPS: Final[Mapping[OrderState, Callable[[Order, datetime], Step | None]]] = {
    "awaiting_payment": machine.place,
    "paid": machine.pay,
    "fulfilled": machine.fulfil,
    "canceled": lambda order, _at: machine.cancel(order),
    "expired": lambda order, _at: machine.expire(order),
}

_STEP_SECONDS_MAX: Final = 3_600
_HISTORY_DAYS: Final = 110


def past_orders(people: Sequence[User], products: Sequence[NewProduct]) -> Iterator[PastOrder]:
    """Yield what each of the demo users bought."""
    for number, user in enumerate(people, start=1):
        fate = Fate(f"orders/{number}")
        for _ in range(fate.dice.randint(ORDERS_OF_ONE_MIN, ORDERS_OF_ONE_MAX)):
            yield past_order(fate, user.id, products)


def past_order(fate: Fate, buyer: UserId, products: Sequence[NewProduct]) -> PastOrder:
    """Return one order with all that happened to it; it has no number yet."""
    placed = fate.moment(days_before_max=_HISTORY_DAYS)
    chosen = fate.dice.sample(products, fate.dice.choice((1, 1, 1, 2, 2, 3)))
    order = Order(
        id=OrderId(fate.id("ord", placed)),
        number="",
        buyer_id=buyer,
        cart_id=None,
        state="draft",
        version=0,
        currency=CURRENCY,
        placed_at=placed,
        lines=tuple(_line(fate, placed, product) for product in chosen),
    )
    return _went(fate, order, _FULFILLED if order.is_free else fate.dice.choice(_WAYS))


def _went(fate: Fate, order: Order, way: Way) -> PastOrder:
    events: list[OrderEvent] = []
    moment = order.placed_at
    for state in way:
        step = _step(order, state, moment)
        order = step.after
        event_id = EventId(fate.id("evt", moment))
        events.append(record(step, event_id=event_id, at=moment))
        moment = moment if order.is_free else fate.later(moment, seconds_max=_STEP_SECONDS_MAX)
    return PastOrder(order=order, events=tuple(events))


def _step(order: Order, state: OrderState, moment: datetime) -> Step:
    step = _STEPS[state](order, moment)
    assert step is not None
    return step


def _line(fate: Fate, moment: datetime, product: NewProduct) -> OrderLine:
    variant = fate.dice.choice(product.variants)
    return OrderLine(
        id=OrderLineId(fate.id("lin", moment)),
        variant_id=variant.id,
        product_id=product.id,
        title=_title(product, variant),
        quantity=fate.dice.choice((1, 1, 1, 1, 1, 2)),
        unit_price_minor=variant.price_minor,
        currency=variant.currency,
        takes_stock=False,
    )


def _title(product: NewProduct, variant: Variant) -> str:
    return f"{product.title} ({variant.title})" if variant.title else product.title
