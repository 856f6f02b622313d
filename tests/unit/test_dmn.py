"""Decision tables: hit policies, types, requirements between decisions, and what is refused by row and column."""

import time
from datetime import UTC, datetime

import pytest
from drawn_tables import decision, file, package, table
from usher_engine.core.errors import DecisionFailed, InvalidDefinition
from usher_engine.definitions import Package
from usher_engine.dmn import OFFERED_TYPES, compile_decisions, coverage, read_package
from usher_engine.dmn.literals import TYPES
from usher_engine.gate import check_package
from usher_engine.services import Services

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)
TWO = (("a", "", ""), ("b", "", ""))
AGES = [([">= 18"], ['"adult"']), ([">= 13"], ['"teen"']), (["-"], ['"child"'])]


def made(logic, data, **drawn):
    *_, last = compile_decisions(package(decision(logic, **drawn))).decide("D", data, NOW)
    return last


def ages(policy, age, **more):
    return made(table([("age", "integer")], rows=AGES, policy=policy, **more), {"age": age})


def problems(*decisions):
    return [(problem.element, problem.message) for problem in read_package(package(*decisions)).problems]


def test_unique_returns_the_only_rule_and_names_both_if_two_match():
    assert (ages("UNIQUE", 3).outputs, ages("UNIQUE", 3).rules) == ({"out": "child"}, ("r3",))
    with pytest.raises(DecisionFailed, match=r"rows 1 \(r1\), 2 \(r2\), 3 \(r3\)"):
        ages("UNIQUE", 20)


def test_first_returns_the_upper_rule_and_stops_there():
    assert (ages("FIRST", 20).value, ages("FIRST", 14).value, ages("FIRST", 20).rules) == ("adult", "teen", ("r1",))
    late = table([("age", "")], rows=[(["-"], ["1"]), (["? > nobody"], ["2"])], policy="FIRST")
    assert made(late, {"age": 1}).value == 1


def test_any_requires_agreement():
    same = table([("age", "")], rows=[(["> 1"], ['"a"']), (["> 2"], ['"a"']), (["> 9"], ['"b"'])], policy="ANY")
    assert (made(same, {"age": 5}).value, made(same, {"age": 5}).rules) == ("a", ("r1", "r2"))
    with pytest.raises(DecisionFailed, match=r"Rows 1 \(r1\), 3 \(r3\) match and do not agree"):
        made(same, {"age": 10})
    mixed = table([("age", "")], rows=[(["-"], ["1"]), (["-"], ["true"])], policy="ANY")
    with pytest.raises(DecisionFailed, match="do not agree"):
        made(mixed, {"age": 1})


def test_priority_and_output_order_follow_the_list_of_values():
    values = (("out", "string", '"child","teen","adult"'),)
    first = ages("PRIORITY", 20, outputs=values)
    assert (first.value, first.rules[0]) == ("child", "r3")
    ordered = ages("OUTPUT ORDER", 20, outputs=values)
    assert (ordered.value, ordered.rules) == (["child", "teen", "adult"], ("r3", "r2", "r1"))
    two = table(
        [("x", "")],
        [("risk", "", '"high","low"'), ("note", "", ""), ("days", "", "1,2,3")],
        [(["-"], ['"low"', '"a"', "1"]), (["-"], ['"high"', '"b"', "3"]), (["-"], ['"high"', '"c"', "2"])],
        policy="OUTPUT ORDER",
    )
    assert [row["note"] for row in made(two, {"x": 1}).value] == ["c", "b", "a"]


def test_a_computed_output_without_a_priority_is_an_incident():
    computed = table([("x", "")], [("out", "", '"a","b"')], [(["-"], ["x"]), (["-"], ['"b"'])], policy="PRIORITY")
    assert made(computed, {"x": "a"}).value == "a"
    with pytest.raises(DecisionFailed, match=r"row 1 \(r1\), output column 1"):
        made(computed, {"x": "c"})


