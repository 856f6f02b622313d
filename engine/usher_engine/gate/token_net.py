"""One scope of a process as a net: a token moves or rests on arcs, between spots where paths split or join.

Each arc keeps the elements on it, so a path can be named even after several arcs were fused into one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from usher_engine.definitions import Node

from .process_graph import Sheet, throws_message

#: ``xor``: an arriving token takes one way out. ``stop`` ends everything. ``outside`` never holds a token.
Kind: TypeAlias = Literal["start", "xor", "and", "or", "end", "stop", "outside"]

_GATEWAYS: dict[str, Kind] = {"exclusiveGateway": "xor", "eventBasedGateway": "xor"}
_GATEWAYS |= {"parallelGateway": "and", "inclusiveGateway": "or"}
_AUTOMATIC = {*("startEvent", "scriptTask", "boundaryEvent", "intermediateThrowEvent")}
START, OUTSIDE = "start of the game", "outside of the game"


@dataclass(frozen=True, slots=True)
class Spot:
    """*label* is the element the spot represents; *drawn* means that it represents the whole element."""

    kind: Kind
    label: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Arc:
    """*passed* are its elements and flows, *waits* the first element where a token rests, *last* the last element."""

    id: str
    source: str
    target: str
    passed: tuple[str, ...] = ()
    waits: str = ""
    last: str = ""


@dataclass
class Net:
    spots: dict[str, Spot] = field(default_factory=dict)
    arcs: dict[str, Arc] = field(default_factory=dict)
    _out: dict[str, dict[str, None]] = field(default_factory=dict)
    _in: dict[str, dict[str, None]] = field(default_factory=dict)

    def out(self, spot: str) -> list[Arc]:
        return [self.arcs[key] for key in self._out.get(spot, ())]

    def into(self, spot: str) -> list[Arc]:
        return [self.arcs[key] for key in self._in.get(spot, ())]

    def current_arcs(self) -> Iterator[Arc]:
        """Yield each arc in its current form; skip arcs dropped during the iteration."""
        for key in list(self.arcs):
            if arc := self.arcs.get(key):
                yield arc

    def put(self, arc: Arc) -> None:
        """Add *arc*, or replace the arc with its id at the same position among the ways out of its source."""
        old = self.arcs.get(arc.id, arc)
        if old.source != arc.source:
            del self._out[old.source][arc.id]
        if old.target != arc.target:
            del self._in[old.target][arc.id]
        self.arcs[arc.id] = arc
        self._out.setdefault(arc.source, {})[arc.id] = None
        self._in.setdefault(arc.target, {})[arc.id] = None

    def drop(self, key: str) -> None:
        arc = self.arcs.pop(key)
        del self._out[arc.source][key]
        del self._in[arc.target][key]

    def join_arcs(self, first: Arc, second: Arc) -> Arc:
        """Return *first* and *second*, with the spot between them, as one arc with the id of *first*."""
        between = self.spots[first.target]
        own = (between.label,) if between.drawn else ()
        return Arc(
            id=first.id,
            source=first.source,
            target=second.target,
            passed=(*first.passed, *own, *second.passed),
            waits=first.waits or second.waits,
            last=second.last or (between.label if between.drawn else first.last),
        )

    def fuse(self) -> bool:
        """Fuse the two arcs at every spot with one way in and one way out; return whether there was one."""
        changed = False
        for key in list(self.spots):
            before, after = self.into(key), self.out(key)
            if len(before) == len(after) == 1 and before != after:
                self.drop(after[0].id)
                self.put(self.join_arcs(before[0], after[0]))
                del self.spots[key]
                changed = True
        return changed

    def copy(self) -> Net:
        out, into = ({key: dict(ids) for key, ids in side.items()} for side in (self._out, self._in))
        return replace(self, spots=dict(self.spots), arcs=dict(self.arcs), _out=out, _in=into)


def net_of(sheet: Sheet, nodes: Iterable[Node], first: str) -> Net:
    """Return the net of those *nodes* that a token starting at *first* can reach."""
    inside = {node.id: node for node in nodes}
    net = Net(spots={START: Spot("start", first), OUTSIDE: Spot("outside", "")})
    net.put(Arc(START, START, first))
    reached = _reachable(sheet, first)
    for key in reached:
        _add(net, sheet, inside[key])
    for way in sheet.ways:
        if way.source in reached:
            net.put(Arc(way.id, _exit(net, way.source), way.target, passed=(way.id,)))
        elif way.target in reached and net.spots[way.target].kind == "and":
            net.put(Arc(way.id, OUTSIDE, way.target, passed=(way.id,), last=way.source))
    net.fuse()
    return net


def _reachable(sheet: Sheet, first: str) -> dict[str, None]:
    reached: dict[str, None] = {}
    waiting = [first]
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached[key] = None
            waiting += (way.target for way in sheet.outgoing.get(key, ()))
            waiting += (event.id for event in interrupting(sheet.boundaries, key))
    return reached


def interrupting(boundaries: Mapping[str, list[Node]], key: str) -> Iterator[Node]:
    yield from (event for event in boundaries.get(key, ()) if "nonInterrupting" not in event.markers)


def _add(net: Net, sheet: Sheet, node: Node) -> None:
    """Add *node*: a gateway or end event as one spot, anything else as an entry, an exit and the arc between them."""
    if node.kind == "endEvent":
        ends = bool({"terminate", "error"} & set(node.events))
        net.spots[node.id] = Spot("stop" if ends else "end", node.id, drawn=True)
    elif node.kind in _GATEWAYS:
        net.spots[node.id] = Spot(_GATEWAYS[node.kind], node.id, drawn=True)
    else:
        passes = (node.kind in _AUTOMATIC and not throws_message(node)) or node.events == ("link",)
        way_out = f"{node.id} out"
        net.spots |= {node.id: Spot("xor", node.id), way_out: Spot("xor", node.id)}
        rests = "" if passes else node.id
        net.put(Arc(f"{node.id} in", node.id, way_out, passed=(node.id,), waits=rests, last=node.id))
        for event in interrupting(sheet.boundaries, node.id):
            net.put(Arc(f"{node.id} {event.id}", way_out, event.id))


def _exit(net: Net, key: str) -> str:
    return f"{key} out" if f"{key} out" in net.spots else key
