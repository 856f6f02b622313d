"""Checks the gate's findings on other tools' files against an independent walk of the file.

`judge` reads the file with another parser and lists everything that changes how it runs according to BPMN. Each item
must be in the compiled diagram or in a finding. A file that the gate accepts must also start and run.
"""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from usher_engine.bpmn import Diagram, compile_diagram
from usher_engine.core.errors import EngineError, InvalidDefinition
from usher_engine.definitions import Finding, Package, parse_xml
from usher_engine.examples.player import Player
from usher_engine.gate import admit
from usher_engine.services import Mode, Operator, Services

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
SPIFF = "{http://spiffworkflow.org/bpmn/schema/1.0/core}"
FLOW_NODES = {
    *("task", "userTask", "manualTask", "serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask"),
    *("callActivity", "callChoreography", "choreographyTask", "subChoreography", "event", "implicitThrowEvent"),
    *("startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"),
    *("exclusiveGateway", "inclusiveGateway", "parallelGateway", "complexGateway", "eventBasedGateway"),
    *("subProcess", "adHocSubProcess", "transaction"),
}
#: Elements below a process that are in the compiled diagram, or only describe or draw.
QUIET = {
    *("documentation", "extensionElements", "incoming", "outgoing", "laneSet", "lane", "flowNodeRef", "childLaneSet"),
    *("sequenceFlow", "conditionExpression", "script", "multiInstanceLoopCharacteristics", "loopDataInputRef"),
    *("standardLoopCharacteristics", "loopCondition", "loopCardinality", "completionCondition", "inputDataItem"),
    *("loopDataOutputRef", "outputDataItem", "timerEventDefinition", "timeDuration", "timeDate", "timeCycle"),
    *("messageEventDefinition", "errorEventDefinition", "escalationEventDefinition", "terminateEventDefinition"),
    *("textAnnotation", "text", "association", "group", "categoryValueRef", "auditing", "monitoring"),
    *("linkEventDefinition", "source", "target"),
}
#: Reported once for all elements of a type.
DRAWN = {"dataObject", "dataObjectReference", "dataStoreReference", "dataInputAssociation", "dataOutputAssociation"}
DRAWN |= {"property", "sourceRef", "targetRef"}
#: Attributes that change how an element runs, with the values that need no finding.
MEANT = {
    "startQuantity": {"1"},
    "completionQuantity": {"1"},
    "parallelMultiple": {"false", "0"},
    "instantiate": {"false", "0"},
    "behavior": {"All"},
    "isForCompensation": {"false", "0"},
    "eventGatewayType": {"Exclusive"},
    "operationRef": set[str](),
    "testBefore": {"false", "0"},
    "noneBehaviorEventRef": set[str](),
    "oneBehaviorEventRef": set[str](),
    "activityRef": set[str](),
    "signalRef": set[str](),
    "itemSubjectRef": set[str](),
}
#: Whose words mean something to an engine.
ENGINES = re.compile(r"camunda|flowable|activiti|drools|jboss|zeebe|spiffworkflow|process-engine")


class _Obliging(Operator):
    def problems(self, _given: set[str]) -> list[str]:
        return []


class AnyServices(Services):
    """Has an operator under every name, so that what a file calls is not what stops it."""

    def get(self, name: str) -> Operator:
        return _Obliging(name=name, title=name, mode=Mode.READ, call=lambda _values, _call: {})


class _AnyAnswers(dict[str, list[dict[str, Any]]]):
    def get(self, _operator: str, _default: Any = None) -> Any:
        return [{}]


@dataclass
class Verdict:
    """*wrong* lists missing findings, and findings about nothing; it must be empty."""

    clean: bool = False
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)


