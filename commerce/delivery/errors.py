"""What can go wrong with delivery, on purpose."""

from protocol.ids import GrantId
from shared.errors import ExpectedError


class GrantNotFoundError(ExpectedError):
    """No such grant, or not yours to see."""

    code = "grant_not_found"
    http_status = 404

    def __init__(self, grant: GrantId) -> None:
        super().__init__(f"There is no grant {grant} of yours.")
