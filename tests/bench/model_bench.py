"""`make model-bench`: thousands of random models through gate and engine, held against a token game of their own.

Prints figures as JSON, each failure with its seed and the smallest model found that fails alike, and exits 1 when there
is one. Three hundred run with every `make test` (properties/test_models.py).
"""

from __future__ import annotations

import argparse
import atexit
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent)]

from conftest import SECRET, Clock  # noqa: E402 - the path comes first
from databases import new_sqlite  # noqa: E402
from properties.models.judging import GRAPHS, judge, readable, shrunk, tree_of  # noqa: E402
from properties.models.playing import SERVICES, Failure  # noqa: E402
from properties.models.whole import live  # noqa: E402
from properties.models.writing import write  # noqa: E402
from usher_engine import Database, Engine, Settings  # noqa: E402

#: How many models a process takes at once, and how many failures are shrunk and printed.
CHUNK, SHOWN = 25, 20
#: One in so many goes through database, worker and verify as well.
WHOLE = 21

#: What each kind of failure is counted as.
FIGURES = {
    "stuck": "stuck",
    "endless": "stuck",
    "unreadable": "unreadable",
    "disagreement": "disagreements",
    "accepted": "disagreements",
    "not accepted": "not_accepted",
    "compaction": "differences_with_and_without_compaction",
    "verify": "not_verified",
}


def _judged(seed: int) -> tuple[int, Failure | None]:
    try:
        failure = judge(tree_of(seed), seed)
        if failure is None and seed % WHOLE == 0 and seed % GRAPHS:
            failure = live(*_engine(), write(tree_of(seed)), seed)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure to be counted and looked at
        failure = Failure("crashed", f"{type(error).__name__}: {error}")
    return seed, failure


@cache
def _engine() -> tuple[Engine, Clock]:
    """The engine of this process, on a database of its own."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    clock, database = Clock(), Database(new_sqlite(Path(folder.name)))
    return Engine(Settings(env="development", secret_key=SECRET), SERVICES, clock, database), clock


def _show(seed: int, failure: Failure) -> None:
    sys.stderr.write(f"seed {seed}: {failure.kind}: {failure.message}\n")
    small = shrunk(tree_of(seed), seed, failure)
    sys.stderr.write(f"{json.dumps(small)}\n{readable(small)}\n\n")


def run(count: int, first: int, jobs: int) -> dict[str, Any]:
    begin = time.perf_counter()
    failures: list[tuple[int, Failure]] = []
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, (seed, failure) in enumerate(pool.imap_unordered(_judged, range(first, first + count), CHUNK), 1):
            if failure is not None:
                failures.append((seed, failure))
            if done % 1_000 == 0:
                sys.stderr.write(f"{done} of {count}, {len(failures)} failures\n")
    seconds = time.perf_counter() - begin
    for seed, failure in sorted(failures, key=lambda found: found[0])[:SHOWN]:
        _show(seed, failure)
    found = Counter(FIGURES.get(failure.kind, "other") for _, failure in failures)
    names = list(dict.fromkeys([*FIGURES.values(), "other"]))
    whole = sum(seed % WHOLE == 0 and seed % GRAPHS > 0 for seed in range(first, first + count))
    figures = {"models": count, "through_the_whole_engine": whole, "first_seed": first}
    figures |= {name: found[name] for name in names}
    return {**figures, "seconds": round(seconds, 1), "seeds": sorted(seed for seed, _ in failures)[:200]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    figures = run(asked.count, asked.seed, asked.jobs)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 1 if figures["seeds"] else 0


if __name__ == "__main__":
    sys.exit(main())
