"""Writes a random graph of `graphs` after the part that a scope of `writing` has written so far."""

from __future__ import annotations

from typing import Any

from .drawing import Ends

_GATEWAYS = {"xor": "exclusiveGateway", "and": "parallelGateway", "incl": "inclusiveGateway"}


def write_graph(scope: Any, block: dict[str, Any], ends: Ends) -> Ends:
    """Write nodes and flows, with a join before and a split after each node that needs one."""
    key = f"g{block['id']}"
    last = len(block["nodes"]) - 1
    into: dict[int, Ends] = {number: [] for number in range(len(block["nodes"]))}
    scope.writer.data[key] = {"v": block["pick"]}
    loops = [(j, i) for j, i in block.get("back", ())]
    for number, node in enumerate(block["nodes"]):
        name = f"{key}n{number}"
        before = scope.drawn.merged(ends, f"{name}m") if number == 0 else into[number]
        if len(before) > 1:
            scope.drawn.node(_GATEWAYS[node["join"]], f"{name}j")
            scope.drawn.connect(before, f"{name}j")
            before = [(f"{name}j", "", False)]
        if any(i == number for _, i in loops):
            scope.drawn.node("exclusiveGateway", f"{name}h")
            scope.drawn.connect(before, f"{name}h")
            before = [(f"{name}h", "", False)]
        after = scope.sequence([{"k": node["k"], "id": f"{block['id']}n{number}"}], before)
        for j, i in loops:
            if j == number:
                after = _back(scope, f"{name}b", f"{key}n{i}h", after)
        targets = [target for source, target in block["flows"] if source == number]
        if number == last or len(targets) == 1:
            outs = after
        else:
            scope.drawn.node(_GATEWAYS[node["split"]], f"{name}s")
            scope.drawn.connect(after, f"{name}s")
            outs = _outs(f"{name}s", key, node["split"], len(targets))
        if number == last:
            return outs
        for way, target in zip(outs if len(targets) > 1 else outs * len(targets), targets, strict=True):
            into[target].append(way)
    return []


def _outs(split: str, variable: str, kind: str, count: int) -> Ends:
    if kind == "and":
        return [(split, "", False)] * count
    sign = "==" if kind == "xor" else "<"
    return [(split, f"{variable}.v {sign} {number + (kind == 'incl')}", False) for number in range(count - 1)] + [
        (split, "", True)
    ]


def _back(scope: Any, name: str, head: str, ends: Ends) -> Ends:
    """Once back to *head* past a user task, then on."""
    counter = name
    scope.writer.data[counter] = 0
    scope.drawn.node("exclusiveGateway", f"{name}x")
    scope.drawn.connect(ends, f"{name}x")
    again = scope._user({"k": "user", "id": f"{name}u"}, [(f"{name}x", f"{counter} < 1", False)])
    scope.drawn.node("scriptTask", f"{name}c", f"<bpmn:script>{counter} = {counter} + 1</bpmn:script>")
    scope.drawn.connect(again, f"{name}c")
    scope.drawn.flow(f"{name}c", head)
    return [(f"{name}x", "", True)]
