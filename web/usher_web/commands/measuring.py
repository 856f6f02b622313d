"""`usher bench`: the figures of the design, measured against their floor."""

from __future__ import annotations

from itertools import chain

import click
from usher_engine.definitions import read_folder

from usher_web.bench import machine, run_bench

from ..assets import bundled_package
from .opening import print_json
from .startup import startup


@click.command()
@click.option("--cases", default=300, show_default=True, help="How many enrolments are run.")
@click.option("--tasks", default=1_000_000, show_default=True, help="How many open tasks the large inbox holds.")
@click.option("--loops", default=1_000, show_default=True, help="How many rounds the loop goes.")
@click.option("--json", "_machine", is_flag=True, help="Taken for uniformity: the answer is JSON always.")
def bench(cases: int, tasks: int, loops: int, _machine: bool) -> None:
    """Measure Usher against bare SpiffWorkflow and a bare commit; exit 1 when a target is missed."""
    figures = []
    package = read_folder(bundled_package())
    for figure in chain(startup(), run_bench(package, cases=cases, tasks=tasks, loops=loops)):
        figures.append(figure.to_json())
        click.echo(f"{figure.value:10,.2f} {figure.unit:5} {figure.name}", err=True)
    print_json({"machine": machine(), "figures": figures})
    if not all(figure["holds"] for figure in figures):
        raise SystemExit(1)
