"""What a flow node reads of the data of a case, in order, and what the data are after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from usher_engine.core.errors import ExpressionError, InvalidDefinition
from usher_engine.core.shapes import ANYTHING, Shape, list_of, nullable, number, record, text
from usher_engine.definitions import Node
from usher_engine.dmn import Decisions, answer_shape, output_shapes
from usher_engine.expressions import (
    Inferred,
    Known,
    KnownData,
    changes,
    compile_expression,
    compile_script,
    compile_template,
    infer_expression,
    infer_script,
    infer_template,
)  # fmt: skip
from usher_engine.forms import deployed_form, form_shape
from usher_engine.services import SEND, Operator

from .process_graph import PEOPLE, Sheet, throws_message
from .service_use import result_shape

Form: TypeAlias = Literal["expression", "script", "template"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """
    One text of *element* that reads *data*; *what* names it in words.

    *wanted* is the shape that its value must have, for an operator's *parameter* or the engine.
    """

    element: str
    what: str
    source: str
    form: Form
    data: KnownData
    wanted: Shape = field(default_factory=dict)
    parameter: str = ""

    def inferred(self, spellings: frozenset[str] = frozenset()) -> Inferred:
        infer = {"expression": infer_expression, "script": infer_script, "template": infer_template}[self.form]
        return infer(self.source, self.data, spellings)

    def changed(self, source: str) -> Inferred | None:
        """What would be inferred of *source* instead; None if it does not compile."""
        compilers: dict[Form, Callable[[str], object]]
        compilers = {"expression": compile_expression, "script": compile_script, "template": compile_template}
        try:
            compilers[self.form](source)
        except ExpressionError:
            return None
        return replace(self, source=source).inferred()


Note: TypeAlias = Callable[[Reading], None]

#: A timer written as ISO 8601 text, which reads nothing.
_ISO_TEXT = re.compile(r"[PR0-9][0-9A-Z:/+.-]*")
Inside: TypeAlias = Callable[[KnownData], KnownData]
ERROR: Shape = record({"code": text(), "message": text()})
CANCELLED: Shape = record({"by": text(), "reason": text(), "element": text()})
DELIVERED: Shape = record({"delivered": {"type": "boolean"}}, others=True)


@dataclass
class Passage:
    """One pass of a token through *node*: notes each reading and carries the data along."""

    sheet: Sheet
    node: Node
    decisions: Decisions
    data: KnownData
    note: Note

    def read(
        self, what: str, source: str, form: Form = "expression", *, wanted: Shape = ANYTHING, parameter: str = ""
    ) -> Inferred | None:
        """Note that *source* is read, if there is any text."""
        if not source.strip():
            return None
        reading = Reading(
            element=self.node.id, what=what, source=source, form=form, data=self.data, wanted=wanted,
            parameter=parameter,
        )  # fmt: skip
        self.note(reading)
        return reading.inferred()

    def run(self, what: str, script: str) -> None:
        found = self.read(what, script, "script")
        self.data = self.data if found is None else found.data


def passed(
    sheet: Sheet, node: Node, decisions: Decisions, data: KnownData, note: Note, inside: Inside | None = None
) -> KnownData:
    """The data after *node* was passed with *data*; *inside* follows them through a sub-process or call."""
    passage = Passage(sheet, node, decisions, data, note)
    if node.kind != "scriptTask":
        passage.run("the script before", node.extensions.get("preScript", ""))
    if inside is None:
        _work(passage)
    else:
        passage.data = inside(passage.data)
    if node.kind != "scriptTask":
        passage.run("the script after", node.extensions.get("postScript", ""))
    return passage.data


def _work(passage: Passage) -> None:
    node = passage.node
    if node.timer is not None and not _ISO_TEXT.fullmatch(node.timer.text):
        passage.read("the timer", node.timer.text)
    if node.kind in PEOPLE:
        _person(passage)
    elif node.kind == "scriptTask":
        passage.run("the script", node.script or "")
    elif node.kind == "serviceTask" or (throws_message(node) and node.service is not None):
        _service(passage)
    elif throws_message(node):
        _thrown(passage)
    elif node.kind == "businessRuleTask":
        _decision(passage)
    elif "message" in node.events or node.kind == "receiveTask":
        passage.data = passage.data.having(result_name(node))


def result_name(node: Node) -> str:
    """The name under which the answer of *node* is stored."""
    own = node.service.variable if node.service else ""
    return own or node.properties.get("resultVariable") or node.id


def _person(passage: Passage) -> None:
    node = passage.node
    passage.read("the message", node.extensions.get("instructionsForEndUser", ""), "template")
    passage.read("the initial values", node.properties.get("initialValues", ""), wanted={"type": "object"})
    passage.data = passage.data.having(result_name(node), answer_of(passage.sheet, node))


def answer_of(sheet: Sheet, node: Node) -> Shape:
    """The shape of the answer to the form of *node*."""
    form = node.properties.get("form", "")
    if not form:
        return record({})
    try:
        return form_shape(deployed_form(sheet.package.text(form)))
    except (InvalidDefinition, KeyError):
        return ANYTHING


def _service(passage: Passage) -> None:
    call = passage.node.service
    if call is None:
        return
    operator = passage.sheet.services.get(call.operator) if call.operator in passage.sheet.services else None
    for name, source in call.parameters.items():
        wanted = _parameter_shape(operator, name)
        passage.read(f"the parameter “{name}”", source, wanted=wanted, parameter=name)
    result = result_shape(operator, passage.sheet.package, call) if operator else ANYTHING
    passage.data = passage.data.having(result_name(passage.node), result)


def _parameter_shape(operator: Operator | None, name: str) -> Shape:
    found = [parameter for parameter in operator.parameters if parameter.name == name] if operator else []
    if not found:
        return ANYTHING
    return found[0].shape if found[0].required else nullable(found[0].shape)


def _thrown(passage: Passage) -> None:
    properties = passage.node.properties
    passage.read("businessKey", properties.get("businessKey", ""))
    passage.read("contents", properties.get("contents", ""), wanted={"type": "object"})
    passage.data = passage.data.having(result_name(passage.node), SEND.result or DELIVERED)


def _decision(passage: Passage) -> None:
    decision = passage.decisions.by_id.get(passage.node.extensions.get("calledDecisionId", "").strip())
    variable = passage.node.properties.get("resultVariable", "")
    if decision is None:
        passage.data = passage.data.having(variable) if variable else passage.data
        return
    given = {variable: answer_shape(decision)} if variable else output_shapes(decision)
    passage.data = passage.data.knowing({name: Known(shape) for name, shape in given.items()})


def items_data(node: Node, data: KnownData, note: Note) -> KnownData:
    """The data with which each item of the repeated *node* begins."""
    repeat = node.repeat
    if repeat is None:
        return data
    own = {"loopCounter": Known(number(whole=True))}
    reading = Reading(element=node.id, what="", source="", form="expression", data=data)
    if repeat.collection:
        note(replace(reading, what="the list it repeats for", source=repeat.collection, wanted=list_of()))
        found = infer_expression(repeat.collection, data)
        own |= {repeat.item: Known(found.shape.get("items", ANYTHING))} if repeat.item else {}
    elif repeat.cardinality:
        note(replace(reading, what="the number of times", source=repeat.cardinality, wanted={"type": "number"}))
        own |= {repeat.item: Known(number(whole=True))} if repeat.item else {}
    return data.knowing(own)


def after_items(node: Node, before: KnownData, after: KnownData) -> KnownData:
    """The data after the repeated *node*, which began with *before*, when each item ended with *after*."""
    repeat = node.repeat
    if repeat is None:
        return after
    own = {"loopCounter", repeat.item, repeat.output} - {""}
    changed = changes(before, after)
    if repeat.output:
        result = after.names.get(repeat.result or result_name(node))
        return before.having(repeat.output, list_of(result.shape if result is not None else ANYTHING))
    changed = {name: known for name, known in changed.items() if name not in own}
    once = "loop" in node.markers and not repeat.test_before
    return before.knowing(changed) if once else before.perhaps(changed)