def test_rule_order_and_collect_give_lists_from_top_to_bottom():
    for policy in ("RULE ORDER", "COLLECT"):
        assert (ages(policy, 20).outputs, ages(policy, 20).rules) == (
            {"out": ["adult", "teen", "child"]},
            ("r1", "r2", "r3"),
        )
    two = table([("x", "")], [("a", "", ""), ("b", "", "")], [(["1"], ["1", "2"]), (["-"], ["3", "4"])], "COLLECT")
    assert made(two, {"x": 1}).outputs == {"a": [1, 3], "b": [2, 4]}
    assert made(two, {"x": 1}).value == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    none = table([("x", "")], [("a", "", ""), ("b", "", "")], [(["1"], ["1", "2"])], "COLLECT")
    assert (made(none, {"x": 2}).outputs, made(none, {"x": 2}).value) == ({"a": [], "b": []}, [])


@pytest.mark.parametrize(
    ("aggregation", "some", "none"), [("SUM", 6.5, None), ("MIN", 1, None), ("MAX", 3.5, None), ("COUNT", 3, 0)]
)
def test_collect_with_an_aggregation(aggregation, some, none):
    rows = [(["> 0"], ["1"]), (["> 0"], ["1 + 1"]), (["> 0"], ["3.5"])]
    logic = table([("x", "")], rows=rows, policy="COLLECT", aggregation=aggregation)
    assert (made(logic, {"x": 1}).value, made(logic, {"x": 0}).value) == (some, none)


def test_an_aggregation_adds_numbers_only():
    logic = table([("x", "")], rows=[(["-"], ["x"])], policy="COLLECT", aggregation="SUM")
    for value in ("1", True, None):
        with pytest.raises(DecisionFailed, match=r"row 1 \(r1\): SUM needs a number"):
            made(logic, {"x": value})


def test_without_a_matching_rule_outputs_are_the_default_or_nothing():
    rows = [(["1"], ['"a"', "1"])]
    plain = table([("x", "")], [("a", "", ""), ("b", "", "")], rows)
    assert (made(plain, {"x": 2}).outputs, made(plain, {"x": 2}).rules) == ({"a": None, "b": None}, ())
    default = table([("x", "")], [("a", "", ""), ("b", "", "")], rows, defaults=['"none"', None])
    assert made(default, {"x": 2}).outputs == {"a": "none", "b": None}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("string", ["a", None], [1, True, ["a"]]),
        ("boolean", [True, None], ["true", 1]),
        ("number", [1, 1.5, None], ["1", True]),
        ("double", [1.5], ["1.5"]),
        ("integer", [1, 2.0], [1.5, "1", False]),
        ("date", ["2026-05-03"], ["2026-05-03T10:00:00Z", "3 May", 20260503]),
        ("dateTime", ["2026-05-03T10:00:00Z", "2026-05-03T10:00:00"], ["2026-05-03", "soon"]),
        ("", [1, "a", [1], {"a": 1}, None], []),
    ],
)
def test_a_column_takes_values_of_its_type_only(kind, good, bad):
    logic = table([("x", kind)], rows=[(["-"], ["1"])])
    for value in good:
        assert made(logic, {"x": value}).value == 1
    for value in bad:
        with pytest.raises(DecisionFailed, match=r"input column 1 \(x\)"):
            made(logic, {"x": value})


def test_outputs_are_literals_or_expressions_of_their_type():
    outputs = [("a", "string", ""), ("b", "boolean", ""), ("c", "date", ""), ("d", "", "")]
    rows = [(["-"], ['"x" + name', "name == null", 'date("2026-05-03")', '{"k": [1, name]}'])]
    assert made(table([("name", "")], outputs, rows), {"name": "y"}).outputs == {
        "a": "xy", "b": False, "c": "2026-05-03", "d": {"k": [1, "y"]},
    }  # fmt: skip
    with pytest.raises(DecisionFailed, match=r"row 1 \(r1\), output column 1 \(a\)"):
        made(table([("name", "")], [("a", "number", "")], [(["-"], ["name"])]), {"name": "y"})


def test_required_decisions_are_made_first_and_once():
    group = decision(table([("age", "integer")], [("group", "string", "")], AGES, "FIRST"), "Group", variable="who")
    fee = decision(
        table([("group", "")], [("fee", "", "")], [(['"adult"'], ["10"]), (["-"], ["0"])], "FIRST"), "Fee", ["Group"]
    )
    both = decision(
        '<literalExpression><text>{"text": who + " pays " + str(fee)}</text></literalExpression>',
        requires=["Fee", "Group"], variable="said",
    )  # fmt: skip
    found = compile_decisions(package(both, fee, group)).decide("D", {"age": 30, "fee": 99}, NOW)
    assert [one.decision for one in found] == ["Group", "Fee", "D"]
    assert found[-1].outputs == {"said": {"text": "adult pays 10"}}
    assert found[1].inputs == {"group": "adult"}


