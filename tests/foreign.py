"""Diagrams as other products write them, made up from parts of our own: every kind of element in every dialect.

A seed always gives the same files. `silent_losses` is the oracle: it reads the XML with another parser than the product
and lists what neither runs nor is refused.
"""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise

from usher_engine.bpmn import compile_diagram
from usher_engine.definitions import FLOW_NODES, Package, parse_xml
from usher_engine.gate import admit
from usher_engine.services import Services

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPACES = {
    "camunda": "http://camunda.org/schema/1.0/bpmn",
    "operaton": "http://operaton.org/schema/1.0/bpmn",
    "flowable": "http://flowable.org/bpmn",
    "activiti": "http://activiti.org/bpmn",
    "zeebe": "http://camunda.org/schema/zeebe/1.0",
    "drools": "http://www.jboss.org/drools",
    "signavio": "http://www.signavio.com",
    "bizagi": "http://www.bizagi.com/bpmn20",
    "bioc": "http://bpmn.io/schema/bpmn/biocolor/1.0",
    "modeler": "http://camunda.org/schema/modeler/1.0",
}
#: Attributes each family puts on an element of a kind; {v} is its prefix.
ATTRIBUTES = {
    "engine": {
        "userTask": (
            '{v}:assignee="demo"', '{v}:assignee="${{starter}}"', '{v}:candidateGroups="clerks"',
            '{v}:candidateGroups="a,b"', '{v}:formKey="embedded:app:forms/ask.html"', '{v}:formRef="ask"',
            '{v}:dueDate="P3D"', '{v}:dueDate="${{dateTime().plusDays(3)}}"', '{v}:priority="50"',
            '{v}:followUpDate="P1D"', '{v}:asyncBefore="true"', '{v}:candidateUsers="john, mary"',
        ),
        "serviceTask": (
            '{v}:class="org.example.Send"', '{v}:delegateExpression="${{sender}}"',
            '{v}:type="external" {v}:topic="mail"',
            '{v}:expression="${{bean.call(x)}}" {v}:resultVariable="r"', '{v}:asyncAfter="true" {v}:exclusive="false"',
        ),
        "scriptTask": ('{v}:resultVariable="sum"', '{v}:autoStoreVariables="false"', 'scriptFormat="groovy"'),
        "businessRuleTask": ('{v}:decisionRef="dish" {v}:mapDecisionResult="singleEntry" {v}:resultVariable="d"',),
        "callActivity": ('{v}:calledElementBinding="latest"', '{v}:inheritVariables="true"'),
        "startEvent": ('{v}:initiator="starter"', '{v}:formKey="start.html"'),
    },
    "zeebe": {"userTask": ('{v}:modelerTemplate="t"',), "serviceTask": ('{v}:modelerTemplateVersion="3"',)},
    "drools": {"userTask": ('{v}:taskName="Ask"',), "task": ('{v}:taskName="Rest"',)},
    "tool": {"userTask": ('{v}:stroke="#fff"',), "serviceTask": ('{v}:fill="blue"',)},
}
EXTENSIONS = {
    "engine": {
        "userTask": (
            '<{v}:formData><{v}:formField id="ok" label="Fine?" type="boolean"/></{v}:formData>',
            '<{v}:formProperty id="age" name="Age" type="long" required="true"/>',
            '<{v}:taskListener event="create" class="org.example.L"/>',
            '<{v}:properties><{v}:property name="dueIn" value="P2D"/></{v}:properties>',
            '<{v}:inputOutput><{v}:inputParameter name="who">${{name}}</{v}:inputParameter></{v}:inputOutput>',
        ),
        "serviceTask": (
            '<{v}:inputOutput><{v}:inputParameter name="to">${{mail}}</{v}:inputParameter></{v}:inputOutput>',
            '<{v}:inputOutput><{v}:outputParameter name="o">${{r}}</{v}:outputParameter></{v}:inputOutput>',
            '<{v}:field name="to" stringValue="x"/>', "<{v}:connector/>",
            "<{v}:failedJobRetryTimeCycle>R3/PT1M</{v}:failedJobRetryTimeCycle>",
        ),
        "callActivity": ('<{v}:in variables="all"/><{v}:out source="a" target="b"/>', '<{v}:in businessKey="x"/>'),
        "startEvent": ('<{v}:executionListener event="start" expression="${{x.y()}}"/>',),
        "exclusiveGateway": ('<{v}:executionListener event="start" class="L"/>',),
    },
    "zeebe": {
        "userTask": (
            "<{v}:userTask/>", '<{v}:formDefinition formId="ask"/>', '<{v}:taskSchedule dueDate="=now()"/>',
            '<{v}:assignmentDefinition assignee="=starter" candidateGroups="clerks"/>',
            '<{v}:ioMapping><{v}:input source="=order.id" target="id"/></{v}:ioMapping>',
        ),
        "serviceTask": (
            '<{v}:taskDefinition type="mail" retries="3"/>',
            '<{v}:taskDefinition type="mail"/><{v}:ioMapping><{v}:input source="=a" target="to"/></{v}:ioMapping>',
            '<{v}:taskDefinition type="=kind"/>',
        ),
        "businessRuleTask": ('<{v}:calledDecision decisionId="dish" resultVariable="d"/>',),
        "callActivity": ('<{v}:calledElement processId="other" propagateAllChildVariables="false"/>',),
        "scriptTask": ('<{v}:script expression="=a + b" resultVariable="sum"/>',),
    },
    "drools": {"userTask": ("<{v}:onEntry-script><{v}:script>x</{v}:script></{v}:onEntry-script>",)},
    "tool": {"userTask": ('<{v}:signavioMetaData metaKey="a" metaValue="b"/>',)},
}  # fmt: skip
FAMILIES = {
    **dict.fromkeys(("camunda", "operaton", "flowable", "activiti"), "engine"),
    "zeebe": "zeebe",
    "drools": "drools",
}
CONDITIONS = (
    "${approved}", "${!approved}", "#{a &amp;&amp; b}", "${amount &gt; 5 and kind eq 'x'}", "${empty list}",
    '${execution.getVariable("x") == null}', "${bean.check(x)}", "= amount &gt; 5", '= kind = "a"', "= not(done)",
    "= x in [1..5]", "=if a then b else c", "some text", "a == 1", "", "${", "= )",
)  # fmt: skip
TIMES = ("PT1H", "${wait}", '= duration("PT5M")', "0 0 9-17 * * MON-FRI", "R3/PT10M", "2026-01-01T00:00:00Z", "")
KINDS = (
    "userTask", "userTask", "userTask", "serviceTask", "serviceTask", "scriptTask", "manualTask", "task", "sendTask",
    "receiveTask", "businessRuleTask", "callActivity", "exclusiveGateway", "exclusiveGateway", "parallelGateway",
    "inclusiveGateway", "eventBasedGateway", "complexGateway", "subProcess", "transaction", "adHocSubProcess",
    "intermediateCatchEvent", "intermediateThrowEvent",
)  # fmt: skip
EVENTS = (
    "timer", "message", "signal", "error", "escalation", "compensate", "conditional", "link", "cancel", "terminate",
)  # fmt: skip
SCRIPTS = ("a = 1", "a + b", "var x = 1;", "println('x')", "execution.setVariable('a', 1)")


