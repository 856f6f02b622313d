"""Compiles a process package: SpiffWorkflow's specs, and the facts about each element that events need.

Each content hash is compiled once. ``elements`` and ``flows`` are those that will really run; the gate compares them
with those in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.unstructured_join import UnstructuredJoin
from SpiffWorkflow.spiff.parser.process import VALIDATOR

from ..core.errors import InvalidDefinition
from ..definitions import FLOW_NODES, Package, StartDeclaration, parse_xml, read_start
from ..dmn import Decisions, compile_decisions
from .catch_events import UsherBoundaryEvent, UsherEventGateway, UsherEventSubprocess
from .event_definitions import ESCALATION, Trigger
from .gateways import Join, know_the_flow
from .multi_instance import Repeated
from .spec_parser import UsherParser
from .step_context import FIRST_RULES

#: Names of the library's helper specs, and the replacement for an element with such an id during compilation.
LIBRARY_NAMES = frozenset({"Start", "End", "Root"})
RENAMED = "..element"
#: Name of the flows that replace links; no file and no event contains them.
LINK = "..link"

#: How the library reports an exception it did not expect; not helpful to readers.
RAISED = re.compile(r"[A-Za-z.]+\(.*\)$")

#: Elements for drawn data; case data are variables that every element can read.
DRAWN_DATA = (
    *("dataObject", "dataObjectReference", "dataStore", "dataStoreReference"),
    *("dataInputAssociation", "dataOutputAssociation"),
)

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_NODES = [f"{{{BPMN}}}{kind}" for kind in FLOW_NODES]


@dataclass(frozen=True, kw_only=True)
class Element:
    """
    The facts about one flow node that the library's spec lacks.

    ``armed``: it waits before a token enters it. ``variable``: where its answer or message goes.
    """

    id: str
    name: str
    tag: str
    lane: str = ""
    documentation: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    instructions: str = ""
    manual: bool = False
    armed: bool = False
    joins: bool = False
    cancel: bool = False
    operator: str = ""
    variable: str = ""


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """
    A compiled diagram.

    ``waits``: something in it waits for a time or message. ``repeats``: it has a repeated activity. ``has_handlers``:
    an event in it can start work in parallel to the flow. ``forks``: it splits or joins the flow. Branches share their
    changes.

    ``flows`` maps (source, target) to the sequence flow between them; ``flow_names`` has only flows with a name.
    """

    package: Package
    spec: Any
    subprocess_specs: dict[str, Any]
    elements: dict[str, Element]
    flows: dict[tuple[str, str], str]
    flow_names: dict[str, str] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=Decisions)
    waits: bool = False
    repeats: bool = False
    has_handlers: bool = False
    forks: bool = False
    joins: bool = False

    @cached_property
    def start(self) -> StartDeclaration:
        """What its start event declares; read on first use."""
        return read_start(self.package)

    def shares(self, rules: int) -> bool:
        """Whether branches share their changes; under the first rules, branches of a fork do not."""
        return self.has_handlers or (self.forks and rules > FIRST_RULES)

    def is_armed(self, task_spec: Any) -> bool:
        element = self.elements.get(task_spec.bpmn_id)
        return element is not None and element.armed


def schema_problems(tree: Any) -> list[tuple[str, int, str]]:
    """Return every violation of the BPMN 2.0 schema in *tree* as (message, line, XPath of the element)."""
    VALIDATOR.preprocess(tree)
    VALIDATOR.validator.validate(tree)
    return [(str(e.message), int(e.line), str(e.path or "")) for e in VALIDATOR.validator.error_log]


def compile_diagram(package: Package) -> Diagram:
    """
    Parse the package's BPMN files with the engine that will run them.

    Raises:
        InvalidDefinition: The engine cannot run it; ``problems`` names the element if known.
    """
    trees = [parse_xml(package.files[name], name) for name in sorted(package.files) if name.endswith(".bpmn")]
    for tree in trees:
        _leave_out_data(tree)
        _replace_links(tree)
        _rename_reserved(tree)
    spec, subprocess_specs = _specs(trees, package.key)
    nodes = {node.get("id"): node for tree in trees for node in tree.iter(*_NODES)}
    owners = (spec, *subprocess_specs.values())
    specs = {s.bpmn_id: s for owner in owners for s in _drawn_specs(owner)}
    elements = {key: _element(nodes[key], task_spec) for key, task_spec in specs.items() if key in nodes}
    every = [s for owner in owners for s in _drawn_specs(owner)]
    for task_spec in every:
        task_spec.bpmn_id = _original_id(task_spec.bpmn_id)
    for repeated in (s for s in every if isinstance(s, Repeated)):
        repeated.listen()
    has_handlers = any(_runs_in_parallel(task_spec) for task_spec in every)
    for owner in owners:
        owner.end.shares = has_handlers
        know_the_flow(owner)
    return Diagram(
        package=package,
        spec=spec,
        subprocess_specs=subprocess_specs,
        elements={element.id: element for element in elements.values()},
        flows=_flows(trees, owners),
        flow_names={
            str(flow.get("id")): name
            for tree in trees
            for flow in tree.iter(f"{{{BPMN}}}sequenceFlow")
            if (name := (flow.get("name") or "").strip())
        },
        decisions=compile_decisions(package),
        waits=any(_waits(task_spec) for task_spec in every),
        repeats=any(isinstance(task_spec, Repeated) for task_spec in every),
        has_handlers=has_handlers,
        forks=any(isinstance(task_spec, Join) and len(task_spec._outputs) > 1 for task_spec in every),
        joins=any(isinstance(task_spec, Join) and len(task_spec._inputs) > 1 for task_spec in every),
    )


def _specs(trees: list[Any], key: str) -> tuple[Any, dict[str, Any]]:
    """Return the library's specs of process *key* and its sub-processes; raise `InvalidDefinition`."""
    parser = UsherParser()
    try:
        for tree in trees:
            parser.add_bpmn_xml(tree)
        return parser.get_spec(key), parser.get_subprocess_specs(key)
    except ValidationException as error:
        element = str(getattr(error, "tag", "") or getattr(error, "id", "") or key)
        raise InvalidDefinition(problems=[(getattr(error, "id", None) or element, _plain_message(error))]) from error
    except Exception as error:  # the library's parser fails in many ways on foreign files; catch all
        message = f"The engine cannot read this diagram ({type(error).__name__})."
        raise InvalidDefinition(problems=[(key, message)]) from error


