"""Whether the books are in order, asked after a scenario."""

from commerce.foundation.invariants import look_at
from commerce.invariants import INVARIANTS


async def assert_in_order(database, invariants=INVARIANTS):
    """Fail with every sentence that an invariant has to say."""
    verdicts = await look_at(database, invariants)
    assert {each.name: each.breaches for each in verdicts if not each.holds} == {}