class Maker:
    """Draws one file; every other seed gives a tame one, which should run once it is translated."""

    def __init__(self, seed: int) -> None:
        self.tame = seed % 2 == 0
        self.choice = random.Random(seed)
        self.vendor = self.choice.choice(list(SPACES))
        self.family = FAMILIES.get(self.vendor, "tool")
        self.prefix = self.choice.choice(("bpmn", "bpmn2", "semantic", "model", ""))
        self.number = 0

    def tag(self, name: str) -> str:
        return f"{self.prefix}:{name}" if self.prefix else name

    def often(self, part: float) -> bool:
        return self.choice.random() < part

    def identity(self, stem: str) -> str:
        self.number += 1
        return self.choice.choice((f"{stem}_{self.number}", f"sid-{self.number:04X}", f"_{self.number}"))

    def file(self) -> tuple[str, bytes]:
        """The text, and its bytes in some encoding."""
        processes = [self.process() for _ in range(1 if self.tame else self.choice.choice((0, 1, 1, 1, 1, 2)))]
        spaces = "".join(f' xmlns:{name}="{uri}"' for name, uri in SPACES.items() if name == self.vendor)
        own = f'xmlns:{self.prefix}="{BPMN}"' if self.prefix else f'xmlns="{BPMN}"'
        target = ' targetNamespace="http://example.org/t"' if self.often(0.8) else ""
        xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ends = f'<{self.tag("message")} id="msg" name="M"/>' if self.often(0.5) else ""
        pool = ""
        if self.often(0.3):
            pool = f'<{self.tag("collaboration")} id="collab"><{self.tag("participant")} id="pool" name="P"/>'
            pool += f'</{self.tag("collaboration")}>'
        body = "".join((*processes, pool)) + ends
        head = f'<{self.tag("definitions")} {own} {xsi}{spaces} id="defs"{target}>'
        text = f'{head}{body}</{self.tag("definitions")}>'
        text = text.replace('name="Ask"', 'name="Frage ü"') if self.often(0.3) else text
        declared, used = self.choice.choice(
            (("UTF-8", "utf-8"), ("UTF-8", "utf-8-sig"), ("UTF-16", "utf-16"), ("ISO-8859-1", "latin-1"),
             ("UTF-8", "latin-1"), ("UTF-16", "utf-8"), ("ISO-8859-1", "utf-8"), ("utf8", "utf-8"))
        )  # fmt: skip
        return text, f'<?xml version="1.0" encoding="{declared}"?>\n{text}'.encode(used, "replace")

    def process(self) -> str:
        if self.tame:
            key = self.identity("Process")
            return f'<{self.tag("process")} id="{key}" isExecutable="true">{self.steps(0)}</{self.tag("process")}>'
        executable = self.choice.choice((' isExecutable="true"', ' isExecutable="true"', ' isExecutable="false"', ""))
        key = self.identity("Process")
        return f'<{self.tag("process")} id="{key}"{executable}>{self.flow(0)}</{self.tag("process")}>'

    def flow(self, depth: int) -> str:
        """Elements in a row with some ways across, and the sequence flows between them."""
        kinds = ["startEvent", *self.choice.choices(KINDS, k=self.choice.randint(0, 6)), "endEvent"]
        keys = [self.identity(kind) for kind in kinds]
        parts = [self.node(kind, key, depth) for kind, key in zip(kinds, keys, strict=True)]
        pairs = list(pairwise(keys))
        pairs += [tuple(self.choice.sample(keys, 2)) for _ in range(self.choice.randint(0, 2))]
        for kind, key in zip(kinds, keys, strict=True):
            if kind.endswith("Task") and self.often(0.15):
                boundary = self.identity("boundary")
                cancel = self.choice.choice(("", ' cancelActivity="false"'))
                parts.append(
                    f'<{self.tag("boundaryEvent")} id="{boundary}" attachedToRef="{key}"{cancel}>{self.event()}'
                    f'</{self.tag("boundaryEvent")}>'
                )
                pairs.append((boundary, self.choice.choice(keys[1:])))
        flows = [self.sequence(source, target) for source, target in pairs]
        everything = parts + flows
        if self.often(0.3):
            self.choice.shuffle(everything)
        return "".join(everything)

    def steps(self, depth: int) -> str:
        """A flow that runs: tasks, choices, branches and sub-processes one after the other."""
        last = self.identity("start")
        parts = [f'<{self.tag("startEvent")} id="{last}"/>']
        for _ in range(self.choice.randint(1, 4)):
            kinds = ("task", "script", "choice", "both", "sub") if depth < 2 else ("task", "script")
            last = self.step(self.choice.choice(kinds), last, parts, depth)
        end = self.identity("end")
        parts += [f'<{self.tag("endEvent")} id="{end}"/>', self.sequence(last, end)]
        return "".join(parts)

    def step(self, kind: str, before: str, parts: list[str], depth: int) -> str:
        """One step behind *before*; the id of the element it ends with."""
        key = self.identity(kind)
        if kind in ("choice", "both"):
            gateway = self.tag("exclusiveGateway" if kind == "choice" else "parallelGateway")
            ways, join = [self.step("task", "", parts, depth) for _ in range(2)], self.identity("join")
            default = self.identity("Flow") if kind == "choice" else ""
            parts += [f'<{gateway} id="{key}"' + (f' default="{default}"/>' if default else "/>")]
            parts += [f'<{gateway} id="{join}"/>', self.sequence(before, key), self.sequence(ways[0], join)]
            parts += [self.sequence(ways[1], join), self.sequence(key, ways[0], key=default)]
            parts += [self.sequence(key, ways[1], condition=self.choice.choice(CONDITIONS[:5]) if default else "")]
            return join
        if kind == "sub":
            parts.append(f'<{self.tag("subProcess")} id="{key}">{self.steps(depth + 1)}</{self.tag("subProcess")}>')
        elif kind == "script":
            script = f'<{self.tag("script")}>a = 1</{self.tag("script")}>'
            parts.append(f'<{self.tag("scriptTask")} id="{key}">{script}</{self.tag("scriptTask")}>')
        else:
            more = f'{self.vendor}:assignee="demo" {self.vendor}:candidateGroups="a"' if self.family == "engine" else ""
            parts.append(f'<{self.tag("userTask")} id="{key}" name="Ask" {more}/>')
        if before:
            parts.append(self.sequence(before, key))
        return key

    def sequence(self, source: str, target: str, *, key: str = "", condition: str = "") -> str:
        named = key or (self.identity("Flow") if self.often(0.7) else "")
        key = f' id="{named}"' if named else ""
        inner = ""
        if condition:
            inner = f'<{self.tag("conditionExpression")}>{condition}</{self.tag("conditionExpression")}>'
        elif not self.tame and self.often(0.3):
            tag, formal = self.tag("conditionExpression"), self.tag("tFormalExpression")
            kind = self.choice.choice(('xsi:type="tFormalExpression"', f'xsi:type="{formal}"', ""))
            inner = f"<{tag} {kind}>{self.choice.choice(CONDITIONS)}</{tag}>"
        tag = self.tag("sequenceFlow")
        return f'<{tag}{key} sourceRef="{source}" targetRef="{target}">{inner}</{tag}>'

    def event(self) -> str:
        name = self.choice.choice(EVENTS)
        inner = ""
        if name == "timer":
            form = self.choice.choice(("timeDuration", "timeDate", "timeCycle"))
            inner = f"<{self.tag(form)}>{self.choice.choice(TIMES)}</{self.tag(form)}>"
        reference = f' {name}Ref="msg"' if name in ("message", "signal", "error", "escalation") else ""
        return f'<{self.tag(f"{name}EventDefinition")}{reference}>{inner}</{self.tag(f"{name}EventDefinition")}>'

    def node(self, kind: str, key: str, depth: int) -> str:
        given = [f'id="{key}"', 'name="Ask"'] if self.often(0.9) else [f'id="{key}"']
        attributes = ATTRIBUTES[self.family].get(kind, ())
        if attributes and self.often(0.6):
            given += [self.choice.choice(attributes).format(v=self.vendor)]
        inner = ""
        extensions = EXTENSIONS[self.family].get(kind, ())
        if extensions and self.often(0.5):
            text = self.choice.choice(extensions).format(v=self.vendor)
            inner = f'<{self.tag("extensionElements")}>{text}</{self.tag("extensionElements")}>'
        if kind.endswith(("ubProcess", "transaction")) and depth < 2:
            inner += self.flow(depth + 1)
        elif kind == "scriptTask" and self.often(0.8):
            inner += f'<{self.tag("script")}>{self.choice.choice(SCRIPTS)}</{self.tag("script")}>'
        elif kind in ("intermediateCatchEvent", "intermediateThrowEvent") or (kind == "endEvent" and self.often(0.2)):
            inner += self.event()
        elif kind.endswith("Task") and self.often(0.1):
            collection = f' {self.vendor}:collection="items"' if self.family == "engine" else ""
            inner += f'<{self.tag("multiInstanceLoopCharacteristics")}{collection}/>'
        return f"<{self.tag(kind)} {' '.join(given)}>{inner}</{self.tag(kind)}>"