def _leave_out_data(tree: Any) -> None:
    """Remove drawn data elements; the library would read and write their data."""
    for node in list(tree.iter(*(f"{{{BPMN}}}{kind}" for kind in DRAWN_DATA))):
        node.getparent().remove(node)


def _replace_links(tree: Any) -> None:
    """Replace each link with a flow; tokens pass the events at its ends like events without a trigger."""
    ends = {kind: {} for kind in ("intermediateThrowEvent", "intermediateCatchEvent")}  # type: dict[str, dict[Any, Any]]
    for link in list(tree.iter(f"{{{BPMN}}}linkEventDefinition")):
        event = link.getparent()
        kind = event.tag.rpartition("}")[2]
        if kind in ends:
            ends[kind][event] = (event.getparent(), link.get("name"))
            event.remove(link)
    for number, (event, place) in enumerate(ends["intermediateThrowEvent"].items()):
        for caught in (other for other, end in ends["intermediateCatchEvent"].items() if end == place):
            flow = {"id": f"{LINK}{number}", "sourceRef": event.get("id"), "targetRef": caught.get("id")}
            event.getparent().append(event.makeelement(f"{{{BPMN}}}sequenceFlow", flow))


def _rename_reserved(tree: Any) -> None:
    """Rename elements that have the name of a library spec, which would replace them; flows have no spec."""
    taken = LIBRARY_NAMES - {flow.get("id") for flow in tree.iter(f"{{{BPMN}}}sequenceFlow")}
    for node in tree.iter():
        for name, value in node.attrib.items():
            if value in taken and name in ("id", "sourceRef", "targetRef", "attachedToRef", "bpmnElement"):
                node.set(name, value + RENAMED)
        if node.text in taken and str(node.tag).endswith(("flowNodeRef", "incoming", "outgoing")):
            node.text += RENAMED


