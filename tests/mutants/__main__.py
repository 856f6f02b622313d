"""`make mutants`: puts small faults into the modules everything rests on and sees whether the unit tests notice.

Ends with 1 where a mutant survives that `survivors.toml` does not list with a reason, where a listed one is killed or
gone, and where five in a hundred or more of a module survive. POSIX only: each mutant is a forked child.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

import click

from . import survivors
from .children import Verdict
from .trials import Target, TrialError, prepared, run

ROOT = Path(__file__).parent.parent.parent

#: The modules under trial and the tests that hold each, which must not take long.
TESTS: dict[str, tuple[str, ...]] = {
    "core.state": ("unit/test_state.py",),
    "core.events": ("unit/test_events.py", "unit/test_state.py"),
    "core.wait_events": ("unit/test_events.py", "unit/test_state.py"),
    "core.intervention_events": ("unit/test_events.py",),
    "core.canonical": ("unit/test_canonical.py",),
    "checkpoints.merkle": ("unit/test_merkle.py",),
    "definitions.inclusive_join": ("unit/test_inclusive_joins.py",),
    "bpmn.join_compatibility": ("unit/test_join_compatibility.py",),
    "bpmn.gateways": ("unit/test_bpmn_gateways.py", "unit/test_bpmn_joins.py"),
    "expressions.operators": ("unit/test_expressions_operations.py", "unit/test_expressions_operators.py"),
    "expressions.budget": ("unit/test_expressions_budget.py",),
    "expressions.comparison": ("unit/test_expressions_comparison.py",),
    "enrollment.enrollment_operators": ("contract/test_enrollment_operators.py",),
}


def main() -> int:
    sys.path[:0] = [str(ROOT / "engine"), str(ROOT / "web")]  # this tree, wherever an installed Usher lies
    os.chdir(ROOT)
    options = _options()
    reasons = survivors.read(Path(__file__).with_name("survivors.toml"))
    click.echo("".join(f"{word:>10}" for word in ("mutants", *(verdict.value for verdict in Verdict))) + "  module")
    fine = [_tried(name, reasons, options) for name in options.module or TESTS]
    return 0 if all(fine) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--module", action="append", choices=sorted(TESTS), help="only this module; may be repeated")
    parser.add_argument("--sample", type=int, help="only so many mutants of each module")
    parser.add_argument("--seed", type=int, default=0, help="which ones a sample takes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many run side by side")
    return parser.parse_args()


def _tried(name: str, reasons: dict[survivors.Key, str], options: argparse.Namespace) -> bool:
    """Whether all is well with one module; what is not is printed."""
    began = time.monotonic()
    tests = [ROOT / "tests" / file for file in TESTS[name]]
    trial = prepared(Target(module=f"usher_engine.{name}", folder=ROOT / "engine", tests=tests))
    outcome = dict(run(trial, jobs=options.jobs, sample=options.sample, seed=options.seed))
    counted = Counter(outcome.values())
    survived = {mutant.key: verdict is Verdict.SURVIVED for mutant, verdict in outcome.items()}
    found = survivors.judged(trial.target.module, survived, {mutant.key for mutant in trial.mutants}, reasons)
    numbers = [len(outcome), *(counted[verdict] for verdict in Verdict)]
    figures = "".join(f"{number:>10}" for number in numbers)
    click.echo(f"{figures}  {name}: {found.share:.1f} % survive, {time.monotonic() - began:.0f} s")
    _complain(found)
    return found.is_fine


def _complain(found: survivors.Judgement) -> None:
    if found.unlisted:
        click.echo("\n# No test notices these. Write one, or list them with a reason:\n")
        click.echo(f"{survivors.written(found.unlisted)}\n")
    for what, keys in (("is killed now", found.killed), ("is no mutant any more", found.gone)):
        for key in keys:
            click.echo(f"  on the list, but {what}: {key.function}: {key.line}: {key.change}")
    if found.share >= survivors.LIMIT:
        click.echo(f"  {found.share:.1f} % survive; fewer than {survivors.LIMIT} % may.")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (TrialError, survivors.ListError) as error:
        click.echo(error, err=True)
        sys.exit(2)