@pytest.mark.parametrize(
    ("drawn", "element", "words"),
    [
        ([decision("", "D")], "D", "empty"),
        ([decision("<context/>")], "D", "“context” cannot run. Split"),
        ([decision("<invocation/>")], "D", "“invocation” cannot run"),
        ([decision("<knowledgeRequirement/>" + table())], "D", "“knowledgeRequirement” cannot run"),
        (['<businessKnowledgeModel id="B"/>', decision(table())], "B", "“businessKnowledgeModel” cannot run"),
        ([decision(table(), requires=["Nobody"])], "D", "“Nobody”, which is not in the package"),
        ([decision(table(), requires=["D"])], "D", "in a circle: D"),
        ([decision(table(), "A", ["B"]), decision(table(), "B", ["C"]), decision(table(), "C", ["A"])], "A", "circle"),
        ([decision(table(), "A"), decision(table(), "A")], "A", "Two decisions"),
        ([decision(table(), "A"), decision(table(), "B"), decision(table(), "D", ["A", "B"])], "D", "define “out”"),
        ([decision(table(policy="LUCKY"))], "D", "“LUCKY” is unknown"),
        ([decision(table(policy="UNIQUE", aggregation="SUM"))], "D", "“UNIQUE SUM”"),
        ([decision(table(policy="COLLECT", aggregation="AVG"))], "D", "“COLLECT AVG”"),
        ([decision(table(policy="PRIORITY"))], "D", "in order of priority"),
        ([decision(table(policy="COLLECT", defaults=["1"]))], "D", "default"),
        ([decision(table(outputs=TWO, policy="COLLECT", aggregation="SUM"))], "D", "one output"),
        ([decision(table(outputs=[("a", "", ""), ("a", "", "")]))], "D", "Two output columns have the name “a”"),
        ([decision(table(outputs=[("", "", "")]))], "D", "Output column 1: it has no name"),
        ([decision(table(outputs=[("a b", "", "")]))], "D", "“a b” must be a letter"),
        ([decision(table(outputs=[("typename", "", "")]))], "D", "reserved"),
        ([decision(table(outputs=[]))], "D", "no output column"),
        ([decision(table([("x", "time")]))], "D", "Input column 1: the type “time” is unknown"),
        ([decision(table([("", "")]))], "D", "Input column 1: The expression is empty"),
        ([decision(table([("my age", "")]))], "D", "Input column 1: This cannot be read"),
        ([decision(table([("x", "")], rows=[(["> 1", "-"], ["1"])]))], "r1", "Row 1 has 2 input and 1 output cells"),
        ([decision(table([("x", "")], rows=[(["-"], ["1"]), (["1 2"], ["1"])]))], "r2", "Row 2, input column 1 (x):"),
        ([decision(table([("x", "number")], rows=[(['"a"'], ["1"])]))], "r1", "Row 1, input column 1 (x): The column"),
        ([decision(table([("x", "")], rows=[(["-"], ["-"])]))], "r1", "leave an output cell empty"),
        ([decision(table([("x", "")], rows=[(["-"], ["?"])]))], "r1", "an output cannot use it"),
        ([decision(table([("x", "")], [("o", "string", "")], [(["-"], ["5"])]))], "r1", "output column 1 (o): a text"),
        ([decision(table([("x", "")], [("o", "", '"a"')], [(["-"], ['"b"'])], "PRIORITY"))], "r1", "no priority"),
        ([decision('<literalExpression expressionLanguage="juel"><text>1</text></literalExpression>', variable="v")],
         "D", "“juel” cannot run"),
        ([decision("<literalExpression><text>1</text></literalExpression>")], "D", "it has no name"),
    ],
)  # fmt: skip
def test_a_decision_that_cannot_run_is_refused_by_id_row_and_column(drawn, element, words):
    found = problems(*drawn)
    assert any(where == element and words in message for where, message in found), found
    with pytest.raises(InvalidDefinition):
        compile_decisions(package(*drawn))


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.omg.org/spec/DMN/20151101",
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20151101/dmn11.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/DMN15.xsd",
    ],
)
def test_every_dmn_version_and_missing_ids(namespace):
    logic = table([("x", "")], rows=[(["1"], ["1"]), (["-"], ["2"])], policy="FIRST", ids=False)
    drawn = file(decision(logic), namespace=namespace)
    found = compile_decisions(Package({"a.dmn": drawn})).decide("D", {"x": 5}, NOW)
    assert (found[0].value, found[0].rules) == (2, ("rule_unnamed_2",))


