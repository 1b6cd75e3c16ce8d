"""What the clock does to orders."""

import functools
from typing import Final

from commerce.foundation.jobs import Errand, Job
from commerce.orders import service
from commerce.payments.ports import PaymentGateway

JOBS: Final = (Job(name="orders.forget_quotes", every_seconds=3600, run=service.forget_quotes),)


def errands(gateway: PaymentGateway) -> tuple[Errand, ...]:
    """Return the errands of orders: payments are canceled before orders expire."""
    expire = functools.partial(service.expire_due, gateway=gateway)
    return (Errand(name="orders.expire_due", every_seconds=60, run=expire),)
