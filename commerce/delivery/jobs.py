"""What the clock does to delivery."""

from typing import Final

from commerce.delivery import service
from commerce.foundation.jobs import Job

JOBS: Final = (Job(name="delivery.sweep", every_seconds=5, run=service.sweep),)
