"""The way from a command to the operator ports of the running shop."""

from deploy.cli.options import read_everything
from deploy.cli.output import fail
from deploy.data_folder import DataFolder
from deploy.operations.client import Answer, Operators
from deploy.running_shop import environment_of_running
from deploy.settings import OPERATOR_TOKEN_VARIABLE
from deploy.supervisor.control import AskStatus, NotRunningError, ask
from deploy.supervisor.state import ShopStatus


class Door:
    """A running shop and the token that opens its operator ports."""

    def __init__(self, folder: DataFolder, token: str) -> None:
        self._folder = folder
        self._token = token

    def now(self) -> tuple[ShopStatus, Operators]:
        """Return how the shop is now, and who of it can be asked.

        Ends the command with exit code 1 if it runs no more.
        """
        try:
            status = ask(self._folder.path, AskStatus()).status
        except NotRunningError as error:
            fail(f"{error}.", exit_code=1)
        return status, Operators(status, token=self._token)


def open_door(data: str | None) -> Door:
    """Find the running shop; end the command with exit code 1 if there is none."""
    variables, settings, folder = read_everything(data=data)
    environment = environment_of_running(variables, settings, folder)
    if environment is None:
        fail(f"no Rialto is running in {folder.path}; try ./rialto up.", exit_code=1)
    return Door(folder, environment.get(OPERATOR_TOKEN_VARIABLE, ""))


def good_or_fail(answers: list[Answer]) -> list[Answer]:
    """Return the answers of those that did what was asked.

    Ends the command with exit code 1 if nobody did, or there is nobody.
    """
    good = [answer for answer in answers if answer.is_good]
    if not good:
        complaints = {answer.complaint() for answer in answers} or {"no gateway can be asked"}
        fail("; ".join(sorted(complaints)), exit_code=1)
    return good
