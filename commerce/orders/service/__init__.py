"""What the rest of commerce may ask of orders."""

from commerce.orders.service.checkout import (
    Payable,
    PayRequest,
    Reached,
    call_off,
    expire_due,
    nobody_asks,
    pay,
)
from commerce.orders.service.importing import (
    import_past,
)
from commerce.orders.service.paying import hear, settle
from commerce.orders.service.placing import (
    cancel,
    confirm,
    place,
    place_for_subscription,
)
from commerce.orders.service.quoting import (
    forget_quotes,
    quote,
    quoted,
)
from commerce.orders.service.reading import (
    BUYER_ROLE,
    access,
    history,
    of,
    of_buyer,
    search,
    steps,
    support_room,
    visible,
)
from commerce.orders.service.standing import (
    delivery_is,
    dispute_is,
    fulfil,
    refunds_are,
    set_held,
)
from commerce.orders.service.stepping import (
    hold_row,
)
from commerce.orders.service.truths import INVARIANTS

__all__ = [
    "BUYER_ROLE",
    "INVARIANTS",
    "PayRequest",
    "Payable",
    "Reached",
    "access",
    "call_off",
    "cancel",
    "confirm",
    "delivery_is",
    "dispute_is",
    "expire_due",
    "forget_quotes",
    "fulfil",
    "hear",
    "history",
    "hold_row",
    "import_past",
    "nobody_asks",
    "of",
    "of_buyer",
    "pay",
    "place",
    "place_for_subscription",
    "quote",
    "quoted",
    "refunds_are",
    "search",
    "set_held",
    "settle",
    "steps",
    "support_room",
    "visible",
]
