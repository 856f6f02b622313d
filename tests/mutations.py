"""What other hands and tools do to a BPMN file: the same drawing written in another way, or damaged.

`mutants` gives one file for each way that fits; a seed always gives the same.
"""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from copy import deepcopy

from outside import BPMN, FLOW_NODES, readable

_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_URI = BPMN.strip("{}")
_REFERENCES = ("sourceRef", "targetRef", "attachedToRef", "bpmnElement", "default", "processRef", "calledElement")
_REFERENCES += ("messageRef", "errorRef", "escalationRef", "signalRef", "dataObjectRef", "dataStoreRef")
#: Attributes BPMN knows, by the kind they belong to; "" is any activity.
ATTRIBUTES = (
    ("Task", "startQuantity", "2"), ("Task", "completionQuantity", "3"), ("Task", "isForCompensation", "true"),
    ("Event", "parallelMultiple", "true"), ("receiveTask", "instantiate", "true"), ("Task", "default", "nowhere"),
    ("serviceTask", "operationRef", "op"), ("eventBasedGateway", "instantiate", "true"),
    ("eventBasedGateway", "eventGatewayType", "Parallel"), ("process", "isExecutable", "1"),
    ("process", "isExecutable", " true "), ("boundaryEvent", "cancelActivity", "0"),
    ("multiInstanceLoopCharacteristics", "behavior", "None"), ("standardLoopCharacteristics", "testBefore", "true"),
    ("subProcess", "triggeredByEvent", "1"), ("startEvent", "isInterrupting", "0"), ("Gateway", "default", "nowhere"),
    ("multiInstanceLoopCharacteristics", "isSequential", "1"), ("process", "processType", "Private"),
)  # fmt: skip
#: Children BPMN or a product may put into an element of a kind.
CHILDREN = (
    ("Task", '<ioSpecification><dataInput id="{n}in"/><inputSet/><outputSet/></ioSpecification>'),
    ("Task", '<property id="{n}p" name="x"/>'),
    ("Task", '<dataOutputAssociation id="{n}o"><targetRef>x</targetRef></dataOutputAssociation>'),
    ("Task", '<dataInputAssociation id="{n}i"><targetRef>x</targetRef></dataInputAssociation>'),
    ("Task", ('<potentialOwner id="{n}w"><resourceAssignmentExpression><formalExpression>group(a)'
     "</formalExpression></resourceAssignmentExpression></potentialOwner>")),
    ("Task", '<resourceRole id="{n}r"><resourceRef>x</resourceRef></resourceRole>'),
    ("Task", "<multiInstanceLoopCharacteristics/>"),
    ("Task", "<standardLoopCharacteristics/>"),
    ("Task", ("<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>"
     "<complexBehaviorDefinition><condition>a</condition></complexBehaviorDefinition></multiInstanceLoopCharacteristics>")),
    ("Event", '<dataOutput id="{n}d"/>'), ("Event", '<dataInput id="{n}d"/>'),
    ("Event", '<property id="{n}p" name="x"/>'), ("Event", "<eventDefinitionRef>x</eventDefinitionRef>"),
    ("Event", "<terminateEventDefinition/>"), ("Event", "<cancelEventDefinition/>"),
    ("Event", "<compensateEventDefinition/>"), ("Event", '<signalEventDefinition signalRef="s"/>'),
    ("Event", '<linkEventDefinition name="l"/>'), ("Event", "<conditionalEventDefinition/>"),
    ("process", '<dataObject id="{n}do"/>'), ("process", '<dataObjectReference id="{n}dr" dataObjectRef="x"/>'),
    ("process", '<dataStoreReference id="{n}ds"/>'), ("process", '<property id="{n}pp" name="x"/>'),
    ("process", '<textAnnotation id="{n}ta"><text>a</text></textAnnotation>'),
    ("process", '<group id="{n}gr"/>'), ("process", '<task id="{n}tt"/>'), ("process", '<subProcess id="{n}sp"/>'),
    ("process", '<correlationSubscription id="{n}cs" correlationKeyRef="k"/>'),
    ("process", '<resourceRole id="{n}rr"/>'),
    ("process", "<ioSpecification><inputSet/><outputSet/></ioSpecification>"),
    ("process", '<artifact id="{n}a"/>'), ("process", "<supports>x</supports>"), ("process", '<event id="{n}e"/>'),
    ("process", '<callChoreography id="{n}cc"/>'), ("process", '<implicitThrowEvent id="{n}ie"/>'),
    ("subProcess", '<task id="{n}t2"/>'), ("subProcess", '<dataObject id="{n}d2"/>'),
    ("", ("<extensionElements><c:executionListener xmlns:c='http://camunda.org/schema/1.0/bpmn' event='end'/>"
     "</extensionElements>")),
    ("", ("<extensionElements><z:executionListeners xmlns:z='http://camunda.org/schema/zeebe/1.0'>"
     "<z:executionListener/></z:executionListeners></extensionElements>")),
    ("", ("<extensionElements><f:field xmlns:f='http://flowable.org/bpmn' name='x'><f:string>a</f:string></f:field>"
     "</extensionElements>")),
    ("", ("<extensionElements><s:{n}new xmlns:s='http://spiffworkflow.org/bpmn/schema/1.0/core'>x</s:{n}new>"
     "</extensionElements>")),
    ("", ("<extensionElements><s:preScript xmlns:s='http://spiffworkflow.org/bpmn/schema/1.0/core'>a = 1</s:preScript>"
     "</extensionElements>")),
    ("", "<extensionElements><o:thing xmlns:o='urn:nobody' a='b'><o:deep>x</o:deep></o:thing></extensionElements>"),
    ("", ("<extensionElements><c:inputOutput xmlns:c='http://camunda.org/schema/1.0/bpmn'><!-- why --><c:inputParameter"
     " name='a'>${{b}}</c:inputParameter></c:inputOutput></extensionElements>")),
    ("", "<o:odd xmlns:o='urn:nobody'/>"),
)  # fmt: skip
#: What foreign products put on elements, by namespace.
FOREIGN = (
    ("http://camunda.org/schema/1.0/bpmn", ("class", "expression", "asyncBefore", "assignee", "formKey", "topic",
     "collection", "calledElementVersion", "unheardOf", "errorMessageVariable", "variableName", "resultVariable")),
    ("http://flowable.org/bpmn", ("skipExpression", "candidateGroups", "dueDate", "delegateExpression", "type")),
    ("http://activiti.org/bpmn", ("formKey", "priority", "exclusive", "initiator")),
    ("http://camunda.org/schema/zeebe/1.0", ("modelerTemplate", "unheardOf")),
    ("http://www.jboss.org/drools", ("taskName", "ruleFlowGroup", "packageName")),
    ("http://spiffworkflow.org/bpmn/schema/1.0/core", ("isOutputSynced", "resultVariable", "unheardOf")),
    ("urn:nobody", ("colour",)),
)  # fmt: skip

