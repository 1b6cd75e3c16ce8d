"""What can go wrong with a licence, on purpose."""

from typing import Literal

from commerce.foundation.errors import RetryLaterError
from protocol.ids import LicenseId
from protocol.views import LicenseState
from shared.errors import ExpectedError


class LicenseNotFoundError(ExpectedError):
    """No such licence, or not yours to see."""

    code = "license_not_found"
    http_status = 404

    def __init__(self, license_id: LicenseId) -> None:
        super().__init__(f"There is no licence {license_id} of yours.")


class UnknownLicenseKeyError(ExpectedError):
    """The key is not one of ours, or no longer."""

    code = "unknown_license_key"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("This licence key is not known; check it for a typing error.")


class LicenseNotActiveError(ExpectedError):
    """The licence is suspended, revoked or expired."""

    code = "license_not_active"
    http_status = 409

    def __init__(self, standing: LicenseState | Literal["expired"]) -> None:
        super().__init__(f"This licence is {standing}; it cannot be used on a machine.")


class TooManyMachinesError(ExpectedError):
    """Every machine the licence allows is taken."""

    code = "too_many_machines"
    http_status = 409

    def __init__(self, *, machines_max: int) -> None:
        machines = "machine" if machines_max == 1 else "machines"
        super().__init__(
            f"This licence runs on {machines_max} {machines}, and all are taken; "
            "deactivate one first."
        )


class MachineNotFoundError(ExpectedError):
    """The licence is not active on that machine."""

    code = "machine_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("The licence is not active on this machine.")


class ResetTooSoonError(RetryLaterError):
    """All machines were let go a short time ago."""

    code = "reset_too_soon"
    http_status = 409

    def __init__(self, *, hours: int) -> None:
        super().__init__(f"All machines may be let go once in {hours} hours.")


class IllegalLicenseStepError(ExpectedError):
    """The licence's state does not allow what was asked."""

    code = "illegal_license_step"
    http_status = 409

    def __init__(self, *, from_state: LicenseState, to_state: LicenseState) -> None:
        super().__init__(f"A licence that is {from_state} cannot become {to_state}.")
