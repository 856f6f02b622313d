"""The command line: the composition root. Each failure is one clear line on stderr and exit code 1, usage is 2."""

from __future__ import annotations

from typing import Any

import click
from usher_engine import EngineError

from .commands import COMMANDS, load


class PlainErrors(click.Group):
    """Turns what the engine refuses into one line; nobody at a shell is helped by a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 the same
        return load(cmd_name) if cmd_name in COMMANDS else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EngineError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=PlainErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="usher-flow", prog_name="usher")
def main() -> None:
    """Usher enrols patients in a patient portal by running a BPMN diagram."""
