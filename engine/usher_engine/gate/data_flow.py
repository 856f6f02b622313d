"""Follows the data of a case over the graph of a process: which names each element finds, and of what shape.

It goes along the flows until nothing changes, over loops, branches side by side, sub-processes and what interrupts
them. `data_readings.py` says what one element does, `data_findings.py` what is wrong where.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce

from usher_engine.definitions import Flow, Node
from usher_engine.dmn import Decisions
from usher_engine.expressions import Known, KnownData, after_condition, both, changes, either

from .data_readings import CANCELLED, ERROR, Inside, Note, Reading, after_items, items_data, passed
from .finding_order import in_flow_order
from .process_graph import Sheet
from .side_by_side import side_by_side

_EXCLUSIVE = ("exclusiveGateway", "inclusiveGateway")
_MOST_PASSES = 30
_PASSES_WITH_SHAPES = 8


@dataclass
class ProcessFlow:
    """
    The data at each place of one process.

    ``entered`` maps each element that can be reached to the data with which it is entered, ``left`` to those after it,
    ``ends`` each sub-process to those at its end, and ``sets`` each element to what it, or anything inside it, may
    set. ``called`` maps the processes of calls to what they leave behind.
    """

    sheet: Sheet
    decisions: Decisions
    called: Mapping[str, KnownData] = field(default_factory=dict)
    entered: dict[str, KnownData] = field(default_factory=dict)
    left: dict[str, KnownData] = field(default_factory=dict)
    sets: dict[str, dict[str, Known]] = field(default_factory=dict)
    ends: dict[str, KnownData] = field(default_factory=dict)

    def run(self, first: KnownData) -> KnownData:
        """Follow the data from the start, where the case has *first*; return the data at the end."""
        for number in range(_MOST_PASSES):
            before = (dict(self.entered), {key: dict(known) for key, known in self.sets.items()})
            end = self._scope(self.sheet.process.id, first, {}, shapes=number < _PASSES_WITH_SHAPES)
            if before == (self.entered, self.sets):
                break
        return end

    @cached_property
    def _order(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(in_flow_order(self.sheet.process))}

    @cached_property
    def _beside(self) -> dict[str, Mapping[str, set[str]]]:
        return {scope: side_by_side(self.sheet, scope) for scope in self.sheet.scopes}

    def _scope(self, scope: str, first: KnownData, noise: Mapping[str, Known], *, shapes: bool) -> KnownData:
        """Pass the nodes of *scope* once, which begins with *first*; what runs beside it may set *noise*."""
        nodes = sorted(self.sheet.scopes.get(scope, ()), key=lambda node: self._order.get(node.id, 0))
        handlers = [node for node in nodes if "eventSubProcess" in node.markers]
        resident = dict(noise)
        for handler in handlers:
            if self._stays(handler):
                resident = _more(resident, self.sets.get(handler.id, {}))
        for node in nodes:
            if node in handlers:
                continue
            found = self._arriving(node, first)
            if found is not None:
                beside = self._set_by(self._beside[scope].get(node.id, set()))
                self._enter(node, found.perhaps(_more(resident, beside)), _more(resident, beside), shapes=shapes)
        for handler in handlers:
            begins = first.perhaps(_more(noise, self._set_by(n.id for n in nodes)))
            self._enter(handler, begins, noise, shapes=shapes)
        return self._end(scope, nodes, first)

    def _enter(self, node: Node, data: KnownData, noise: Mapping[str, Known], *, shapes: bool) -> None:
        """Enter *node* with *data*, and note what it sets and leaves."""
        data = self._settled(node.id, data, shapes=shapes)
        self.entered[node.id] = data
        after = self.through(node, data, noise, _no_note, shapes=shapes)
        self.sets[node.id] = _more(self.sets.get(node.id, {}), changes(data, after))
        self.left[node.id] = after

    def _settled(self, key: str, data: KnownData, *, shapes: bool) -> KnownData:
        """*data*; after many passes, without the shapes that still change, so that passes come to an end."""
        before = self.entered.get(key)
        if shapes or before is None:
            return data
        moved = {
            n: Known(certain=k.certain, first=k.first, tested=k.tested, deleted=k.deleted)
            for n, k in data.names.items()
            if before.names.get(n) != k
        }
        return data.knowing(moved)

    def through(
        self, node: Node, data: KnownData, noise: Mapping[str, Known], note: Note, *, shapes: bool = True
    ) -> KnownData:
        """The data after *node*; notes what it reads itself, not what the nodes inside it read."""
        begun = items_data(node, data, note)
        if node.repeat is not None:
            begun = begun.perhaps({n: k for n, k in self.sets.get(node.id, {}).items() if n not in begun.names})
        after = passed(self.sheet, node, self.decisions, begun, note, self._inside(node, noise, note, shapes=shapes))
        if node.repeat is None:
            return after
        if node.repeat.condition:
            counts = {name: Known() for name in ("numberOfInstances", "numberOfCompletedInstances")}
            seen = after.knowing(counts)
            what, source = "the condition", node.repeat.condition
            note(Reading(element=node.id, what=what, source=source, form="expression", data=seen))
        return after_items(node, data, after)

    def _inside(self, node: Node, noise: Mapping[str, Known], note: Note, *, shapes: bool) -> Inside | None:
        """What follows the data through *node*, if it is a sub-process or call."""
        if node.kind == "callActivity":
            return lambda data: _called(data, self.called.get(node.called))
        if node.kind != "subProcess":
            return None
        if note is not _no_note:
            return lambda data: self.ends.get(node.id, data)
        return lambda data: self._sub_process(node, data, noise, shapes=shapes)

    def _sub_process(self, node: Node, data: KnownData, noise: Mapping[str, Known], *, shapes: bool) -> KnownData:
        self.ends[node.id] = self._scope(node.id, data, noise, shapes=shapes)
        inside = self._set_by(inner.id for inner in self.sheet.scopes.get(node.id, ()))
        self.sets[node.id] = _more(self.sets.get(node.id, {}), inside)
        return self.ends[node.id]

    def _arriving(self, node: Node, first: KnownData) -> KnownData | None:
        """The data with which tokens arrive at *node*; None if none does, as far as is known."""
        found = [data for flow in self.sheet.incoming.get(node.id, ()) if (data := self.on_flow(flow)) is not None]
        if node.kind == "startEvent":
            return _triggered(node, first)
        if node.kind == "boundaryEvent":
            host = self.entered.get(node.attached_to)
            if host is None:
                return None
            return _triggered(node, host.perhaps(self.sets.get(node.attached_to, {})))
        if not found:
            return None
        return reduce(both if node.kind == "parallelGateway" else either, found)

    def on_flow(self, flow: Flow) -> KnownData | None:
        """The data of a token on *flow*; None if none gets there."""
        data = self.left.get(flow.source)
        if data is None:
            return None
        source = self.sheet.nodes.get(flow.source)
        if source is not None and source.default == flow.id and source.kind in _EXCLUSIVE:
            others = [way for way in self.sheet.outgoing.get(flow.source, ()) if way.condition and way is not flow]
            return reduce(lambda known, way: after_condition(way.condition or "", known, holds=False), others, data)
        return after_condition(flow.condition, data, holds=True) if flow.condition else data

    def _end(self, scope: str, nodes: list[Node], first: KnownData) -> KnownData:
        """The data when *scope* is over."""
        ends = [node.id for node in nodes if node.id in self.left and self._is_end(node)]
        if not ends:
            return first.perhaps(self._set_by(node.id for node in nodes))
        found = self.left[ends[0]]
        for place, key in enumerate(ends[1:], start=1):
            together = all(other in self._beside[scope].get(key, ()) for other in ends[:place])
            found = (both if together else either)(found, self.left[key])
        late = [node.id for node in nodes if "eventSubProcess" in node.markers and self._stays(node)]
        return found.perhaps(self._set_by(late))

    def _is_end(self, node: Node) -> bool:
        if "eventSubProcess" in node.markers:
            return not self._stays(node)
        return not self.sheet.outgoing.get(node.id)

    def _stays(self, handler: Node) -> bool:
        """Whether the event sub-process *handler* runs beside its scope instead of ending it."""
        starts = [node for node in self.sheet.scopes.get(handler.id, ()) if node.kind == "startEvent"]
        return any("nonInterrupting" in node.markers for node in starts)

    def _set_by(self, keys: Iterable[str]) -> dict[str, Known]:
        return reduce(_more, (self.sets.get(key, {}) for key in keys), {})


def _no_note(_reading: Reading) -> None:
    """Readings do not count while the data still change."""


def _triggered(node: Node, data: KnownData) -> KnownData:
    """The data with which an event that catches begins."""
    if "error" in node.events:
        return data.having("error", ERROR)
    if "escalation" in node.events:  # one with the code “cancel” is fired by staff, or thrown
        names = {"escalation": ERROR, "cancelled": CANCELLED} if "cancel" in node.codes else {"escalation": ERROR}
        certain = len(names) == 1
        return data.knowing({n: Known(shape, certain=certain, tested=True) for n, shape in names.items()})
    return data


def _called(data: KnownData, left: KnownData | None) -> KnownData:
    """*data* after a called process, which alone would have *left* its names behind."""
    if left is None:
        return data
    certain = {name: known for name, known in left.names.items() if known.certain and not known.first}
    perhaps = {name: known for name, known in left.names.items() if name not in certain and known != Known(first=True)}
    return data.perhaps(perhaps).knowing(certain)


def _more(first: Mapping[str, Known], second: Mapping[str, Known]) -> dict[str, Known]:
    """What either of two places may set."""
    if not second:
        return dict(first)
    joined = KnownData(first, closed=True).perhaps({n: k for n, k in second.items() if n in first})
    return {**second, **joined.names}
