"""Writes a tree of `trees` as a package Usher accepts: a BPMN file, a form, and the data a case starts with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from usher_engine.definitions import Package

Block = dict[str, Any]

#: Dangling ends of what is written so far: the node a flow must leave from, its condition, whether it is the default.
Ends = list[tuple[str, str, bool]]

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" id="definitions" targetNamespace="random">'
)
_FORM = {
    "type": "default",
    "schemaVersion": 19,
    "components": [{"type": "number", "key": "v", "label": "Value", "validate": {"required": True}}],
}
_GATEWAYS = {"xor": "exclusiveGateway", "and": "parallelGateway", "incl": "inclusiveGateway"}
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
    """*tree* as BPMN, with the data its gateways decide on."""
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
    #: User tasks that are written: what is read must be there.
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
    """What lies in one process or sub-process: its nodes, and the flows behind them."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer
        self.nodes: list[str] = []
        self.flows: list[str] = []
        self.defaults: dict[str, str] = {}

    def write(self, block: Block, start: str = "", attributes: str = "") -> str:
        key = str(block["id"])
        self.node("startEvent", f"s{key}", start, attributes)
        ends = self.sequence(block["in"][0], [(f"s{key}", "", False)])
        self.end(f"e{key}", ends)
        for beside in block.get("beside", ()):
            self.beside(beside)
        marked = [
            node.replace(" DEFAULT", f' default="{self.defaults[key]}"' if key in self.defaults else "", 1)
            for node in self.nodes
            for key in [node.split('id="', 1)[1].split('"', 1)[0]]
        ]
        return "".join([*marked, *self.flows])

    def node(self, tag: str, key: str, inside: str = "", attributes: str = "") -> None:
        self.nodes.append(f'<bpmn:{tag} id="{key}" name="{key}"{attributes} DEFAULT>{inside}</bpmn:{tag}>')

    def connect(self, ends: Ends, target: str) -> None:
        """Flows from *ends* to *target*; a second one between the same two goes through an event that does nothing."""
        sources: set[str] = set()
        for source, condition, default in ends:
            goal = target
            if source in sources:
                goal = f"n{source}_{len(self.flows)}"
                self.node("intermediateThrowEvent", goal)
                self.flow(goal, target)
            sources.add(source)
            self.flow(source, goal, condition, default)

    def flow(self, source: str, target: str, condition: str = "", default: bool = False) -> None:
        key = f"f{len(self.flows)}_{source}_{target}"
        inside = f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>" if condition else ""
        self.flows.append(
            f'<bpmn:sequenceFlow id="{key}" sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>'
        )
        if default:
            self.defaults[source] = key

    def end(self, key: str, ends: Ends, inside: str = "") -> None:
        if ends:
            self.node("endEvent", key, inside)
            self.connect(ends, key)

    def sequence(self, blocks: list[Block], ends: Ends) -> Ends:
        """Writes *blocks* behind *ends*; empty when no token comes out."""
        for block in blocks:
            if not ends:
                return ends
            ends = getattr(self, f"_{block['k']}")(block, ends)
        return ends

    def enter(self, ends: Ends, target: str) -> None:
        """Flows to an activity; several meet at a gateway before it, or at the activity itself."""
        if len(ends) > 1 and len(target) % 2:
            self.node("exclusiveGateway", f"m{target}")
            self.connect(ends, f"m{target}")
            ends = [(f"m{target}", "", False)]
        self.connect(ends, target)

    def merged(self, ends: Ends, key: str) -> Ends:
        """One end; several meet at an exclusive gateway."""
        if len(ends) < 2:
            return ends
        self.node("exclusiveGateway", key)
        self.connect(ends, key)
        return [(key, "", False)]

    # activities

    def _activity(
        self, block: Block, ends: Ends, tag: str, first: str = "", rest: str = "", attributes: str = ""
    ) -> Ends:
        """*first* and *rest* are what stands in it before and behind its repetition."""
        key = f"{block['k']}{block['id']}"
        self.enter(ends, key)
        self.node(tag, key, first + self._repeat(block) + rest, attributes)
        return [(key, "", False), *self._bounds(block, key)]

    def _bounds(self, block: Block, host: str) -> Ends:
        """The ways that lead on from interrupting boundary events; the others end by themselves."""
        on: Ends = []
        for bound in block.get("bounds", ()):
            key = f"b{bound['id']}"
            stays = "" if bound["stops"] else ' cancelActivity="false"'
            self.node("boundaryEvent", key, self._trigger(bound, key), f' attachedToRef="{host}"{stays}')
            after = self.sequence(bound["in"][0], [(key, "", False)])
            if bound["stops"]:
                on += after
            else:
                self.end(f"e{bound['id']}", after)
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
        self.enter(ends, key)
        self.node("intermediateThrowEvent", key, f'{_SENDS}<bpmn:messageEventDefinition messageRef="{message}"/>')
        return [(key, "", False)]

    def _sub(self, block: Block, ends: Ends) -> Ends:
        return self._activity(block, ends, "subProcess", rest=_Scope(self.writer).write(block))

    def _call(self, block: Block, ends: Ends) -> Ends:
        return self._activity(block, ends, "callActivity", attributes=f' calledElement="{self.writer.process(block)}"')

    def beside(self, catch: Block) -> None:
        key = f"x{catch['id']}"
        stays = "" if catch["stops"] else ' isInterrupting="false"'
        inside = _Scope(self.writer).write(catch, self._trigger(catch, f"s{catch['id']}"), stays)
        self.node("subProcess", key, inside, ' triggeredByEvent="true"')

    # events

    def _event_node(self, block: Block, ends: Ends, tag: str, inside: str) -> Ends:
        key = f"{block['k']}{block['id']}"
        self.enter(ends, key)
        self.node(tag, key, inside)
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
        self.node("intermediateCatchEvent", f"caught{block['id']}", link)
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
        self.end(f"leave{block['id']}", before, inside)
        return []

    # gateways

    def _split(self, block: Block, ends: Ends, tag: str) -> str:
        key = f"{block['k']}{block['id']}"
        self.node(tag, key)
        self.connect(self.merged(ends, f"m{key}"), key)
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
        return found if block["bare"] else self.merged(found, f"j{key}")

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
        """The join of the branches that came out of the split *key*; a branch of several ends is merged before it."""
        join, tag = f"j{key}", "parallelGateway" if key.startswith("and") else "inclusiveGateway"
        ends = [end for number, way in enumerate(ways) for end in self.merged(way, f"m{number}{key}")]
        if not ends:
            return ends
        self.node(tag, join)
        self.connect(ends, join)
        return [(join, "", False)]

    def _event(self, block: Block, ends: Ends) -> Ends:
        key, found = self._split(block, ends, "eventBasedGateway"), Ends()
        for kind, number, branch in zip(block["kinds"], block["picks"], block["in"], strict=True):
            caught = getattr(self, f"_{kind}")({"k": kind, "id": number}, [(key, "", False)])
            found += self.sequence(branch, caught)
        return self.merged(found, f"j{key}")

    def _loop(self, block: Block, ends: Ends) -> Ends:
        """Again while it has not gone round so often: asked behind the body, or before it (``while``)."""
        number, (body,) = block["id"], block["in"]
        counter = f"c{number}"
        self.enter(ends, f"zero{number}")
        self.node("scriptTask", f"zero{number}", f"<bpmn:script>{counter} = 0</bpmn:script>")
        head, tail, count = f"head{number}", f"tail{number}", f"count{number}"
        self.node("exclusiveGateway", head)
        self.flow(f"zero{number}", head)
        again = f"{counter} < {block['times']}"
        if block["while"]:
            self.node("exclusiveGateway", tail)
            self.flow(head, tail)
            rest = self.sequence(body, [(tail, again, False)])
        else:
            rest = self.sequence(body, [(head, "", False)])
        if rest:
            self.enter(rest, count)
            self.node("scriptTask", count, f"<bpmn:script>{counter} = {counter} + 1</bpmn:script>")
            if block["while"]:
                self.flow(count, head)
            else:
                self.node("exclusiveGateway", tail)
                self.flow(count, tail)
                self.flow(tail, head, again)
        elif not block["while"]:
            return []
        return [(tail, "", True)]

    # graphs

    def _graph(self, block: Block, ends: Ends) -> Ends:
        """Nodes and the flows between them, with a join before a node and a split behind it where it needs one."""
        key = f"g{block['id']}"
        last = len(block["nodes"]) - 1
        into: dict[int, Ends] = {number: [] for number in range(len(block["nodes"]))}
        self.writer.data[key] = {"v": block["pick"]}
        loops = [(j, i) for j, i in block.get("back", ())]
        for number, node in enumerate(block["nodes"]):
            name = f"{key}n{number}"
            before = self.merged(ends, f"{name}m") if number == 0 else into[number]
            if len(before) > 1:
                self.node(_GATEWAYS[node["join"]], f"{name}j")
                self.connect(before, f"{name}j")
                before = [(f"{name}j", "", False)]
            if any(i == number for _, i in loops):
                self.node("exclusiveGateway", f"{name}h")
                self.connect(before, f"{name}h")
                before = [(f"{name}h", "", False)]
            after = self.sequence([{"k": node["k"], "id": f"{block['id']}n{number}"}], before)
            for j, i in loops:
                if j == number:
                    after = self._back(f"{name}b", f"{key}n{i}h", after)
            targets = [target for source, target in block["flows"] if source == number]
            if number == last or len(targets) == 1:
                outs = after
            else:
                self.node(_GATEWAYS[node["split"]], f"{name}s")
                self.connect(after, f"{name}s")
                outs = self._outs(f"{name}s", key, node["split"], len(targets))
            if number == last:
                return outs
            for way, target in zip(outs if len(targets) > 1 else outs * len(targets), targets, strict=True):
                into[target].append(way)
        return []

    def _outs(self, split: str, variable: str, kind: str, count: int) -> Ends:
        if kind == "and":
            return [(split, "", False)] * count
        sign = "==" if kind == "xor" else "<"
        return [(split, f"{variable}.v {sign} {number + (kind == 'incl')}", False) for number in range(count - 1)] + [
            (split, "", True)
        ]

    def _back(self, name: str, head: str, ends: Ends) -> Ends:
        """Once back to *head* past a user task, then on."""
        counter = name
        self.writer.data[counter] = 0
        self.node("exclusiveGateway", f"{name}x")
        self.connect(ends, f"{name}x")
        again = self._user({"k": "user", "id": f"{name}u"}, [(f"{name}x", f"{counter} < 1", False)])
        self.node("scriptTask", f"{name}c", f"<bpmn:script>{counter} = {counter} + 1</bpmn:script>")
        self.connect(again, f"{name}c")
        self.flow(f"{name}c", head)
        return [(f"{name}x", "", True)]