Mutation = Callable[[ET.Element, random.Random], object]


def mutants(content: bytes, seed: int, *, structural: int = 6) -> Iterator[tuple[str, bytes]]:
    """Files made from *content*, each with the name of what was done to it."""
    choice = random.Random(seed)
    root = readable(content)
    if root is None:
        yield from _damaged(content, choice)
        return
    yield from _damaged(content, choice)
    yield from _saved(root)
    for name, change in choice.sample(sorted(_CHANGES.items()), min(structural, len(_CHANGES))):
        changed = deepcopy(root)
        for _ in range(choice.randint(1, 3)):
            change(changed, choice)
        yield name, _bytes(changed)


def _damaged(content: bytes, choice: random.Random) -> Iterator[tuple[str, bytes]]:
    yield "cut", content[: choice.randrange(len(content) + 1)]
    yield "doctype", re.sub(rb"(<\?xml[^>]*\?>)?", rb"\1<!DOCTYPE a [<!ENTITY b 'c'>]>", content, count=1)
    place = choice.randrange(len(content) + 1)
    yield "noise", content[:place] + bytes(choice.randrange(256) for _ in range(3)) + content[place:]


def _saved(root: ET.Element) -> Iterator[tuple[str, bytes]]:
    """The same drawing, saved by another tool."""
    text = ET.tostring(root, encoding="unicode")
    yield "utf-16", f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
    yield "utf-16-be", f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16-be")
    yield "bom", b"\xef\xbb\xbf" + text.encode()
    yield "crlf", text.replace("><", ">\r\n<").encode()
    yield "latin-1", f'<?xml version="1.0" encoding="ISO-8859-1"?>{text}'.encode("latin-1", "xmlcharrefreplace")
    yield "default", _plain(text).encode()
    yield "commented", re.sub(r">(?=<)", "><!-- a --><?b c?>", text).encode()


