"""Proration: what is given back for unused time, and asked for the time that remains."""

from datetime import UTC, datetime

from deploy.stripe_standin.billing import terms
from deploy.stripe_standin.billing.lines import new_item, pricing_of
from deploy.stripe_standin.billing.periods import share
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World


def prorate(
    world: World, subscription: Document, after: list[Document], moment: int
) -> list[Document]:
    """Make the waiting items for a change of items at a moment within the period."""
    before = {each["id"]: each for each in terms.items_of(subscription)}
    changed = {each["id"]: each for each in after}
    made = []
    for identity, item in before.items():
        if changed.get(identity) is None or _differs(item, changed[identity]):
            made.append(credit(world, subscription, item, moment))
    for identity, item in changed.items():
        if before.get(identity) is None or _differs(item, before[identity]):
            made.append(_debit(world, subscription, item, moment))
    return made


def credit(world: World, subscription: Document, item: Document, moment: int) -> Document:
    """Give back what was paid for an item and is not used from a moment on."""
    amount = -_remaining(subscription, item, moment)
    return _keep(world, subscription, item, moment, amount=amount, says="Unused time on")


def _debit(world: World, subscription: Document, item: Document, moment: int) -> Document:
    amount = _remaining(subscription, item, moment)
    return _keep(world, subscription, item, moment, amount=amount, says="Remaining time on")


def _differs(one: Document, other: Document) -> bool:
    return bool(one["price"]["id"] != other["price"]["id"] or one["quantity"] != other["quantity"])


def _remaining(subscription: Document, item: Document, moment: int) -> int:
    start, end = terms.period_of(subscription)
    return share(terms.amount_of(item), max(0, end - moment), end - start)


def _keep(
    world: World,
    subscription: Document,
    item: Document,
    moment: int,
    *,
    amount: int,
    says: str,
) -> Document:
    customer = world.get("customer", subscription["customer"])
    product = world.find("product", item["price"]["product"]) or {"name": "Product"}
    day = datetime.fromtimestamp(moment, UTC)
    made = new_item(
        world,
        customer,
        amount=amount,
        currency=item["price"]["currency"],
        description=f"{says} {product['name']} after {day:%d %b %Y}",
    )
    made.update(
        discountable=False,
        parent={
            "type": "subscription_details",
            "subscription_details": {
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
        },
        period={"start": moment, "end": terms.period_of(subscription)[1]},
        pricing=pricing_of(item["price"]),
        proration=True,
        quantity=item["quantity"],
    )
    world.save(made)
    world.emit("invoiceitem.created", made)
    return made
