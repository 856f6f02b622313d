"""Random models: those that the gate accepts run to their end according to BPMN; every state is written and read.

`make model-bench` plays many thousands more. A failure names its seed; the bench shrinks it to a readable model.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from conftest import SECRET, Clock
from databases import new_sqlite
from properties.models.judging import GRAPHS, judge, readable, shrunk, tree_of
from properties.models.playing import SERVICES, Failure, refusals
from properties.models.trees import blocks_of, fault_of
from properties.models.whole import live
from properties.models.writing import write
from usher_engine import Engine, Settings
from usher_engine.store import Database

MODELS = 300
CHUNK = 50
#: Through database, worker and verify.
WHOLE = 12


def _describe(seed: int, failure: Failure) -> str:
    small = shrunk(tree_of(seed), seed, failure)
    return f"seed {seed}: {failure.kind}: {failure.message}\nshrunk, {judge(small, seed)}:\n{readable(small)}"


@pytest.mark.parametrize("first", range(0, MODELS, CHUNK))
def test_models_run_according_to_bpmn(first: int) -> None:
    for seed in range(first, first + CHUNK):
        failure = judge(tree_of(seed), seed)
        assert failure is None, _describe(seed, failure)


def test_models_run_through_the_whole_engine(tmp_path: Path) -> None:
    clock, database = Clock(), Database(new_sqlite(tmp_path))
    engine = Engine(Settings(env="development", secret_key=SECRET), SERVICES, clock, database)
    seeds = [seed for seed in range(MODELS) if seed % GRAPHS][:WHOLE]
    for seed in seeds:
        assert live(engine, clock, write(tree_of(seed)), seed, lossy=True) is None, f"seed {seed}"
    database.close()


def test_the_models_have_every_kind_of_block() -> None:
    found: Counter[str] = Counter()
    for seed in range(MODELS):
        for block in blocks_of(tree_of(seed)):
            found.update([block["k"], *(f"caught {block['on']}" for _ in "1" if "on" in block)])
            found.update(f"repeated {block['repeat']['how']}" for _ in "1" if block.get("repeat"))
    wanted = {
        *("user", "script", "service", "timer", "message", "receive", "send", "link", "escalate", "leave"),
        *("xor", "and", "incl", "event", "loop", "sub", "call", "graph"),
        *("caught timer", "caught message", "caught error", "caught escalation", "caught cancel"),
        *("repeated parallel", "repeated sequential", "repeated loop"),
    }
    assert {kind for kind in wanted if found[kind] < 5} == set()


def test_some_models_are_unsound_graphs_and_refused() -> None:
    faults = [seed for seed in range(0, MODELS, GRAPHS) if fault_of(tree_of(seed))]
    assert len(faults) >= 10
    assert all(refusals(write(tree_of(seed))) for seed in faults)
