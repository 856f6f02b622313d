"""Writes a tree of `trees` as a package Usher accepts: a BPMN file, a form, and the data a case starts with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from usher_engine.definitions import Package

from .drawing import Drawing, Ends
from .graph_writing import write_graph

Block = dict[str, Any]

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" id="definitions" targetNamespace="random">'
)
_FORM = {
    "type": "default",
    "schemaVersion": 19,
    "components": [{"type": "number", "key": "v", "label": "Value", "validate": {"required": True}}],
}
_EFFECT = (
    '<bpmn:extensionElements><spiffworkflow:serviceTaskOperator id="test/effect" resultVariable="{key}r">'
    "<spiffworkflow:parameters/></spiffworkflow:serviceTaskOperator></bpmn:extensionElements>"
)
_SENDS = (
    "<bpmn:extensionElements><spiffworkflow:properties>"
    '<spiffworkflow:property name="businessKey" value="&quot;1&quot;"/>'
    "</spiffworkflow:properties></bpmn:extensionElements>"
)
_ASKS = (
    "<bpmn:extensionElements><spiffworkflow:properties>"
    '<spiffworkflow:property name="candidateGroups" value="Front desk"/>'
    '<spiffworkflow:property name="form" value="answer.form"/>'
    "</spiffworkflow:properties></bpmn:extensionElements>"
)


@dataclass
class Model:
    """A written tree."""

    xml: str
    data: dict[str, Any]

    @property
    def package(self) -> Package:
        return Package({"model.bpmn": self.xml.encode(), "answer.form": json.dumps(_FORM).encode()})


def write(tree: Block) -> Model:
    """Return *tree* as BPMN, with the data its gateways read."""
    writer = _Writer()
    writer.process(tree)
    errors = "".join(f'<bpmn:error id="x{c}" errorCode="{c}"/>' for c in ("E1", "E2", "no"))
    codes = ("S1", "S2", "cancel")
    errors += "".join(f'<bpmn:escalation id="x{c}" escalationCode="{c}"/>' for c in codes)
    messages = "".join(f'<bpmn:message id="x{name}" name="{name}"/>' for name in writer.messages)
    return Model(f"{_HEAD}{errors}{messages}{''.join(writer.processes)}</bpmn:definitions>", writer.data)


@dataclass
class _Writer:
    processes: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    #: User tasks written so far: a read answer must exist.
    asked: set[int] = field(default_factory=set)

    def process(self, block: Block) -> str:
        key = f"p{block['id']}"
        inside = _Scope(self).write(block)
        self.processes.append(f'<bpmn:process id="{key}" isExecutable="true">{inside}</bpmn:process>')
        return key

    def message(self, key: str) -> str:
        self.messages.append(f"M{key}")
        return f"xM{key}"


class _Scope:
    """The contents of one process or sub-process: its nodes, and the flows after them."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer
        self.drawn = Drawing()

    def write(self, block: Block, start: str = "", attributes: str = "") -> str:
        key = str(block["id"])
        self.drawn.node("startEvent", f"s{key}", start, attributes)
        ends = self.sequence(block["in"][0], [(f"s{key}", "", False)])
        self.drawn.end(f"e{key}", ends)
        for beside in block.get("beside", ()):
            self.beside(beside)
        return self.drawn.xml

    def sequence(self, blocks: list[Block], ends: Ends) -> Ends:
        """Write *blocks* after *ends*; return the open ends, none if no token leaves."""
        for block in blocks:
            if not ends:
                return ends
            ends = getattr(self, f"_{block['k']}")(block, ends)
        return ends

    # activities

    def _activity(
        self, block: Block, ends: Ends, tag: str, first: str = "", rest: str = "", attributes: str = ""
    ) -> Ends:
        """*first* and *rest* are its contents before and after the repetition."""
        key = f"{block['k']}{block['id']}"
        self.drawn.enter(ends, key)
        self.drawn.node(tag, key, first + self._repeat(block) + rest, attributes)
        return [(key, "", False), *self._bounds(block, key)]

    def _bounds(self, block: Block, host: str) -> Ends:
        """Return the ends of interrupting boundary events; the paths of others end."""
        on: Ends = []
        for bound in block.get("bounds", ()):
            key = f"b{bound['id']}"
            stays = "" if bound["stops"] else ' cancelActivity="false"'
            self.drawn.node("boundaryEvent", key, self._trigger(bound, key), f' attachedToRef="{host}"{stays}')
            after = self.sequence(bound["in"][0], [(key, "", False)])
            if bound["stops"]:
                on += after
            else:
                self.drawn.end(f"e{bound['id']}", after)
        return on

    def _trigger(self, catch: Block, key: str) -> str:
        match catch["on"]:
            case "timer":
                cycle = catch.get("cycle")
                form = "timeCycle" if cycle else "timeDuration"
                text = "R3/PT1H" if cycle else "PT1H"
                return f"<bpmn:timerEventDefinition><bpmn:{form}>{text}</bpmn:{form}></bpmn:timerEventDefinition>"
            case "message":
                return f'<bpmn:messageEventDefinition messageRef="{self.writer.message(key)}"/>'
            case "error":
                return f'<bpmn:errorEventDefinition errorRef="x{catch["code"]}"/>'
        return f'<bpmn:escalationEventDefinition escalationRef="x{catch["code"]}"/>'

    def _repeat(self, block: Block) -> str:
        repeat = block.get("repeat")
        if not repeat:
            return ""
        if repeat["how"] == "loop":
            return f'<bpmn:standardLoopCharacteristics loopMaximum="{repeat["times"]}"/>'
        inside = f"<bpmn:loopCardinality>{repeat['times']}</bpmn:loopCardinality>"
        if repeat["list"]:
            name = f"l{block['id']}"
            self.writer.data[name] = list(range(repeat["times"]))
            inside = f"<bpmn:loopDataInputRef>{name}</bpmn:loopDataInputRef>"
        if repeat["output"]:
            inside += f"<bpmn:loopDataOutputRef>o{block['id']}</bpmn:loopDataOutputRef>"
        if repeat["list"]:
            inside += f'<bpmn:inputDataItem id="i{block["id"]}" name="i{block["id"]}"/>'
        if repeat["enough"]:
            condition = f"numberOfCompletedInstances == {repeat['enough']}"
            inside += f"<bpmn:completionCondition>{condition}</bpmn:completionCondition>"
        turn = "true" if repeat["how"] == "sequential" else "false"
        return (
            f'<bpmn:multiInstanceLoopCharacteristics isSequential="{turn}">{inside}'
            "</bpmn:multiInstanceLoopCharacteristics>"
        )

    def _user(self, block: Block, ends: Ends) -> Ends:
        self.writer.asked.add(block["id"])
        return self._activity(block, ends, "userTask", _ASKS)

    def _manual(self, block: Block, ends: Ends) -> Ends:
        return self._activity(block, ends, "manualTask")

    def _script(self, block: Block, ends: Ends) -> Ends:
        return self._activity(block, ends, "scriptTask", rest=f"<bpmn:script>d{block['id']} = 1</bpmn:script>")

    def _service(self, block: Block, ends: Ends) -> Ends:
        return self._activity(block, ends, "serviceTask", _EFFECT.format(key=f"service{block['id']}"))

    def _receive(self, block: Block, ends: Ends) -> Ends:
        message = self.writer.message(f"receive{block['id']}")
        return self._activity(block, ends, "receiveTask", attributes=f' messageRef="{message}"')

    def _send(self, block: Block, ends: Ends) -> Ends:
        message = self.writer.message(f"send{block['id']}")
        if block.get("bounds"):
            return self._activity(block, ends, "sendTask", _SENDS, attributes=f' messageRef="{message}"')
        key = f"send{block['id']}"
        self.drawn.enter(ends, key)
        self.drawn.node("intermediateThrowEvent", key, f'{_SENDS}<bpmn:messageEventDefinition messageRef="{message}"/>')
        return [(key, "", False)]

    def _sub(self, block: Block, ends: Ends) -> Ends:
        return self._activity(block, ends, "subProcess", rest=_Scope(self.writer).write(block))

    def _call(self, block: Block, ends: Ends) -> Ends:
        return self._activity(block, ends, "callActivity", attributes=f' calledElement="{self.writer.process(block)}"')

    def beside(self, catch: Block) -> None:
        key = f"x{catch['id']}"
        stays = "" if catch["stops"] else ' isInterrupting="false"'
        inside = _Scope(self.writer).write(catch, self._trigger(catch, f"s{catch['id']}"), stays)
        self.drawn.node("subProcess", key, inside, ' triggeredByEvent="true"')

    # events

    def _event_node(self, block: Block, ends: Ends, tag: str, inside: str) -> Ends:
        key = f"{block['k']}{block['id']}"
        self.drawn.enter(ends, key)
        self.drawn.node(tag, key, inside)
        return [(key, "", False)]

    def _timer(self, block: Block, ends: Ends) -> Ends:
        return self._event_node(block, ends, "intermediateCatchEvent", self._trigger({"on": "timer"}, ""))

    def _message(self, block: Block, ends: Ends) -> Ends:
        trigger = self._trigger({"on": "message"}, f"message{block['id']}")
        return self._event_node(block, ends, "intermediateCatchEvent", trigger)

    def _none(self, block: Block, ends: Ends) -> Ends:
        return self._event_node(block, ends, "intermediateThrowEvent", "")

    def _link(self, block: Block, ends: Ends) -> Ends:
        link = f'<bpmn:linkEventDefinition name="L{block["id"]}"/>'
        self._event_node(block, ends, "intermediateThrowEvent", link)
        self.drawn.node("intermediateCatchEvent", f"caught{block['id']}", link)
        return [(f"caught{block['id']}", "", False)]

    def _escalate(self, block: Block, ends: Ends) -> Ends:
        before = self._user({"k": "user", "id": f"{block['id']}w"}, ends)
        trigger = f'<bpmn:escalationEventDefinition escalationRef="x{block["code"]}"/>'
        return self._event_node(block, before, "intermediateThrowEvent", trigger)

    def _leave(self, block: Block, ends: Ends) -> Ends:
        before = self._user({"k": "user", "id": f"{block['id']}w"}, ends)
        how, inside = block["how"], ""
        if how == "terminate":
            inside = "<bpmn:terminateEventDefinition/>"
        elif how != "end":
            inside = f'<bpmn:{how}EventDefinition {how}Ref="x{block["code"]}"/>'
        self.drawn.end(f"leave{block['id']}", before, inside)
        return []

    # gateways

    def _split(self, block: Block, ends: Ends, tag: str) -> str:
        key = f"{block['k']}{block['id']}"
        self.drawn.node(tag, key)
        self.drawn.connect(self.drawn.merged(ends, f"m{key}"), key)
        return key

    def _variable(self, block: Block, value: Any) -> str:
        if block.get("reads") in self.writer.asked:
            return f"user{block['reads']}"
        self.writer.data[f"g{block['id']}"] = value
        return f"g{block['id']}"

    def _xor(self, block: Block, ends: Ends) -> Ends:
        key, found = self._split(block, ends, "exclusiveGateway"), Ends()
        variable = self._variable(block, {"v": block["pick"]})
        for number, branch in enumerate(block["in"]):
            default = number == len(block["in"]) - 1
            found += self.sequence(branch, [(key, "" if default else f"{variable}.v == {number}", default)])
        return found if block["bare"] else self.drawn.merged(found, f"j{key}")

    def _and(self, block: Block, ends: Ends) -> Ends:
        key = self._split(block, ends, "parallelGateway")
        return self._joined(key, [self.sequence(branch, [(key, "", False)]) for branch in block["in"]])

    def _incl(self, block: Block, ends: Ends) -> Ends:
        key = self._split(block, ends, "inclusiveGateway")
        variable = self._variable(block, {"v": block["pick"]})
        ways = []
        for number, branch in enumerate(block["in"]):
            default = number == len(block["in"]) - 1
            condition = "" if default else f"{variable}.v {'<' if block['picks'][number] else '=='} {number + 1}"
            ways.append(self.sequence(branch, [(key, condition, default)]))
        return self._joined(key, ways)

    def _joined(self, key: str, ways: list[Ends]) -> Ends:
        """Join the branches of the split *key*; merge a branch with several ends before that."""
        join, tag = f"j{key}", "parallelGateway" if key.startswith("and") else "inclusiveGateway"
        ends = [end for number, way in enumerate(ways) for end in self.drawn.merged(way, f"m{number}{key}")]
        if not ends:
            return ends
        self.drawn.node(tag, join)
        self.drawn.connect(ends, join)
        return [(join, "", False)]

    def _event(self, block: Block, ends: Ends) -> Ends:
        key, found = self._split(block, ends, "eventBasedGateway"), Ends()
        for kind, number, branch in zip(block["kinds"], block["picks"], block["in"], strict=True):
            caught = getattr(self, f"_{kind}")({"k": kind, "id": number}, [(key, "", False)])
            found += self.sequence(branch, caught)
        return self.drawn.merged(found, f"j{key}")

    def _loop(self, block: Block, ends: Ends) -> Ends:
        """A loop with a number of rounds, with the condition after the body or before it (``while``)."""
        number, (body,) = block["id"], block["in"]
        counter = f"c{number}"
        self.drawn.enter(ends, f"zero{number}")
        self.drawn.node("scriptTask", f"zero{number}", f"<bpmn:script>{counter} = 0</bpmn:script>")
        head, tail, count = f"head{number}", f"tail{number}", f"count{number}"
        self.drawn.node("exclusiveGateway", head)
        self.drawn.flow(f"zero{number}", head)
        again = f"{counter} < {block['times']}"
        if block["while"]:
            self.drawn.node("exclusiveGateway", tail)
            self.drawn.flow(head, tail)
            rest = self.sequence(body, [(tail, again, False)])
        else:
            rest = self.sequence(body, [(head, "", False)])
        if rest:
            self.drawn.enter(rest, count)
            self.drawn.node("scriptTask", count, f"<bpmn:script>{counter} = {counter} + 1</bpmn:script>")
            if block["while"]:
                self.drawn.flow(count, head)
            else:
                self.drawn.node("exclusiveGateway", tail)
                self.drawn.flow(count, tail)
                self.drawn.flow(tail, head, again)
        elif not block["while"]:
            return []
        return [(tail, "", True)]

    def _graph(self, block: Block, ends: Ends) -> Ends:
        return write_graph(self, block, ends)