def _plain(text: str) -> str:
    prefix = re.search(rf'xmlns:(\w+)="{re.escape(_URI)}"', text)
    if not prefix:
        return text
    bare = text.replace(f"<{prefix[1]}:", "<").replace(f"</{prefix[1]}:", "</")
    return bare.replace(f'xmlns:{prefix[1]}="{_URI}"', f'xmlns="{_URI}" xmlns:{prefix[1]}="{_URI}"')


def _bytes(root: ET.Element) -> bytes:
    return ET.tostring(root, encoding="UTF-8", xml_declaration=True)


def _elements(root: ET.Element, *endings: str) -> list[ET.Element]:
    ours = (e for e in root.iter() if isinstance(e.tag, str) and e.tag.startswith(BPMN))
    return [e for e in ours if e.tag.endswith(endings or ("",)) and e is not root]


def _nodes(root: ET.Element) -> list[ET.Element]:
    return [e for e in _elements(root) if e.tag.removeprefix(BPMN) in FLOW_NODES]


def _one(found: list[ET.Element], choice: random.Random) -> ET.Element:
    return choice.choice(found) if found else ET.Element("nothing")


def _parents(root: ET.Element) -> dict[ET.Element, ET.Element]:
    return {child: parent for parent in root.iter() for child in parent}


def _no_drawing(root: ET.Element, _choice: random.Random) -> None:
    for diagram in root.findall(f"{_DI}BPMNDiagram"):
        root.remove(diagram)


def _rename(root: ET.Element, choice: random.Random) -> None:
    """Ids as other tools make them, everywhere they are named."""
    form = choice.choice(("{}.1", "Grüße_{}", "{} x", "1{}", "_{}-ß", "{}:a", "sid-{}", "{}/b", "End{}", "..{}"))
    ids = {e.get("id"): form.format(e.get("id")) for e in _elements(root) if e.get("id")}
    for element in root.iter():
        for name in ("id", *_REFERENCES):
            if element.get(name) in ids:
                element.set(name, ids[element.get(name)])
        if element.text and element.text.strip() in ids and str(element.tag).endswith(("Ref", "incoming", "outgoing")):
            element.text = ids[element.text.strip()]


def _prefix_references(root: ET.Element, choice: random.Random) -> None:
    """References are qualified names: a prefix of the target namespace is allowed."""
    names = choice.sample(_REFERENCES, 4)
    for element in root.iter():
        for name in names:
            if element.get(name):
                element.set(name, f"tns:{element.get(name)}")
    root.set("xmlns:tns", root.get("targetNamespace") or "urn:t")


def _without_ids(root: ET.Element, choice: random.Random) -> None:
    for element in _elements(root):
        if choice.random() < 0.3 or element.tag == f"{BPMN}sequenceFlow":
            element.attrib.pop("id", None)


def _same_id(root: ET.Element, choice: random.Random) -> None:
    _one(_elements(root), choice).set("id", _one(_elements(root), choice).get("id") or "x")


def _other_kind(root: ET.Element, choice: random.Random) -> None:
    _one(_nodes(root), choice).tag = BPMN + choice.choice(sorted(FLOW_NODES))


def _attribute(root: ET.Element, choice: random.Random) -> None:
    ending, name, value = choice.choice(ATTRIBUTES)
    _one(_elements(root, ending), choice).set(name, value)


def _child(root: ET.Element, choice: random.Random) -> None:
    ending, text = choice.choice(CHILDREN)
    parent = _one([e for e in _elements(root, ending) if ending or e.tag.removeprefix(BPMN) in FLOW_NODES], choice)
    text = text.format(n=f"m{choice.randrange(10_000)}")
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    child = ET.fromstring(f"<a xmlns='{_URI}'>{text}</a>", parser=parser)[0]
    parent.insert(choice.randint(0, len(parent)), child)


