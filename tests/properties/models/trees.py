"""Random processes as JSON trees of nested blocks, so that `shrinking` can drop parts while a failure stays.

A block is a dict with its kind ``k``, its number ``id``, and its inner sequences ``in``. Each element that throws or
ends a scope early follows a separate user task: two of them in one command would race, and BPMN does not define which
wins. `writing` turns a tree into BPMN.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from .graphs import random_graph, read
from .soundness import TooMany, fault
from .writing import write

Block = dict[str, Any]
Sequence = list[Block]

#: Blocks where a token rests until an answer, and those it passes at once.
LEAVES = ("user", "user", "user", "script", "manual", "service", "timer", "message", "receive", "send", "none", "link")
BLOCKS = ("xor", "xor", "and", "and", "incl", "incl", "loop", "sub", "sub", "sub", "call", "call", "event", "graph")
#: What a boundary event may catch on each kind of activity, and an event sub-process anywhere.
BOUNDARIES = {
    "user": ("timer", "message", "cancel"),
    "manual": ("timer", "message"),
    "service": ("timer", "message", "error"),
    "receive": ("timer", "message"),
    "send": ("timer", "message"),
    "sub": ("timer", "message", "error", "escalation"),
    "call": ("timer", "message", "error", "escalation"),
}
REPEATABLE = ("user", "manual", "script", "service", "sub", "call")


@dataclass(frozen=True, kw_only=True)
class Around:
    """
    The surroundings of a place in the tree.

    ``errors`` and ``escalations`` are the codes caught further out. ``ends``: a token may end here alone. ``leaves``:
    it may end everything, since an inclusive join does not wait for a token that cannot reach it. ``loops``: a way
    leads back to here. ``known`` are the answers that are certain to exist.
    """

    depth: int = 0
    errors: frozenset[str] = frozenset()
    escalations: frozenset[str] = frozenset()
    ends: bool = True
    leaves: bool = True
    loops: bool = False
    known: tuple[int, ...] = ()


class Generator:
    """Makes trees of about *size* blocks; the same seed makes the same tree."""

    def __init__(self, seed: int | str, size: int) -> None:
        self.random = Random(f"tree {seed}")
        self.left = size
        self.last = 0

    def tree(self) -> Block:
        """A whole process."""
        return self._scope("process", Around())

    def _id(self) -> int:
        self.last += 1
        return self.last

    def _scope(self, kind: str, around: Around) -> Block:
        """A process, sub-process or call, with the event sub-processes in it."""
        block: Block = {"k": kind, "id": self._id(), "beside": []}
        inner = replace(around, depth=around.depth + 1, ends=True, leaves=True, loops=False)
        if self._chance(0.3):
            block["beside"] = self._catchers(("timer", "message", "error", "escalation"), inner, 2)
            inner = _within(inner, block["beside"])
        body = self._sequence(inner, least=1)
        if self._chance(0.15):
            body.append(self._leave(inner))
        block["in"] = [body]
        return block

    def _sequence(self, around: Around, *, least: int = 0) -> Sequence:
        found: Sequence = []
        wanted = max(least, self.random.choice((0, 1, 1, 2, 2, 3)))
        while len(found) < wanted and (self.left > 0 or len(found) < least):
            block = self._block(around)
            found.append(block)
            around = replace(around, known=(*around.known, *_answers(block)))
        return found

    def _block(self, around: Around) -> Block:
        self.left -= 1
        if self.left <= 2 or around.depth > 6 or self._chance(0.4):
            return self._leaf(around)
        kind = self.random.choice(BLOCKS)
        match kind:
            case "sub" | "call":
                return self._activity(kind, around)
            case "graph":
                return self._graph(around)
            case "loop":
                return self._loop(around)
            case "event":
                return self._choice_of_events(around)
        return self._gateway(kind, around)

    # leaves

    def _leaf(self, around: Around) -> Block:
        if around.escalations and self._chance(0.2):
            return {"k": "escalate", "id": self._id(), "code": self._one(around.escalations)}
        kind = self.random.choice(LEAVES)
        block: Block = {"k": kind, "id": self._id()}
        return self._with_bounds(self._with_repeat(block, 0.12), around, 0.15)

    def _leave(self, around: Around) -> Block:
        """The end of a path before its scope is over."""
        ways = ["terminate", *(["error"] if around.errors else []), *(["end"] if around.ends else [])]
        ways += ["escalation"] if around.ends and around.escalations else []
        how = self.random.choice(ways)
        codes = around.errors if how == "error" else around.escalations
        return {"k": "leave", "id": self._id(), "how": how, "code": self._one(codes) if how[1:2] in "rs" else ""}

    # activities

    def _activity(self, kind: str, around: Around) -> Block:
        bounds = self._catchers(BOUNDARIES[kind], around, 2) if self._chance(0.5) else []
        inner = _within(around, bounds)
        block = self._scope(kind, inner)
        block["bounds"] = bounds
        return self._with_repeat(block, 0.25)

    def _with_bounds(self, block: Block, around: Around, chance: float) -> Block:
        if block["k"] in BOUNDARIES and self._chance(chance):
            block["bounds"] = self._catchers(BOUNDARIES[block["k"]], around, 2)
        return block

    def _with_repeat(self, block: Block, chance: float) -> Block:
        if block["k"] in REPEATABLE and self._chance(chance):
            how = self.random.choice(("parallel", "parallel", "sequential", "loop"))
            block["repeat"] = {
                "how": how,
                "times": self.random.choice((1, 2, 2, 3, 0) if how != "loop" else (1, 2, 3)),
                "list": self._chance(0.5),
                "output": block["k"] == "user" and self._chance(0.3),
                "enough": self.random.choice((0, 0, 0, 1, 2)),
            }
        return block

    def _catchers(self, possible: tuple[str, ...], around: Around, most: int) -> list[Block]:
        """Boundary events or event sub-processes, each for a different event."""
        found: list[Block] = []
        for kind in self.random.sample(possible, k=min(len(possible), self.random.randint(1, most))):
            errors = ("no",) if possible == BOUNDARIES["service"] else ("E1", "E2", "no")
            codes = {"error": errors, "escalation": ("S1", "S2"), "cancel": ("cancel",)}.get(kind, ("",))
            stops = kind in ("error", "cancel") or self._chance(0.5)
            code = self.random.choice(codes)
            inner = replace(around, depth=around.depth + 1, ends=around.ends or not stops,
                            leaves=around.leaves or not stops)  # fmt: skip
            if kind == "escalation":  # its handler may throw it again, outwards
                inner = replace(inner, escalations=inner.escalations | {code})
            found.append({
                "k": "catch", "id": self._id(), "on": kind, "stops": stops, "code": code,
                "cycle": kind == "timer" and not stops and self._chance(0.5), "in": [self._sequence(inner)],
            })  # fmt: skip
        return found

    # gateways

    def _gateway(self, kind: str, around: Around) -> Block:
        inner = replace(around, depth=around.depth + 1, ends=around.ends and kind == "xor",
                        leaves=around.leaves and kind != "incl")  # fmt: skip
        branches = [self._sequence(inner) for _ in range(self.random.choice((2, 2, 3)))]
        for branch in branches[1:] if kind == "xor" and around.leaves else ():
            if self._chance(0.25):
                branch.append(self._leave(inner))
        reads = self.random.choice(around.known) if around.known and self._chance(0.6) else None
        picks = [self.random.randint(0, 1) for _ in branches]
        return {"k": kind, "id": self._id(), "in": branches, "reads": reads, "pick": self.random.randint(0, 2),
                "picks": picks, "bare": self._chance(0.4)}  # fmt: skip

    def _graph(self, around: Around) -> Block:
        """A graph that is sound in its place."""
        while True:
            block = {"k": "graph", "id": self._id(), **random_graph(self.random, self.random.randint(4, 8))}
            if is_sound(block, loops=around.loops):
                return block

    def _loop(self, around: Around) -> Block:
        inner = replace(around, depth=around.depth + 1, loops=True)
        body = [{"k": self.random.choice(("user", "timer", "message")), "id": self._id()}]
        body = [*self._sequence(inner), *body, *self._sequence(inner)]
        times = self.random.choice((1, 2, 2, 3))
        return {"k": "loop", "id": self._id(), "in": [body], "times": times, "while": self._chance(0.4)}

    def _choice_of_events(self, around: Around) -> Block:
        inner = replace(around, depth=around.depth + 1)
        branches = [self._sequence(inner) for _ in range(self.random.choice((2, 2, 3)))]
        kinds = [self.random.choice(("timer", "message", "receive")) for _ in branches]
        return {"k": "event", "id": self._id(), "in": branches, "kinds": kinds, "picks": [self._id() for _ in branches]}

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _one(self, codes: frozenset[str]) -> str:
        return self.random.choice(sorted(codes))


def process_of(*blocks: Block) -> Block:
    """A process with nothing but *blocks* in it."""
    return {"k": "process", "id": 0, "in": [list(blocks)], "beside": []}


def is_sound(graph: Block, *, loops: bool) -> bool:
    """
    Whether one token that enters *graph* always leaves it as one.

    In a loop, an inclusive join in it may wait for less: a token before the join could then reach any of its ways in,
    so it no longer holds the join back (BPMN 2.0.2, table 13.3).
    """
    alone = [graph, {"k": "user", "id": 0}]
    faults = [fault_of(process_of(*alone))]
    if loops and not faults[0]:
        faults.append(fault_of(process_of({"k": "loop", "id": "r", "in": [alone], "times": 1, "while": False})))
    return not any(faults)


def fault_of(tree: Block) -> str:
    """Return why a process without sub-processes is unsound, or ""."""
    try:
        return fault(read(write(tree).xml)[0])
    except TooMany:
        return "too many paths to play"


def _within(around: Around, catchers: list[Block]) -> Around:
    """Return *around* inside the activity with these catchers."""
    errors = {one["code"] for one in catchers if one["on"] == "error"}
    escalations = {one["code"] for one in catchers if one["on"] == "escalation"}
    return replace(around, errors=around.errors | errors, escalations=around.escalations | escalations)


def _answers(block: Block) -> tuple[int, ...]:
    """Return the user tasks certain to be answered, with their answers in the case, once a token leaves *block*."""
    if block.get("repeat") or any(one["stops"] for one in block.get("bounds", ())):
        return ()
    match block["k"]:
        case "user":
            return (block["id"],)
        case "and" | "loop":
            return tuple(key for branch in block["in"] for inner in branch for key in _answers(inner))
    return ()


def blocks_of(tree: Block) -> Iterator[Block]:
    """*tree* and every block inside it."""
    yield tree
    for branch in tree.get("in", ()):
        for block in branch:
            yield from blocks_of(block)
    for catcher in (*tree.get("bounds", ()), *tree.get("beside", ())):
        yield from blocks_of(catcher)


def is_well_formed(block: Block, *, ends: bool = True, leaves: bool = True, loops: bool = False) -> bool:
    """Whether every branch of a fork reaches its join, if it must, and graphs are sound; see `Around`."""
    kind = block["k"]
    if kind == "graph":
        return is_sound(block, loops=loops)
    if kind == "leave":
        return leaves and (ends or block["how"] in ("terminate", "error"))
    if kind in ("and", "incl") and any(map(_leaves, block["in"])):
        return False
    scope = kind in ("process", "sub", "call")
    inner = {"ends": scope or (ends and kind not in ("and", "incl")), "leaves": scope or (leaves and kind != "incl"),
             "loops": (loops and not scope) or kind == "loop"}  # fmt: skip
    around = [(one, {"ends": ends or not one["stops"], "leaves": leaves or not one["stops"], "loops": loops})
              for one in block.get("bounds", ())]  # fmt: skip
    around += [(one, {}) for one in block.get("beside", ())]
    around += [(one, inner) for branch in block.get("in", ()) for one in branch]
    return all(is_well_formed(one, **may) for one, may in around)


def _leaves(branch: Sequence) -> bool:
    """Whether no token leaves *branch*."""
    return any(
        one["k"] == "leave" or (one["k"] in ("xor", "event", "loop") and all(map(_leaves, one["in"])))
        for one in branch
    )
