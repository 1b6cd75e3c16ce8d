"""What can go wrong with an export."""

from protocol.ids import ExportId
from protocol.views import ExportState
from shared.errors import ExpectedError


class ExportNotFoundError(ExpectedError):
    """No such export."""

    code = "export_not_found"
    http_status = 404

    def __init__(self, export: ExportId) -> None:
        super().__init__(f"There is no export {export}.")


class ExportNotReadyError(ExpectedError):
    """The file is not there: not yet, or not any more."""

    code = "export_not_ready"
    http_status = 409

    def __init__(self, state: ExportState) -> None:
        super().__init__(f"This export is {state}; there is no file.")


class TooManyExportsError(ExpectedError):
    """As many exports wait as may."""

    code = "too_many_exports"
    http_status = 409

    def __init__(self, *, waiting_max: int) -> None:
        super().__init__(f"{waiting_max} exports wait already; try again when one is done.")


class ExportTakenOverError(Exception):
    """Another program writes this export by now, or it was canceled."""
