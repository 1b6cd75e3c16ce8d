"""What a part of a period is worth: exact, in minor units. Pure."""

from datetime import datetime, timedelta

import msgspec

from commerce.pricing.model import allocate

_MICROSECOND = timedelta(microseconds=1)


class Proration(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of plan costs now.

    `unused_minor` is what is left of what was paid for this period, `charge_minor` what the new
    plan costs from now to the period's end, and `credit_used_minor` what of all credit is taken for
    it. `credit_after_minor` is kept for later.
    """

    unused_minor: int
    charge_minor: int
    credit_used_minor: int
    credit_after_minor: int

    @property
    def due_minor(self) -> int:
        """What is still to be paid, before a tax that comes on top."""
        return self.charge_minor - self.credit_used_minor


def split_at(amount_minor: int, start: datetime, at: datetime, end: datetime) -> tuple[int, int]:
    """Split what a span of time is worth at a moment; both parts come to the whole.

    A moment outside of the span leaves all of it on one side.
    """
    moment = min(max(at, start), end)
    if end <= start:
        return amount_minor, 0
    past, left = allocate(
        amount_minor, [(moment - start) // _MICROSECOND, (end - moment) // _MICROSECOND]
    )
    return past, left


def prorate(*, unused_minor: int, charge_minor: int, credit_minor: int) -> Proration:
    """Take what is unused, and then the credit there is, for what a change costs."""
    have = unused_minor + credit_minor
    used = min(charge_minor, have)
    return Proration(
        unused_minor=unused_minor,
        charge_minor=charge_minor,
        credit_used_minor=used,
        credit_after_minor=have - used,
    )
