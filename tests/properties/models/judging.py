"""Judges one random model; the test judges hundreds, `make model-bench` thousands."""

from __future__ import annotations

import re
from random import Random

from usher_engine.bpmn import compile_diagram

from .graphs import random_graph
from .playing import Failure, Playing, play, refusals
from .shrinking import shrink
from .trees import Block, Generator, fault_of, is_well_formed, process_of
from .writing import write

#: Blocks of a model; most models are smaller, since unreachable blocks end early.
SIZES = (6, 10, 14, 20)
#: One of so many models is only a graph, which may be unsound.
GRAPHS = 5
#: How often to play an unsound graph, each time in another order.
ORDERS = 12


def tree_of(seed: int) -> Block:
    """The model of *seed*."""
    random = Random(f"model {seed}")
    if seed % GRAPHS == 0:
        return process_of({"k": "graph", "id": 1, **random_graph(random, random.randint(4, 9))})
    return Generator(seed, random.choice(SIZES)).tree()


def judge(tree: Block, seed: int) -> Failure | None:
    """Return what gate or engine do wrong with *tree*, or None."""
    if _is_graph(tree) and (fault := fault_of(tree)):
        return _judge_unsound(tree, fault)
    model = write(tree)
    if refused := refusals(model):
        return Failure("not accepted", "; ".join(refused[:3]))
    return play(model, seed)


def _judge_unsound(tree: Block, fault: str) -> Failure | None:
    """Check that the gate refuses *tree* and that the engine agrees with the game, even on paths that get stuck."""
    model = write(tree)
    if not fault.startswith("too many") and not any(": soundness: " in one for one in refusals(model)):
        return Failure("accepted", f"the gate accepts it, though it is {fault}")
    diagram = compile_diagram(model.package)
    for order in range(ORDERS):
        model.data["g1"]["v"] = order % 3
        playing = Playing(model, order, diagram)
        failure = playing.failure()
        if failure is not None and failure.kind != "unsound":
            return failure
        if failure is not None or playing.game.piled:
            return None
    return None


def _is_graph(tree: Block) -> bool:
    return [block["k"] for branch in tree["in"] for block in branch] == ["graph"] and not tree["beside"]


def shrunk(tree: Block, seed: int, failure: Failure) -> Block:
    """Return the smallest model found that fails in the same way, in any order of moves."""
    return shrink(tree, lambda smaller: _fails_alike(smaller, seed, failure))


def _fails_alike(tree: Block, seed: int, failure: Failure) -> bool:
    if not _is_graph(tree) and not is_well_formed(tree):
        return False
    try:
        return any((found := judge(tree, order)) and _is_like(found, failure) for order in (seed, *range(6)))
    except Exception:  # noqa: BLE001 - a tree that cannot be written or compiled is not an example
        return False


def _is_like(found: Failure, failure: Failure) -> bool:
    """Whether *found* is of the same kind as *failure*; for a refusal, by the same rule of the gate."""
    rule = failure.message.split(": ")[1] if failure.kind == "not accepted" else ""
    return found.kind == failure.kind and f": {rule}" in f": {found.message}"


def readable(tree: Block) -> str:
    """Return the BPMN of *tree*, one element a line."""
    return re.sub(r"(?<=>)(?=<bpmn:)", "\n", write(tree).xml)
