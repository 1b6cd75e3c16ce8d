"""Options that several commands share, and what they mean."""

from collections.abc import Mapping

import click

from deploy.cli.output import fail
from deploy.data_folder import DataFolder, locate
from deploy.settings import DeploySettings, read_settings, read_variables
from deploy.supervisor.errors import StartError
from shared.environment import SettingsError

data_option = click.option(
    "--data", metavar="DIR", help="The data folder; default: the user's own, or RIALTO_DATA."
)


def read_everything(
    **options: str | int | None,
) -> tuple[Mapping[str, str], DeploySettings, DataFolder]:
    """Return the variables (options that were given go first), our settings and the folder.

    Ends the command with exit code 2 if something is wrong with them.
    """
    chosen = {
        f"RIALTO_{name.upper()}": str(value) for name, value in options.items() if value is not None
    }
    try:
        variables = {**read_variables(), **chosen}
        settings = read_settings(variables)
    except (SettingsError, StartError) as error:
        fail(str(error), exit_code=2)
    return variables, settings, locate(settings.data)
