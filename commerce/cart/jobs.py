"""What the clock does to carts."""

from typing import Final

from commerce.cart import service
from commerce.foundation.jobs import Job

JOBS: Final = (Job(name="cart.forget_guests", every_seconds=3600, run=service.forget_guests),)
