"""The command line: the composition root. Each failure is one clear line on stderr and exit code 1, usage is 2."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb
from typing import Any

import click
from usher_engine import EngineError, InvalidSubmission
from usher_engine.core.faults import trace as fault_trace
from usher_engine.release import running_version

from .commands import COMMANDS, load


class PlainErrors(click.Group):
    """Turn errors of the engine into one line; a traceback does not help people at a shell."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 the same
        return load(cmd_name) if cmd_name in COMMANDS else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EngineError as error:
            raise click.ClickException(_refusal(error)) from error
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except OSError as error:
            if error.filename is None:  # not about a file but, for instance, a closed pipe: click handles it
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}.") from error
        except Exception as error:
            raise click.ClickException(_mistake(error, debug=ctx.params["debug"])) from error


def _refusal(error: EngineError) -> str:
    """The message, and below it each wrong field with its reason, where the message does not say that already."""
    fields = error.fields if isinstance(error, InvalidSubmission) else {}
    return "\n".join([error.message, *(f"  {name}: {why}" for name, why in fields.items() if why not in error.message)])


def _mistake(error: Exception, *, debug: bool) -> str:
    """The message for a fault of ours; the exception's own text may hold patient data."""
    if debug:
        click.echo(fault_trace(error), err=True)
    last = extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
    how = "" if debug else " “usher --debug …” shows the way there, without data of patients."
    return f"This failed because of a mistake in the software ({place}). Please report it.{how}"


def _say_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"usher, version {running_version()}")
        context.exit()


@click.group(cls=PlainErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version, help="Show the version."
)
@click.option("--debug", is_flag=True, help="Where a mistake in Usher ends a command, show the way there.")
def main(*, debug: bool) -> None:
    """Usher enrols patients in a patient portal by running a BPMN diagram."""
