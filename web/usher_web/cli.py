"""The command line: the composition root. Each failure is one clear line on stderr and exit code 1, usage is 2."""

from __future__ import annotations

from typing import Any

import click
from usher_engine import EngineError

from .commands import COMMANDS


class PlainErrors(click.Group):
    """Turns what the engine refuses into one line; nobody at a shell is helped by a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EngineError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=PlainErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="usher-flow", prog_name="usher")
def main() -> None:
    """Usher enrols patients in a patient portal by running a BPMN diagram."""


for command in COMMANDS:
    main.add_command(command)
