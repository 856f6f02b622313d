"""Drops parts of a failing tree while it still fails, until a person can read the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from .trees import Block

#: Puts a smaller block, or several, in the place of one; what it gives is a copy.
Change = Callable[[Block], list[Block]]


def shrink(tree: Block, fails: Callable[[Block], bool], most: int = 2_000) -> Block:
    """Return the smallest tree found that still *fails*, after at most *most* attempts."""
    tried = 0
    smaller = True
    while smaller and tried < most:
        smaller = False
        for candidate in _candidates(tree):
            tried += 1
            if fails(candidate):
                tree, smaller = candidate, True
                break
            if tried >= most:
                break
    return tree


def _candidates(tree: Block) -> Iterator[Block]:
    """Yield copies of *tree* without one part, the largest parts first."""
    for path, size in sorted(_paths(tree), key=lambda found: -found[1]):
        copy = json.loads(json.dumps(tree))
        owner = _at(copy, path[:-1])
        if isinstance(owner, list):
            del owner[path[-1]]
            yield copy
        for smaller in _smaller(_at(tree, path)):
            copy = json.loads(json.dumps(tree))
            owner = _at(copy, path[:-1])
            if isinstance(owner, list):
                owner[path[-1] : path[-1] + 1] = json.loads(json.dumps(smaller))
                yield copy
            elif len(smaller) == 1:
                yield json.loads(json.dumps(smaller[0]))
        del size


def _paths(block: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield the path of each block below *block*, with its size."""
    if isinstance(block, dict):
        yield path, len(json.dumps(block))
        for number, branch in enumerate(block.get("in", ())):
            for place, inner in enumerate(branch):
                yield from _paths(inner, (*path, "in", number, place))
        for name in ("bounds", "beside"):
            for place, inner in enumerate(block.get(name, ())):
                yield from _paths(inner, (*path, name, place))


def _at(tree: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        tree = tree[part]
    return tree


def _smaller(block: Block) -> Iterator[list[Block]]:
    """Yield replacements for *block*."""
    kind = block["k"]
    if kind in ("xor", "and", "incl", "event", "loop", "sub", "call"):
        yield from (list(branch) for branch in block["in"])
    if kind in ("xor", "and", "incl", "event") and len(block["in"]) > 2:
        for number in range(len(block["in"])):
            yield [_without_branch(block, number)]
    if block.get("repeat"):
        yield [{name: value for name, value in block.items() if name != "repeat"}]
        for simpler in ({"times": 1}, {"times": 2}, {"list": False}, {"output": False}, {"enough": 0}):
            if simpler.items() - block["repeat"].items() and block["repeat"]["times"] >= simpler.get("times", 0):
                yield [{**block, "repeat": {**block["repeat"], **simpler}}]
    if kind in ("service", "send", "receive", "manual", "timer", "message") and not block.get("bounds"):
        yield [{"k": "user", "id": block["id"]}]
    if kind == "loop" and block["times"] > 1:
        yield [{**block, "times": block["times"] - 1}]
    if kind == "graph":
        yield from _smaller_graphs(block)


def _without_branch(block: Block, number: int) -> Block:
    several = {name: [x for n, x in enumerate(block[name]) if n != number] for name in ("in", "picks", "kinds")
               if name in block}  # fmt: skip
    return {**block, **several}


def _smaller_graphs(block: Block) -> Iterator[list[Block]]:
    if block["back"]:
        yield [{**block, "back": []}]
    for number in range(1, len(block["nodes"]) - 1):
        into = [source for source, target in block["flows"] if target == number]
        out = [target for source, target in block["flows"] if source == number]
        flows = {(a, b) for a, b in block["flows"] if number not in (a, b)} | {(a, b) for a in into for b in out}
        moved = sorted([a - (a > number), b - (b > number)] for a, b in flows)
        back = [[a - (a > number), b - (b > number)] for a, b in block["back"] if number not in (a, b)]
        nodes = [node for n, node in enumerate(block["nodes"]) if n != number]
        yield [{**block, "nodes": nodes, "flows": moved, "back": back}]
    for flow in block["flows"]:
        flows = [other for other in block["flows"] if other != flow]
        sources, targets = {a for a, _ in flows}, {b for _, b in flows}
        if flow[0] in sources and flow[1] in targets:
            yield [{**block, "flows": flows}]
    for number, node in enumerate(block["nodes"]):
        if node["k"] != "none":
            nodes = list(block["nodes"])
            nodes[number] = {**node, "k": "none" if node["k"] in ("script", "user") else "user"}
            yield [{**block, "nodes": nodes}]