def documents(first: int, count: int) -> Iterator[tuple[int, str, bytes]]:
    """Files by their seed: the text, and the bytes it was saved as."""
    for seed in range(first, first + count):
        yield seed, *Maker(seed).file()


def drawn(text: str, skipped: set[str]) -> tuple[set[str], list[tuple[str, str]]]:
    """Flow node ids and ends of sequence flows that another parser finds in *text*, without the *skipped* processes."""
    root = ET.fromstring(text)
    nodes, flows = set(), []
    for process in [child for child in root if child.get("id") in skipped]:
        root.remove(process)
    for element in root.iter():
        name = element.tag.removeprefix(f"{{{BPMN}}}")
        if name in FLOW_NODES and element.tag.startswith(f"{{{BPMN}}}"):
            nodes.add(element.get("id", ""))
        elif name == "sequenceFlow":
            flows.append((element.get("sourceRef", ""), element.get("targetRef", "")))
    return nodes, flows


def silent_losses(text: str, content: bytes, services: Services) -> tuple[bool, list[str]]:
    """
    Whether the gate lets *content* pass, and what is wrong with how it takes it.

    Nothing is wrong when it is clean and complete, or refused by elements that are there.
    """
    package, findings = admit(Package({"p.bpmn": content}), services)
    errors = [finding for finding in findings if finding.severity == "error"]
    ids = {str(element.get("id")) for element in parse_xml(package.files["p.bpmn"], "p.bpmn").iter("*")}
    wrong = [f"{e.rule}: “{e.element}” is not there: {e.message}" for e in errors if e.element not in ids]
    if errors:
        return False, wrong
    compiled = compile_diagram(package)
    nodes, flows = drawn(text, {finding.element for finding in findings if finding.rule == "executable"})
    wrong += [f"lost {node}" for node in nodes - compiled.elements.keys()]
    return True, wrong + [f"lost the flow {ends}" for ends in flows if ends not in compiled.flows]


def losses(first: int, count: int, services: Services) -> tuple[int, dict[int, list[str]]]:
    """How many of the files pass the gate, and what is wrong with how others are taken, by seed."""
    passed, wrong = 0, {}
    for seed, text, content in documents(first, count):
        clean, lost = silent_losses(text, content, services)
        passed += clean
        if lost:
            wrong[seed] = lost
    return passed, wrong
