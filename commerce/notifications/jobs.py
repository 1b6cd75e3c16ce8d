"""What notifications do by the clock."""

from typing import Final

from commerce.foundation.jobs import Job
from commerce.notifications import service

JOBS: Final = (Job(name="notifications.prune", every_seconds=60, run=service.prune),)
