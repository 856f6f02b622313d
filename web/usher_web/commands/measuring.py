"""`usher bench`: the figures of the design, measured beside their floor."""

from __future__ import annotations

import click
from usher_engine.bench import run_bench
from usher_engine.definitions import read_folder

from ..bundled import bundled_package
from .opening import say


@click.command()
@click.option("--cases", default=300, show_default=True, help="How many cases each figure rests on.")
@click.option("--json", "_machine", is_flag=True, help="Taken for uniformity: the answer is JSON always.")
def bench(cases: int, _machine: bool) -> None:
    """Measure Usher beside bare SpiffWorkflow and a bare commit; exit 1 when a target is missed."""
    result = run_bench(read_folder(bundled_package()), cases=cases)
    say(result)
    if not all(figure["holds"] for figure in result["figures"]):
        raise SystemExit(1)