def judge(content: bytes, *, file: str = "p.bpmn") -> Verdict:
    """Run the gate on *content* and check its findings."""
    verdict, began = Verdict(), time.process_time()
    try:
        package, verdict.findings = admit(Package({file: content}), AnyServices())
    except InvalidDefinition:
        return verdict  # too large: refused before it is read
    verdict.seconds = time.process_time() - began
    errors = [finding for finding in verdict.findings if finding.severity == "error"]
    verdict.clean = not errors
    verdict.wrong += [f"has no message: {finding}" for finding in verdict.findings if not finding.message]
    try:
        tree = parse_xml(package.files[file], file)
    except InvalidDefinition:
        return verdict
    ids = {str(element.get("id")) for element in tree.iter("*") if element.get("id")}
    verdict.wrong += [
        f"names a missing element: {found.rule} “{found.element}” {found.message}"
        for found in verdict.findings
        if found.file == file and not _names(found, ids if tree.getroot().get("id") else set())
    ]
    if verdict.clean:
        diagram = compile_diagram(package)
        verdict.wrong += _lost(content, verdict.findings, diagram)
        verdict.wrong += _run(diagram)
    return verdict


def _names(finding: Finding, ids: set[str]) -> bool:
    """Whether the named element exists; a finding truncates a long id, and names no element for a whole file."""
    if not finding.element:
        return finding.severity != "error" or finding.rule in ("more", "not-bpmn") or not ids
    return not ids or finding.element in ids or any(key.startswith(finding.element) for key in ids)


def readable(content: bytes) -> ET.Element | None:
    """Parse the file with another parser, in whatever encoding; None if that parser refuses it."""
    marks = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
    text = next((content[len(m) :].decode(name, "replace") for m, name in marks if content.startswith(m)), None)
    try:
        text = text if text is not None else content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    try:
        return ET.fromstring(re.sub(r"\A\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff \r\n\t")))
    except (ET.ParseError, ValueError):
        return None


def _lost(content: bytes, findings: list[Finding], diagram: Diagram) -> Iterator[str]:
    """Yield what *content* draws that is neither in a finding nor in *diagram*."""
    root = readable(content)
    if root is None:
        yield "passes, though another parser cannot read it"
        return
    messages: dict[str, str] = {}
    for finding in findings:
        messages[finding.element] = f"{messages.get(finding.element, '')} {finding.message}"
    everything = " ".join(messages.values())
    every = [s for owner in (diagram.spec, *diagram.subprocess_specs.values()) for s in owner.task_specs.values()]
    specs = {s.bpmn_id: s for s in sorted(every, key=lambda spec: spec.name == spec.bpmn_id)}  # items come first
    for process in root.iter(f"{BPMN}process"):
        if process.get("id") in messages and process.get("isExecutable") not in ("true", "1"):
            continue  # a finding reports that it never runs
        for owner, element in _walk(process, process.get("id") or "?"):
            yield from _unreported(element, owner, messages, everything)
            if element.tag.startswith(BPMN):
                yield from _unrun(element, diagram, specs)


def _walk(element: ET.Element, owner: str) -> Iterator[tuple[str, ET.Element]]:
    """Every element below *element*, with the id of the flow element or process it belongs to."""
    for child in element:
        kind = child.tag.removeprefix(BPMN)
        inner = child.get("id") if kind in FLOW_NODES | {"sequenceFlow"} and child.get("id") else owner
        yield inner or owner, child
        if not element.tag.endswith("extensionElements"):
            yield from _walk(child, inner or owner)


def _unreported(element: ET.Element, owner: str, messages: dict[str, str], everything: str) -> Iterator[str]:
    """Yield the parts of *element* that neither run nor appear in a finding on its owner."""
    if element.tag.startswith(BPMN):
        kind = element.tag.removeprefix(BPMN)
        reported = messages.get(owner, "") + messages.get(element.get("id") or "", "")
        reported += "drawn only" if kind in DRAWN and "drawn only" in everything else ""
        if kind not in QUIET | FLOW_NODES and not reported and kind.lower() not in everything.lower():
            yield f"not a word of {kind} in {owner}"
        for name, value in element.attrib.items():
            if name in MEANT and value not in MEANT[name] and not reported:
                yield f"not a word of {name}={value} of {kind} in {owner}"
            elif name.startswith("{") and ENGINES.search(name) and not reported and _local(name) not in everything:
                yield f"not a word of {_local(name)} in {owner}"
    elif element.tag.startswith(SPIFF):
        known = ("properties", "instructionsForEndUser", "preScript", "postScript")
        known += ("serviceTaskOperator", "calledDecisionId")
        if _local(element.tag) not in known and _local(element.tag) not in messages.get(owner, ""):
            yield f"not a word of {_local(element.tag)} in {owner}"
    elif ENGINES.search(element.tag) and not messages.get(owner) and _local(element.tag) not in everything:
        yield f"not a word of {_local(element.tag)} in {owner}"


