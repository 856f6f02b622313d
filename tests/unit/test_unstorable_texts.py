"""Texts no database can keep (NUL, half of a character, too long) are refused wherever a text comes to be."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from drawn_tables import decision, package, table
from usher_engine.core.canonical import MAX_KEY, check_input, is_storable
from usher_engine.core.errors import (
    BusinessError,
    DecisionFailed,
    ExpressionError,
    InvalidDefinition,
    InvalidSubmission,
)
from usher_engine.definitions import Package
from usher_engine.dmn import compile_decisions, read_package
from usher_engine.expressions import case_of, compile_expression, compile_script, compile_template
from usher_engine.forms import parse_form
from usher_engine.gate import check_package
from usher_engine.services import Call, Mode, Operator, Services, checked_answer

NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
SAID = "character that cannot be stored"
UNSTORABLE = [r"\ud800", r"a\udfff", r"\x00", r"a\0b", r"\N{NULL}"]
HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
OURS = 'xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core"'


def findings(inner, before="", name="P"):
    text = f'{HEAD}<process id="p" isExecutable="true" name="{name}">{before}{inner}</process></definitions>'
    return [f for f in check_package(Package({"p.bpmn": text.encode()}), Services()) if f.severity == "error"]


def row(task):
    flows = '<sequenceFlow id="a" sourceRef="s" targetRef="x"/><sequenceFlow id="b" sourceRef="x" targetRef="e"/>'
    return f'<startEvent id="s"/>{task}<endEvent id="e"/>{flows}'


@pytest.mark.parametrize("text", UNSTORABLE)
@pytest.mark.parametrize(
    "source",
    ["'{}'", "name == '{}'", "'{}' == name", "name in ['{}']", "{{'{}': 1}}", "f'{}{{name}}'",
     "name.replace('a', '{}')",
     "join(['{}', name])", "get('{}')", "[x for x in list if x != '{}']", "name < '{}'", "name if '{}' else 1"],
)  # fmt: skip
def test_a_constant_is_refused_when_it_is_compiled(source, text):
    written = source.format(text)
    for compile_text, whole in (
        (compile_expression, written),
        (compile_script, f"a = 1\nb = {written}"),
        (compile_template, f"Dear\n{{{{ {written} }}}}"),
    ):
        with pytest.raises(ExpressionError, match=SAID) as caught:
            compile_text(whole)
        assert caught.value.line == whole.count("\n") + 1
    assert case_of(written) is None


@pytest.mark.parametrize(
    "script", ["r.x = {}", "r[{}] = 1", "r.update({{{}: 1}})", "x += {}", "del r[{}]", "l.append({})"]
)
@pytest.mark.parametrize("text", UNSTORABLE)
def test_a_constant_in_a_script_is_refused_with_its_line(script, text):
    with pytest.raises(ExpressionError, match=SAID) as caught:
        compile_script("\n\n" + script.format(f"'{text}'"))
    assert caught.value.line == 3


@pytest.mark.parametrize("text", ["\x00", "a\ud800"])
def test_what_is_in_the_data_already_goes_no_further(text):
    data = {"x": text, "r": {text: 1}, "l": [[{"a": text}]]}
    for source in ("x", "x + 'b'", "[x]", "r", "l", "x.upper()", "f'{x}'", "l[0][0].a"):
        with pytest.raises(ExpressionError, match=SAID):
            compile_expression(source).evaluate(data, NOW)
    for source in ("y = x", "y = r", "y = 1"):
        with pytest.raises(ExpressionError, match=SAID):
            compile_script(source).run(data, NOW)
    with pytest.raises(ExpressionError, match=SAID) as caught:
        compile_template("\n{{ x }}").render(data, NOW)
    assert caught.value.line == 2
    assert compile_script("del x\ndel r\ndel l").run(data, NOW) == {}
    assert compile_expression("len(x) > 0").evaluate(data, NOW) is True


def test_steps_decided_before_keep_what_sqlite_kept():
    data = {"x": "\x00"}
    assert compile_expression("x").evaluate(data, NOW, 1) == "\x00"
    assert compile_script("y = [x]").run(data, NOW, 1) == {**data, "y": ["\x00"]}
    assert compile_template("{{ x }}").render(data, NOW, rules=1) == "\x00"


@pytest.mark.parametrize(
    "cell", [r'"\ud800"', r'"\x00"', r'"a","\x00"', r'not("\x00")', r'? == "\x00"', r'["a".."\ud800"]']
)
def test_a_cell_of_a_table_is_refused_by_row_and_column(cell):
    (problem,) = read_package(package(decision(table([("a", "")], rows=[([cell], ["1"])])))).problems
    assert problem.element == "r1" and SAID in problem.message and "input column 1" in problem.message
    (problem,) = read_package(package(decision(table([("a", "")], rows=[(["-"], [r'"\ud800"'])])))).problems
    assert problem.element == "r1" and SAID in problem.message and "output column 1" in problem.message


@pytest.mark.parametrize(("inputs", "output"), [([("a", "")], "1"), ([("1", "")], "a")])
def test_a_decision_gives_back_no_such_text(inputs, output):
    decisions = compile_decisions(package(decision(table(inputs, rows=[(["-"], [output])]))))
    with pytest.raises(DecisionFailed, match=SAID):
        decisions.decide("D", {"a": "\x00"}, NOW)


MESSAGE = (
    f'<userTask id="x" name="X"><extensionElements {OURS}><s:instructionsForEndUser>{{{{ "\\x00" }}}}'
    "</s:instructionsForEndUser></extensionElements></userTask>"
)


@pytest.mark.parametrize(
    "task",
    [
        r'<scriptTask id="x"><script>a = "\ud800"</script></scriptTask>',
        r'<scriptTask id="x"><script>a = {"\x00": 1}</script></scriptTask>',
        MESSAGE,
    ],
)
def test_the_gate_reports_it_on_the_element(task):
    assert [(f.element, SAID in f.message) for f in findings(row(task))] == [("x", True)]


def test_the_gate_names_what_a_gateway_is_compared_with_only_where_it_can_be_said():
    ways = (
        '<startEvent id="s"/><exclusiveGateway id="g"/><endEvent id="e"/><endEvent id="f"/>'
        '<sequenceFlow id="a" sourceRef="s" targetRef="g"/>'
        r'<sequenceFlow id="b" sourceRef="g" targetRef="e"><conditionExpression>x == "\ud800"</conditionExpression>'
        '</sequenceFlow><sequenceFlow id="c" sourceRef="g" targetRef="f"><conditionExpression>x == "a"'
        "</conditionExpression></sequenceFlow>"
    )
    found = findings(ways)
    assert "b" in [f.element for f in found]
    assert all(is_storable(f.message) for f in found)


@pytest.mark.parametrize(
    ("most", "element", "drawn"),
    [
        (200, "p", lambda name: findings(row('<task id="x"/>'), name=name)),
        (1_000, "x", lambda name: findings(row(f'<task id="x" name="{name}"/>'))),
        (
            200,
            "x",
            lambda name: findings(
                row(
                    f'<userTask id="x" name="X"><extensionElements {OURS}><s:properties><s:property '
                    f'name="candidateGroups" value="{name}"/></s:properties></extensionElements></userTask>'
                )
            ),
        ),
        (
            200,
            "p",
            lambda name: findings(
                row('<task id="x"/>'),
                f'<laneSet id="ls"><lane id="l" name="{name}"><flowNodeRef>x</flowNodeRef></lane></laneSet>',
            ),
        ),
    ],
)
def test_names_too_long_for_the_store_are_refused_at_the_gate(most, element, drawn):
    assert drawn("n" * most) == []
    (finding,) = drawn("n" * 50_000)
    assert (finding.element, finding.rule) == (element, "name")
    assert f"50,000 characters; at most {most:,}" in finding.message


def test_names_of_data_are_as_short_as_those_that_come_in():
    longest = "n" * MAX_KEY
    assert compile_script(f"{longest} = 1\nr.{longest} = 2").run({"r": {}}, NOW)["r"] == {longest: 2}
    for script in (f"{longest}n = 1", f"r.{longest}n = 1", f"for {longest}n in []: pass", f"r['{longest}n'] = 1"):
        with pytest.raises(ExpressionError, match=f"{MAX_KEY} characters"):
            compile_script(script).run({"r": {}}, NOW)


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
@pytest.mark.parametrize("where", ["label", "description", "defaultValue", "key", "type"])
def test_a_form_holds_no_such_text(where, text):
    component = {"type": "textfield", "key": "a", "label": "A", where: f"a{text}"}
    form = {"components": [{"type": "textfield", "key": "b", "label": "B"}, component]}
    with pytest.raises(InvalidDefinition) as caught:
        parse_form(json.dumps(form))
    ((place, reason),) = caught.value.problems
    assert place == "component 2" and SAID in reason
    with pytest.raises(InvalidDefinition, match="form"):
        parse_form(json.dumps({"id": text, "components": []}))
    with pytest.raises(InvalidDefinition, match="component 1"):
        parse_form(json.dumps({"components": [{"type": "textfield", "properties": {text: "x"}}]}))


@pytest.mark.parametrize("result", ["\x00", {"a": ["\ud800"]}, {"\x00": 1}, "x" * 20_001, float("nan"), {1, 2}])
def test_an_operator_is_a_door_too(result):
    operator = Operator(name="test/read", title="Read", mode=Mode.READ, call=lambda _values, _call: result)
    with pytest.raises(InvalidSubmission, match="test/read"):
        checked_answer(operator, {}, a_call())


def test_an_operator_refuses_with_words_that_can_be_kept():
    def refuse(_values, _call):
        raise BusinessError("no", "not \ud800 today")

    with pytest.raises(InvalidSubmission, match="test/read"):
        checked_answer(Operator(name="test/read", title="Read", mode=Mode.READ, call=refuse), {}, a_call())


def a_call():
    return Call(instance="I", element="x", visit=1, now=NOW, actor="a", package=Package({}))


def test_what_can_be_stored():
    assert [is_storable(text) for text in ("", "a", "é", "😀", "\x01", "\ud7ff\ue000")] == [True] * 6
    assert [is_storable(text) for text in ("\x00", "a\x00", "\ud800", "😀\udfff")] == [False] * 4
    with pytest.raises(InvalidSubmission, match="cannot be stored"):
        check_input({"a": "\udc00"})