def test_an_unsupported_dmn_version_is_named():
    drawn = file(decision(table([("x", "")], rows=[(["1"], ["1"])])), namespace="http://www.omg.org/spec/DMN/20130901")
    with pytest.raises(InvalidDefinition) as refused:
        compile_decisions(Package({"a.dmn": drawn}))
    assert "http://www.omg.org/spec/DMN/20130901 is not supported" in refused.value.problems[0][1]


def test_overlaps_and_gaps_are_reported_with_an_example():
    age = [(["< 13"], ["1"]), (["[13..18]"], ["2"]), ([">= 18"], ["3"])]
    (overlap,) = coverage(compile_decisions(package(decision(table([("age", "integer")], rows=age)))).by_id["D"].logic)
    assert ([rule.number for rule in overlap.rules], overlap.example) == ([2, 3], "age is 18")
    ways = [(['"a"', "true"], ["1"]), (['not("a")', "-"], ["2"])]
    drawn = package(decision(table([("way", "string"), ("ok", "boolean")], rows=ways)))
    (gap,) = coverage(compile_decisions(drawn).by_id["D"].logic)
    assert (gap.rules, gap.example) == ((), "way is “a”, ok is false")
    found = [finding for finding in check_package(drawn, Services()) if finding.file == "rules.dmn"]
    assert [(finding.element, finding.severity) for finding in found] == [("D", "info")]
    closed = [(["< 5"], ["1"]), (["[5..9]"], ["2"]), (["> 9"], ["3"])]
    assert coverage(compile_decisions(package(decision(table([("n", "number")], rows=closed)))).by_id["D"].logic) == []


def test_large_tables_are_checked_quickly_or_skipped():
    began = time.process_time()
    steep = [([f">= {60 - n}"] * 3 + [str(n)], ["1"]) for n in range(60)]
    (gap,) = _covered([(f"x{n}", "number") for n in range(4)], steep)
    assert not gap.rules
    wide = [([f">= {150 - n}"] * 38 + [str(n)], ["1"]) for n in range(150)]
    assert _covered([(f"x{n}", "number") for n in range(39)], wide) == []
    assert _covered([("x", "number")], [([str(n)], ["1"]) for n in range(151)]) == []
    assert time.process_time() - began < 10


def _covered(columns, rows):
    return coverage(compile_decisions(package(decision(table(columns, rows=rows)))).by_id["D"].logic)


# input without a rule