def _original_id(element: str) -> str:
    """Return the id of an element in the file."""
    return element.removesuffix(RENAMED)


def _plain_message(error: ValidationException) -> str:
    text = str(error.args[0] if error.args else "").split("\n")[0]
    return "The engine cannot run this element." if not text or RAISED.match(text) else text


def _drawn_specs(owner: Any) -> Iterator[Any]:
    """Yield the specs of *owner* for drawn elements, without the library's helpers."""
    return (task_spec for task_spec in owner.task_specs.values() if getattr(task_spec, "bpmn_id", None))


def _element(node: Any, task_spec: Any) -> Element:
    extensions = getattr(task_spec, "extensions", None) or {}
    tag = node.tag.rpartition("}")[2]
    own, properties = _original_id(task_spec.bpmn_id), dict(extensions.get("properties") or {})
    return Element(
        id=own,
        name=(node.get("name") or "").strip(),
        tag=tag,
        lane=task_spec.lane or "",
        documentation=(task_spec.documentation or "").strip(),
        properties=properties,
        instructions=(extensions.get("instructionsForEndUser") or "").strip(),
        manual=bool(task_spec.manual),
        armed=isinstance(task_spec, UsherBoundaryEvent | UsherEventSubprocess),
        joins=isinstance(task_spec, UnstructuredJoin) and len(task_spec._inputs) > 1,
        cancel=any(_is_cancel(event.event_definition) for event in _boundary_events(task_spec)),
        operator=str(getattr(task_spec, "operation_name", "")),
        variable=str(properties.get("resultVariable") or getattr(task_spec, "result_variable", "") or own),
    )


def _boundary_events(task_spec: Any) -> list[Any]:
    split = task_spec._wf_spec.task_specs.get(f"{task_spec.bpmn_id}.BoundaryEventSplit")
    return [s for s in split.outputs if isinstance(s, UsherBoundaryEvent)] if split else []


def _is_cancel(trigger: Any) -> bool:
    return isinstance(trigger, Trigger) and trigger.kind == ESCALATION and trigger.code == "cancel"


def _runs_in_parallel(task_spec: Any) -> bool:
    """Whether *task_spec* may run in parallel to the flow."""
    if isinstance(task_spec, UsherEventSubprocess):
        return True
    return isinstance(task_spec, UsherBoundaryEvent) and not task_spec.cancel_activity


def _waits(task_spec: Any) -> bool:
    """Whether a time or message triggers *task_spec*."""
    if isinstance(task_spec, UsherEventGateway):
        return True
    if isinstance(task_spec, UsherEventSubprocess):
        return task_spec.trigger.waits
    trigger = task_spec.event_definition if isinstance(task_spec, CatchingEvent) else None
    return isinstance(trigger, Trigger) and trigger.waits


def _flows(trees: list[Any], owners: tuple[Any, ...]) -> dict[tuple[str, str], str]:
    """Return the sequence flows in the files that the specs really follow."""
    followed = {(s.bpmn_id, target) for owner in owners for s in _drawn_specs(owner) for target in _targets(s, set())}
    drawn = {
        (_original_id(flow.get("sourceRef")), _original_id(flow.get("targetRef"))): flow.get("id")
        for tree in trees
        for flow in tree.iter(f"{{{BPMN}}}sequenceFlow")
        if not flow.get("id").startswith(LINK)
    }
    return {ends: flow for ends, flow in drawn.items() if ends in followed}


def _targets(task_spec: Any, seen: set[str]) -> Iterator[str]:
    """Yield the ids of the drawn elements that follow *task_spec*, skipping the library's helper specs."""
    for following in task_spec.outputs:
        if following.name in seen:
            continue
        seen.add(following.name)
        if getattr(following, "bpmn_id", None):
            yield following.bpmn_id
        else:
            yield from _targets(following, seen)
