"""How a sum that goes back is laid upon the lines of its order."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from commerce.pricing.model import allocate
from commerce.refunds.errors import NothingToRefundError, RefundTooLargeError
from commerce.refunds.model.refunds import Part, Refund, RefundLine
from protocol.ids import OrderLineId


class LineLeft(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order, and what may still be given back of it."""

    line_id: OrderLineId
    quantity: int
    total_minor: int
    left_minor: int
    quantity_left: int

    def price_of(self, quantity: int) -> int:
        """Return what so many cost, less than which may be left."""
        if quantity >= self.quantity_left:
            return self.left_minor
        return min(self.left_minor, self.total_minor * quantity // self.quantity)


def left_of(lines: Iterable[LineLeft], refunds: Iterable[Refund]) -> list[LineLeft]:
    """Return lines with what the refunds that count have taken from them."""
    taken: Counter[OrderLineId] = Counter()
    back: Counter[OrderLineId] = Counter()
    for refund in refunds:
        if refund.is_live:
            for line in refund.lines:
                taken[line.line_id] += line.amount_minor
                back[line.line_id] += line.quantity
    return [
        msgspec.structs.replace(
            line,
            left_minor=line.left_minor - taken[line.line_id],
            quantity_left=line.quantity_left - back[line.line_id],
        )
        for line in lines
    ]


def split(
    lines: Sequence[LineLeft], *, amount_minor: int | None = None, parts: Sequence[Part] = ()
) -> tuple[RefundLine, ...]:
    """Return what goes back of each line: of some by name, or a sum over all, or all that is left.

    A sum is laid upon the lines as they have money left, to the last minor unit; so a refund of all
    that is left always empties every line, whatever went before.

    Raises:
        RefundTooLargeError: if more is wanted than is left.
        NothingToRefundError: if it comes to nothing.
    """
    found = _by_part(lines, parts) if parts else _by_sum(lines, amount_minor)
    if not found:
        raise NothingToRefundError
    return tuple(found)


def _by_part(lines: Sequence[LineLeft], parts: Sequence[Part]) -> list[RefundLine]:
    left = {line.line_id: line for line in lines}
    found = []
    for part in parts:
        line = left.pop(part.line, None)
        if line is None:
            raise RefundTooLargeError(left_minor=0)  # Not of this order, or named twice.
        found.append(_part_of(line, part))
    return [each for each in found if each.amount_minor]


def _part_of(line: LineLeft, part: Part) -> RefundLine:
    amount = part.amount_minor
    if amount is None:
        amount = line.left_minor if part.quantity is None else line.price_of(part.quantity)
    if not 0 <= amount <= line.left_minor:
        raise RefundTooLargeError(left_minor=line.left_minor)
    quantity = part.quantity
    if quantity is None:
        quantity = line.quantity_left if amount == line.left_minor else 0
    if quantity > line.quantity_left:
        raise RefundTooLargeError(left_minor=line.left_minor)
    return RefundLine(line_id=line.line_id, amount_minor=amount, quantity=quantity)


def _by_sum(lines: Sequence[LineLeft], amount_minor: int | None) -> list[RefundLine]:
    left = sum(line.left_minor for line in lines)
    wanted = left if amount_minor is None else amount_minor
    if wanted > left:
        raise RefundTooLargeError(left_minor=left)
    shares = allocate(wanted, [line.left_minor for line in lines])
    return [
        RefundLine(
            line_id=line.line_id,
            amount_minor=share,
            quantity=line.quantity_left if share == line.left_minor else 0,
        )
        for line, share in zip(lines, shares, strict=True)
        if share > 0
    ]