FOREIGN = {
    "camunda.dmn": """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd"
  xmlns:camunda="http://camunda.org/schema/1.0/dmn" id="dish" name="Dish" namespace="x">
 <decision id="season" name="Season"><decisionTable id="t"><input
  id="i" label="Temperature" camunda:inputVariable="t">
  <inputExpression id="e" typeRef="integer"><text>temperature</text></inputExpression></input>
  <output id="o" label="Season" name="season" typeRef="string"/>
  <rule id="w"><inputEntry id="a"><text><![CDATA[< 10]]></text></inputEntry><outputEntry id="b">
  <text>"Winter"</text></outputEntry></rule>
  <rule id="s"><inputEntry id="c"><text><![CDATA[>= 10]]></text></inputEntry><outputEntry id="d">
  <text>"Summer"</text></outputEntry></rule>
 </decisionTable></decision></definitions>""",
    "juel.dmn": """<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd" id="x" name="x" namespace="x">
 <decision id="j" name="J"><decisionTable id="t"><input id="i"><inputExpression id="e"
  typeRef="string" expressionLanguage="juel">
 <text>${execution.getVariable("x")}</text></inputExpression></input><output id="o" name="out" typeRef="string"/>
 <rule id="r"><inputEntry id="a" expressionLanguage="javascript"><text>x.match(/a/)</text></inputEntry>
 <outputEntry id="b"><text>foo()</text></outputEntry></rule></decisionTable></decision></definitions>""",
    "drools.dmn": """<dmn:definitions xmlns:dmn="http://www.omg.org/spec/DMN/20180521/MODEL/"
  xmlns:feel="http://www.omg.org/spec/DMN/20180521/FEEL/" id="x" name="x" namespace="x">
 <dmn:itemDefinition id="t" name="tPerson"/><dmn:inputData id="p" name="Person"><dmn:variable
  name="Person" typeRef="tPerson"/></dmn:inputData>
 <dmn:decision id="k" name="K"><dmn:variable name="K" typeRef="feel:string"/><dmn:context><dmn:contextEntry>
  <dmn:literalExpression>
 <dmn:text>Person.Age + 1</dmn:text></dmn:literalExpression></dmn:contextEntry></dmn:context></dmn:decision>
  </dmn:definitions>""",
    "cmmn.dmn": '<definitions xmlns="http://www.omg.org/spec/CMMN/20151109/MODEL"><case/></definitions>',
    "empty.dmn": "",
    "text.dmn": "a decision",
    "nothing.dmn": '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>',
    "bare.dmn": """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision><decisionTable>
  <input/><output/><rule/></decisionTable></decision></definitions>""",
}


def test_other_tools_files_run_or_are_refused_with_a_reason():
    found = {file: [f.message for f in check_package(Package({file: content.encode()}), Services()) if f.file == file]
            for file, content in FOREIGN.items()}  # fmt: skip
    assert found.pop("camunda.dmn") == []
    assert all(found.values())
    assert any("“juel” cannot run" in message for message in found["juel.dmn"])
    assert any("“context” cannot run" in message for message in found["drools.dmn"])
    assert not any("Error(" in message or "Traceback" in message for messages in found.values() for message in messages)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (file(decision(table([("x", "")], rows=[(["-"], ["1"])] * 8_000))), "at most 2000 rows"),
        (file(decision(table([("x", "")], rows=[(["-"], ["1"])] * 40_000))), "larger than"),
        (file(decision(table([("x", "")] * 200, rows=[(["-"] * 200, ["1"])]))), "40 columns"),
        (file(*[decision(table(), f"D{n}") for n in range(300)]), "at most 100 decisions"),
        (file(decision(table([("x", "")], rows=[(['"' + "a" * 9_000 + '"'], ["1"])]))), "longer than 4000"),
        (file(decision(table([("x", "")], rows=[(["(" * 900 + "1" + ")" * 900], ["1"])]))), "nested"),
        (file(decision(table([("x", "")], rows=[(["-"], ["9 ** 9 ** 9"])]))), "“**”"),
        (file("<decision>" * 150 + "</decision>" * 150), "nests elements deeper"),
        (b'<!DOCTYPE d [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>' + file(decision(table())), "DOCTYPE"),
        (b'<!DOCTYPE d SYSTEM "file:///etc/passwd">' + file(decision(table())), "DOCTYPE"),
        (file(*[decision(table(), f"D{n}", [f"D{(n + 1) % 90}"]) for n in range(90)]), "circle"),
        (file(decision(table([("x", "")], rows=[(["1 1"], ["1"])] * 1_500))), "cannot be read"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused_quickly(content, words):
    began = time.process_time()
    found = (
        [problem.message for problem in read_package(Package({"a.dmn": content})).problems]
        if len(content) <= 1_000_000
        else _too_large(content)
    )
    assert time.process_time() - began < 10
    assert any(words in message for message in found), found[:3]


def _too_large(content):
    with pytest.raises(InvalidDefinition) as refused:
        Package({"a.dmn": content})
    return [refused.value.message]


def test_a_decision_has_limited_fuel():
    rows = [(["? > sum([x for x in range(1000)])"], ["1"])] * 500
    logic = table([("x", "")], rows=rows, policy="COLLECT", aggregation="COUNT")
    with pytest.raises(DecisionFailed, match="too much work"):
        made(logic, {"x": 1})


def test_the_types_an_editor_offers_are_all_there_are_each_once() -> None:
    meant = [TYPES[name] for name in OFFERED_TYPES]
    assert sorted(meant) == sorted(set(TYPES.values()))