def _unrun(element: ET.Element, diagram: Diagram, specs: dict[str, Any]) -> Iterator[str]:
    kind, key = element.tag.removeprefix(BPMN), element.get("id")
    if kind in FLOW_NODES and key and key not in diagram.elements:
        yield f"lost {kind} {key}"
    if kind == "sequenceFlow":
        ends = (element.get("sourceRef", ""), element.get("targetRef", ""))
        if ends not in diagram.flows:
            yield f"lost the flow {ends}"
        condition = element.find(f"{BPMN}conditionExpression")
        source = specs.get(ends[0])
        if condition is not None and (condition.text or "").strip() and hasattr(source, "cond_task_specs"):
            asked = [target for asked, target in source.cond_task_specs if asked is not None]
            if not {ends[1], f"{ends[1]}.BoundaryEventSplit"} & {name.removesuffix("..element") for name in asked}:
                yield f"the condition of the flow {ends} is never asked"
    yield from _otherwise(element, kind, specs.get(key))
    if kind.endswith("Gateway") and element.get("default") and not _has_default(specs.get(key)):
        yield f"{key} has lost its default"


def _otherwise(element: ET.Element, kind: str, spec: Any) -> Iterator[str]:
    """How *element* runs otherwise than it is drawn."""
    if spec is None:
        return
    key, no = element.get("id"), ("false", "0")
    if kind == "boundaryEvent" and spec.cancel_activity == (element.get("cancelActivity", "").strip() in no):
        yield f"{key} interrupts, or does not, against the drawing"
    several = element.find(f"{BPMN}multiInstanceLoopCharacteristics")
    if several is not None:
        in_turn = several.get("isSequential", "").strip() in ("true", "1")
        if (type(spec).__name__ == "ItemsInTurn") != in_turn:
            yield f"{key} is done in turn, or side by side, against the drawing"
    start = element.find(f"{BPMN}startEvent") if hasattr(spec, "interrupts") else None
    if start is not None and spec.interrupts == (start.get("isInterrupting", "").strip() in no):
        yield f"{key} interrupts, or does not, against the drawing"
    if kind == "callActivity" and not (element.get("calledElement") or spec.spec).endswith(spec.spec):
        yield f"{key} calls {spec.spec}"
    script = element.find(f"{BPMN}script")
    if script is not None and hasattr(spec, "script") and len(script.text or "") > len(spec.script or ""):
        yield f"{key} has lost a part of its script"


def _has_default(spec: Any) -> bool:
    ways = getattr(spec, "cond_task_specs", ())
    return bool(getattr(spec, "default_task_spec", None)) or any(asked is None for asked, _ in ways)


def _run(diagram: Diagram) -> Iterator[str]:
    """Start the diagram and perform a few actions it waits for; only a deliberate engine error may stop it."""
    player = Player(diagram, AnyServices())
    try:
        player.play({"start": {}, "services": _AnyAnswers()})
        for _ in range(12):
            if not (deed := _deed(player)):
                break
            player._perform(deed)
            player._answer_services()
    except EngineError as error:
        if "could not run this element" in error.message:
            yield f"the library fails: {error.message} {getattr(error, 'element', '')}"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the fault looked for
        yield f"running it raises {type(error).__name__}: {error}"


def _deed(player: Player) -> dict[str, Any]:
    for key in player.state.tasks:
        return {"complete": key.rpartition(":")[0]}
    for wait in player.state.waits.values():
        return {"fire": wait["element"]} if "due" in wait else {"message": wait["name"]}
    return {}


def _local(name: str) -> str:
    return name.rpartition("}")[2]
