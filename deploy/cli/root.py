"""The command `rialto` and everything below it."""

import importlib
from collections.abc import Mapping
from typing import Final

import click
from typing_extensions import override

_COMMANDS: Final[Mapping[str, str]] = {
    "up": "up_command",
    "down": "shop_commands",
    "status": "shop_commands",
    "logs": "shop_commands",
    "restart": "shop_commands",
    "top": "top_command",
    "connections": "operator_commands",
    "kick": "operator_commands",
    "broadcast": "operator_commands",
    "migrate": "program_commands",
    "seed": "program_commands",
    "invariants": "program_commands",
    "stripe": "program_commands",
    "load": "program_commands",
    "bench": "program_commands",
    "license": "license_command",
    "config": "config_command",
    "test": "quality_commands",
    "check": "quality_commands",
}
"""Which module holds which command, in the order that --help lists them."""


class _ImportsOnDemand(click.Group):
    """Imports only the command that is called: each of them is quick to start that way."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"deploy.cli.{_COMMANDS[cmd_name]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_ImportsOnDemand,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""
\b
Try:
  ./rialto up                 start the shop and open http://localhost:8300
  ./rialto COMMAND --help     what a command does, with examples
""",
)
def rialto() -> None:
    """A shop that talks: start it, look after it, test it, load it."""