def _foreign(root: ET.Element, choice: random.Random) -> None:
    namespace, names = choice.choice(FOREIGN)
    name, value = choice.choice(names), choice.choice(("x", "${y}", "=z", "true"))
    _one(_elements(root), choice).set(f"{{{namespace}}}{name}", value)


def _drop(root: ET.Element, choice: random.Random) -> None:
    victim = _one(_elements(root), choice)
    parent = _parents(root).get(victim)
    if parent is not None:
        parent.remove(victim)


def _drop_attribute(root: ET.Element, choice: random.Random) -> None:
    element = _one([e for e in _elements(root) if e.attrib], choice)
    if element.attrib:
        del element.attrib[choice.choice(sorted(element.attrib))]


def _twice(root: ET.Element, choice: random.Random) -> None:
    victim = _one(_nodes(root), choice)
    parent = _parents(root).get(victim)
    if parent is not None:
        parent.append(deepcopy(victim))


def _move(root: ET.Element, choice: random.Random) -> None:
    victim, target = _one(_elements(root), choice), _one(_elements(root), choice)
    parent = _parents(root).get(victim)
    if parent is not None and target not in list(victim.iter()):
        parent.remove(victim)
        target.append(victim)


def _redirect(root: ET.Element, choice: random.Random) -> None:
    flow, node = _one(_elements(root, "sequenceFlow"), choice), _one(_nodes(root), choice)
    flow.set(choice.choice(("sourceRef", "targetRef")), node.get("id") or "")


def _two_processes(root: ET.Element, choice: random.Random) -> None:
    for process in root.findall(f"{BPMN}process")[:1]:
        other = deepcopy(process)
        _rename(other, choice)
        other.set("id", "Other")
        other.set("isExecutable", choice.choice(("true", "false")))
        root.insert(choice.randint(0, 1), other)


def _pools(root: ET.Element, choice: random.Random) -> None:
    pool = ET.fromstring(
        f"<a xmlns='{_URI}'><collaboration id='Col_m'><participant id='Pool_m1' name='black box'/><participant id='P2'"
        " processRef='nowhere'/><messageFlow id='mf' sourceRef='Pool_m1' targetRef='P2'/></collaboration></a>"
    )
    root.insert(choice.randint(0, len(root)), pool[0])


def _lanes(root: ET.Element, choice: random.Random) -> None:
    for process in root.findall(f"{BPMN}process")[:1]:
        keys = [str(n.get("id")) for n in _nodes(process)]
        inner = "".join(f"<flowNodeRef>{key}</flowNodeRef>" for key in keys if choice.random() < 0.5)
        inside = f"<childLaneSet id='ls_m2'><lane id='l_m2' name='In'>{inner}</lane></childLaneSet>"
        text = f"<laneSet id='ls_m'><lane id='l_m1' name='Out'>{inner}{inside}</lane></laneSet>"
        process.insert(0, ET.fromstring(f"<a xmlns='{_URI}'>{text}</a>")[0])


def _huge(root: ET.Element, choice: random.Random) -> None:
    name, length = choice.choice(("name", "id", "isExecutable")), choice.choice((300, 200_000))
    _one(_elements(root), choice).set(name, "x" * length)


def _executable(root: ET.Element, _choice: random.Random) -> None:
    """What an analyst would do first: mark it, and say what the tasks are."""
    for process in _elements(root, "}process"):
        process.set("isExecutable", "true")
    for element in list(_nodes(root)):
        kind = element.tag.removeprefix(BPMN)
        if kind in ("task", "sendTask", "serviceTask", "businessRuleTask", "receiveTask"):
            element.tag = f"{BPMN}manualTask"


_CHANGES: dict[str, Mutation] = {
    "no drawing": _no_drawing, "renamed": _rename, "prefixed": _prefix_references, "no ids": _without_ids,
    "same id": _same_id, "other kind": _other_kind, "attribute": _attribute, "child": _child, "foreign": _foreign,
    "dropped": _drop, "attribute dropped": _drop_attribute, "twice": _twice, "moved": _move, "redirected": _redirect,
    "two processes": _two_processes, "pools": _pools, "lanes": _lanes, "huge": _huge, "executable": _executable,
}  # fmt: skip
