"""What the clock does to orders."""

from typing import Final

from commerce.foundation.jobs import Job
from commerce.orders import service

JOBS: Final = (
    Job(name="orders.expire_unpaid", every_seconds=60, run=service.expire_unpaid),
    Job(name="orders.forget_quotes", every_seconds=3600, run=service.forget_quotes),
)
