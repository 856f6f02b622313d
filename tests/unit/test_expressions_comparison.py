"""Equality and order: the same in conditions, scripts, templates, decision tables and at the gate.

Steps recorded before rules 2 keep the answers they were decided by.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from drawn_tables import decision, package, table
from usher_engine.bpmn import Run, Step, compile_diagram
from usher_engine.core.errors import DecisionFailed, ExpressionError
from usher_engine.definitions import Package
from usher_engine.dmn import compile_decisions
from usher_engine.dmn.unary_tests import read_cell
from usher_engine.expressions import compile_expression, compile_script, compile_template
from usher_engine.expressions.comparison import moment, order_keys, same
from usher_engine.gate import check_package
from usher_engine.services import Services

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)
NINE, SEVEN, EIGHT = "2026-05-03T09:00:00+02:00", "2026-05-03T07:00:00Z", "2026-05-03T08:00:00Z"
DATA = {
    "yes": True, "no": False, "one": 1, "point": 1.0, "zero": 0, "text": "1", "none": None,
    "nine": NINE, "seven": SEVEN, "eight": EIGHT, "bare": "2026-05-03T07:00:00", "half": "2026-05-03T07:00:00.5Z",
    "day": "2026-05-03", "late": "2026-05-03T23:30:00-05:00", "next": "2026-05-04T04:30:00Z",
    "times": [EIGHT, NINE], "flags": [True, 1], "deep": [{"a": [True, NINE]}],
}  # fmt: skip
REFUSED = "refused"

ANSWERS = [
    # source, its answer, and the answer by the first rules
    ("one == yes", False, True),
    ("yes == 1", False, True),
    ("one == True", False, True),
    ("1 == yes", False, True),
    ("one != yes", True, False),
    ("yes != 1", True, False),
    ("one != True", True, False),
    ("zero == no", False, True),
    ("no != 0", True, False),
    ("yes == 1.0", False, True),
    ("yes == True", True, True),
    ("yes != True", False, False),
    ("no == False", True, True),
    ("one == 1.0", True, True),
    ("point == 1", True, True),
    ("one == '1'", False, False),
    ("text == 1", False, False),
    ("none == False", False, False),
    ("none == None", True, True),
    ("none != 0", True, True),
    ("0 == none", False, False),
    ("yes in [1]", False, True),
    ("1 in [yes]", False, True),
    ("yes not in [1, 0]", True, False),
    ("one in flags", True, True),
    ("[yes] == [1]", False, True),
    ("[1.0, [one]] == [point, [1]]", True, True),
    ("{'a': yes} == {'a': 1}", False, True),
    ("{'a': [yes]} != {'a': [1]}", True, False),
    ("{'a': 1} == {'b': 1}", False, False),
    ("[1] == [1, 2]", False, False),
    ("deep == [{'a': [True, seven]}]", True, False),
    ("deep == [{'a': [1, nine]}]", False, True),
    ("yes < 2", REFUSED, True),
    ("2 > yes", REFUSED, True),
    ("yes <= one", REFUSED, True),
    ("one >= no", REFUSED, True),
    ("no < yes", REFUSED, True),
    ("zero < one <= yes", REFUSED, True),
    ("one < True", REFUSED, False),
    ("max(yes, 0)", REFUSED, True),
    ("min([one, yes])", REFUSED, 1),
    ("sorted([2, yes])", REFUSED, [True, 2]),
    ("max(1, 2.5)", 2.5, 2.5),
    ("sum([yes, yes])", 2, 2),
    ("nine < eight", True, False),
    ("nine <= eight", True, False),
    ("nine > eight", False, True),
    ("eight >= nine", True, False),
    (f"nine < '{EIGHT}'", True, False),
    (f"'{EIGHT}' < nine", False, True),
    (f"nine == '{SEVEN}'", True, False),
    (f"nine != '{SEVEN}'", False, True),
    (f"'{SEVEN}' == nine", True, False),
    ("nine == seven", True, False),
    ("nine != seven", False, True),
    ("nine in [seven]", True, False),
    ("seven not in times", False, True),
    ("half > seven", True, False),
    ("half == seven", False, False),
    ("seven < half < eight", True, False),
    ("late == next", True, False),
    ("bare == nine", True, False),  # without an offset in UTC, as decision tables have it
    ("bare < eight", True, True),
    ("max(times)", EIGHT, NINE),
    ("min(eight, nine)", NINE, EIGHT),
    ("sorted([eight, nine])", [NINE, EIGHT], [EIGHT, NINE]),
    ("sorted([eight, nine, day])", ["2026-05-03", EIGHT, NINE], ["2026-05-03", EIGHT, NINE]),
    ("day < seven", True, True),
    ("day == seven", False, False),
    ("day < today()", True, True),
    ("seven < now()", True, True),
    ("'a' < 'b'", True, True),
    ("'10' < '9'", True, True),
    ("'2026-99-03T09:00:00Z' < '2026-99-03T08:00:00+09:00'", False, False),
    ("'T' == 't'", False, False),
    ("'1T' == '1T0'", False, False),
]


@pytest.mark.parametrize(("source", "answer", "before"), ANSWERS)
def test_an_expression_by_the_rules_of_its_step(source, answer, before):
    for rules, expected in ((2, answer), (1, before)):
        compiled = compile_expression(source)
        if expected is REFUSED:
            with pytest.raises(ExpressionError, match="numbers"):
                compiled.evaluate(DATA, NOW, rules)
        else:
            found = compiled.evaluate(DATA, NOW, rules)
            assert (found, type(found)) == (expected, type(expected)), rules


def test_the_newest_rules_are_the_default():
    assert compile_expression("yes == one").evaluate(DATA, NOW) is False


def test_scripts_and_templates_by_the_rules_of_their_step():
    script, template = compile_script("l = [2, 1]\nl.remove(yes)"), compile_template("{{ 'in time' if a < b else '' }}")
    times = {"a": NINE, "b": EIGHT}
    assert script.run({"yes": True}, NOW, 1)["l"] == [2]
    with pytest.raises(ExpressionError, match="no such element"):
        script.run({"yes": True}, NOW)
    assert (template.render(times, NOW, rules=1), template.render(times, NOW)) == ("", "in time")


@pytest.mark.parametrize(
    ("cell", "value", "answer", "before"),
    [
        (f'"{SEVEN}"', NINE, "yes", "no"),
        (f'not("{SEVEN}")', NINE, "no", "yes"),
        (f'< "{EIGHT}"', NINE, "yes", "no"),
        (f'["{SEVEN}".."{EIGHT}"]', NINE, "yes", "no"),
        (f'date and time("{SEVEN}")', NINE, "yes", "yes"),
        (f'"{SEVEN}"', "2026-05-03T07:00:00", "yes", "no"),
        ("seven", NINE, "yes", "no"),
        ("? == 1", True, "no", "yes"),
        ("1", True, "no", "no"),
        ("true", 1, "no", "no"),
        ("? in [1]", True, "no", "yes"),
        ("one", True, "no", "no"),
        ("record", {"a": 1}, "no", "yes"),
    ],
)
def test_a_table_and_a_condition_agree(cell, value, answer, before):
    logic = table([("at", "")], rows=[([cell], ['"yes"']), (["-"], ['"no"'])], policy="FIRST")
    decisions = compile_decisions(package(decision(logic)))
    data = {"at": value, "seven": SEVEN, "one": 1, "record": {"a": True}}
    for rules, expected in ((2, answer), (1, before)):
        assert decisions.decide("D", data, NOW, rules)[-1].value == expected


def test_priorities_and_agreement_distinguish_types():
    rows = [(["-"], ["one"]), (["-"], ["truth"])]
    data = {"age": 1, "truth": [True], "one": [1], "first": NINE, "second": SEVEN}
    ranked = table([("age", "")], [("out", "", "true, 1")], [(["-"], ["one[0]"]), (["-"], ["truth[0]"])], "PRIORITY")
    decisions = compile_decisions(package(decision(ranked)))
    assert decisions.decide("D", data, NOW)[-1].rules == ("r2", "r1")
    assert decisions.decide("D", data, NOW, 1)[-1].rules == ("r1", "r2")
    agreed = compile_decisions(package(decision(table([("age", "")], rows=rows, policy="ANY"))))
    assert agreed.decide("D", data, NOW, 1)[-1].value == [1]
    with pytest.raises(DecisionFailed, match="do not agree"):
        agreed.decide("D", data, NOW)
    moments = table([("age", "")], rows=[(["-"], ["first"]), (["-"], ["second"])], policy="ANY")
    assert compile_decisions(package(decision(moments))).decide("D", data, NOW)[-1].value == NINE


def test_a_range_of_moments_ends_after_it_begins():
    assert read_cell(f'["{NINE}".."{EIGHT}"]').tests
    with pytest.raises(ExpressionError, match="ends before it starts"):
        read_cell(f'["{EIGHT}".."{NINE}"]')


AT_GATEWAY = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
    '<process id="p" isExecutable="true"><startEvent id="s"/><exclusiveGateway id="g"{default}/>'
    '<endEvent id="One"/><endEvent id="Other"/><sequenceFlow id="a" sourceRef="s" targetRef="g"/>'
    '<sequenceFlow id="b" sourceRef="g" targetRef="One"><conditionExpression>{one}</conditionExpression></sequenceFlow>'
    '<sequenceFlow id="c" sourceRef="g" targetRef="Other">{other}</sequenceFlow></process></definitions>'
)


@pytest.mark.parametrize(
    ("condition", "data", "end", "before"),
    [
        ("n == 1", {"n": True}, "Other", "One"),
        (f'at &lt; "{EIGHT}"', {"at": NINE}, "One", "Other"),
    ],
)
def test_a_step_takes_the_way_of_its_rules(condition, data, end, before):
    text = AT_GATEWAY.format(default=' default="c"', one=condition, other="")
    diagram = compile_diagram(Package({"p.bpmn": text.encode()}))
    for rules, expected in ((2, end), (1, before)):
        step = Step(instance="I", actor="a", now=NOW, services=Services(), answer=lambda *_: None, rules=rules)
        assert Run.start(diagram, step, data).after.outcome == expected


@pytest.mark.parametrize(
    ("one", "other", "reported"),
    [
        ("x != 1", "x == True", "x is “1”"),
        ("x != 1", "x == 1", ""),
        (f'x != "{NINE}"', f'x == "{SEVEN}"', ""),
    ],
)
def test_the_gate_distinguishes_cases_as_the_run_does(one, other, reported):
    other = f"<conditionExpression>{other}</conditionExpression>"
    text = AT_GATEWAY.format(default="", one=one, other=other)
    findings = check_package(Package({"p.bpmn": text.encode()}), Services())
    assert [reported in finding.message for finding in findings if finding.rule == "gateway"] == [True] * bool(reported)


# the rule on its own


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    [
        ("a", "a", True), ("a", "b", False), ("", "", True), (NINE, SEVEN, True), (NINE, EIGHT, False),
        (NINE, "a", False), ("a", NINE, False), (1, 1.0, True), (1, 2.5, False), (2.5, 1, False), (1, 1, True),
        (1, 2, False), (0, False, False), (None, None, True), (True, True, True), (True, False, False), ([], [], True),
        ([1, 2], [1, 3], False), ([1], [1, 2], False), ({"a": 1}, {"a": 1.0}, True), ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"b": 1}, False), ({"a": 1}, {"a": 1, "b": 2}, False), ([NINE], [SEVEN], True),
        ({"a": NINE}, {"a": SEVEN}, True), ([], {}, False),
    ],
)  # fmt: skip
def test_equality(left, right, answer):
    assert same(left, right) is answer
    assert same(right, left) is answer


def test_a_moment_is_a_date_with_a_time():
    seven = datetime(2026, 5, 3, 7, tzinfo=UTC)
    for text in (NINE, SEVEN, "2026-05-03T07:00", "2026-05-03T07:00:00", "20260503T070000Z"):
        assert moment(text) == seven
    for text in ("2026-05-03", "T", "T7", "", "2026-05-03 07:00:00", "2026-13-03T07:00:00", "²T", "at T", "1T"):
        assert moment(text) is None


def test_a_moment_has_at_most_forty_characters():
    """Longer texts are not even looked at: each comparison would read them."""
    longest = "2026-05-03T07:00:00." + "1" * 20
    assert moment(longest) == datetime(2026, 5, 3, 7, 0, 0, 111_111, tzinfo=UTC)
    assert moment(f"{longest}1") is None


def test_texts_are_ordered_by_moments_only_where_each_names_one():
    assert order_keys([NINE, EIGHT]) == [moment(NINE), moment(EIGHT)]
    assert order_keys([NINE, "soon"]) == [NINE, "soon"] and order_keys(["soon", NINE]) == ["soon", NINE]
    assert order_keys([]) == []
