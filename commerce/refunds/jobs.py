"""What the clock does to refunds."""

from typing import Final

from commerce.foundation.jobs import Job
from commerce.refunds import service

JOBS: Final = (Job(name="refunds.sweep_late", every_seconds=60, run=service.sweep_late),)
