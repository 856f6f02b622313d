"""`usher operators`: what diagrams may call, which package each operator comes from, and what is put aside."""

from __future__ import annotations

from typing import Any

import click
from usher_engine import Operator

from .opening import as_json, print_json
from .packages import all_services


@click.command()
@as_json
def operators(*, machine: bool) -> None:
    """List the operators diagrams may call and the packages they come from; exit 1 when one cannot be used."""
    services = all_services()
    if machine:
        print_json({"operators": [_told(one) for one in services], "refused": [str(one) for one in services.refused]})
    else:
        wide = max(len(one.name) for one in services)
        for one in sorted(services, key=lambda one: (one.origin is None, one.name)):
            click.echo(f"{one.name:{wide}}  {one.mode.value:7}  {one.origin or 'Usher'}  {one.title}")
        for refused in services.refused:
            click.echo(str(refused))
    if services.refused:
        raise SystemExit(1)


def _told(operator: Operator) -> dict[str, Any]:
    return {
        "name": operator.name,
        "title": operator.title,
        "mode": operator.mode.value,
        "package": operator.origin.package if operator.origin else None,
        "version": operator.origin.version if operator.origin else None,
        "parameters": operator.parameters_shape,
        "result": operator.result,
        "errors": dict(operator.errors),
    }
