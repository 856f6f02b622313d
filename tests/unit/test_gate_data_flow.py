"""How the gate follows data through tables, start forms, called processes, items, events and branches side by side."""

from __future__ import annotations

import json
from itertools import pairwise

import drawn_tables
from playing import flow, node, process, scope, script
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Services

WAYS = {"type": "select", "key": "way", "label": "Way", "validate": {"required": True}}
FORM = json.dumps({"components": [{**WAYS, "values": [{"label": way, "value": way} for way in ("post", "mail")]}]})


def ask(key: str, form: str = "ask.form") -> str:
    return f'<userTask id="{key}" name="{key}">{with_form(form)}</userTask>'


def with_form(form: str) -> str:
    named = f'<spiffworkflow:property name="form" value="{form}"/>'
    return f"<extensionElements><spiffworkflow:properties>{named}</spiffworkflow:properties></extensionElements>"


def decide(key: str, decision: str = "D") -> str:
    called = f"<spiffworkflow:calledDecisionId>{decision}</spiffworkflow:calledDecisionId>"
    inner = f"<extensionElements>{called}</extensionElements>"
    return f'<businessRuleTask id="{key}" name="{key}">{inner}</businessRuleTask>'


def row_of(*elements: str) -> str:
    keys = ["S", *(element.split('id="', 1)[1].split('"', 1)[0] for element in elements), "E"]
    return node("startEvent", "S") + "".join(elements) + node("endEvent", "E") + "".join(map(_way, pairwise(keys)))


def _way(pair: tuple[str, str]) -> str:
    return flow(*pair)


def found(package: Package, **files: str | bytes) -> list[tuple[str, str, str]]:
    """The findings on data of *package* with more *files*: (element, rule, message)."""
    more = {name.replace("__", "."): c if isinstance(c, bytes) else c.encode() for name, c in files.items()}
    findings = check_package(Package({**package.files, "ask.form": FORM.encode(), **more}), Services())
    return [(f.element, f.rule, f.message) for f in findings if f.rule.startswith("data-")]


def rules(package: Package, **files: str | bytes) -> list[tuple[str, str]]:
    return [(element, rule) for element, rule, _ in found(package, **files)]


def table(*cells: str, source: str = "Ask.way", kind: str = "string") -> bytes:
    rows = [([cell], [f'"{number}"']) for number, cell in enumerate(cells)]
    drawn = drawn_tables.table([(source, kind)], [("level", "string", "")], rows)
    return drawn_tables.file(drawn_tables.decision(drawn))


def test_a_row_for_an_option_that_the_form_does_not_have() -> None:
    package = process(row_of(ask("Ask"), decide("Decide")))
    assert rules(package, t__dmn=table('"post"', '"mail"')) == []
    [(element, rule, message)] = found(package, t__dmn=table('"post"', '"maail"'))
    assert (element, rule) == ("r2", "data-value")
    assert "Did you mean “mail”?" in message


def test_a_column_that_reads_another_field_or_kind() -> None:
    package = process(row_of(ask("Ask"), decide("Decide")))
    assert rules(package, t__dmn=table('"post"', source="Ask.waay")) == [("D", "data-field")]
    assert rules(package, t__dmn=table("1", kind="number")) == [("D", "data-kind")]


def test_what_a_table_gives() -> None:
    right, wrong = (script("Look", f"late = level == '{value}'") for value in ("1", "7"))
    rows = table('"post"', '"mail"')
    assert rules(process(row_of(ask("Ask"), decide("Decide"), right)), t__dmn=rows) == []
    assert rules(process(row_of(ask("Ask"), decide("Decide"), wrong)), t__dmn=rows) == [("Look", "data-value")]
    text = script("Look", "word = level.upper()")
    assert rules(process(row_of(ask("Ask"), decide("Decide"), text)), t__dmn=rows) == [("Look", "data-null")]


def test_a_start_form_says_what_a_case_begins_with() -> None:
    def begun(text: str) -> Package:
        body = row_of(script("Look", text))
        start = f'<startEvent id="S" name="S">{with_form("ask.form")}</startEvent>'
        return process(body.replace(node("startEvent", "S"), start))

    assert rules(begun("x = way")) == []
    assert rules(begun("x = waay")) == [("Look", "data-unset")]
    assert rules(begun("x = way == 'fax'")) == [("Look", "data-value")]


def test_data_flow_through_a_called_process() -> None:
    inner = process(row_of(script("In", "seen = Ask.waay\nlate = True"))).files["p.bpmn"].decode()
    inner = inner.replace('id="p"', 'id="q"').replace('id="d"', 'id="d2"')
    for key in ("S", "E", "S-In", "In-E"):
        inner = inner.replace(f'"{key}"', f'"q{key}"')
    call = '<callActivity id="Call" name="Call" calledElement="q"/>'
    package = process(row_of(ask("Ask"), call, script("Look", "word = late.upper()")))
    assert rules(package, q__bpmn=inner) == [("Look", "data-kind"), ("In", "data-field")]


def test_items_have_their_names_and_give_back_a_list() -> None:
    loop = (
        "<multiInstanceLoopCharacteristics><loopDataInputRef>texts</loopDataInputRef>"
        '<loopDataOutputRef>all</loopDataOutputRef><inputDataItem id="one"/><outputDataItem id="big"/>'
        "</multiInstanceLoopCharacteristics>"
    )

    def items(text: str, after: str) -> Package:
        each = f'<scriptTask id="Each" name="Each">{loop}<script>{text}</script></scriptTask>'
        return process(row_of(script("First", "texts = ['a', 'b']"), each, script("Look", after)))

    assert rules(items("big = one.upper()", "word = all[0].lower()")) == []
    assert rules(items("big = one + 1", "word = all[0]")) == [("Each", "data-kind")]
    assert rules(items("big = loopCounter", "word = all[0].lower()")) == [("Look", "data-kind")]
    assert rules(items("big = 1", "word = one"), examples__x=b"") == [("Look", "data-unset")]


def test_a_branch_beside_may_have_set_a_name_and_the_join_has() -> None:
    def forked(other: str, after: str) -> Package:
        fork = node("parallelGateway", "Fork", "Join") + script("Set", "total = 1") + script("Other", other)
        ways = flow("S", "Fork") + flow("Fork", "Set") + flow("Fork", "Other")
        ways += flow("Set", "Join") + flow("Other", "Join")
        ends = script("Look", after) + node("startEvent", "S") + node("endEvent", "E")
        return process(fork, ways, ends, flow("Join", "Look"), flow("Look", "E"))

    assert rules(forked("x = 1", "y = total + 1")) == []
    assert rules(forked("x = total", "y = 1")) == [("Other", "data-perhaps")]
    assert rules(forked("x = 1", "y = total.upper()")) == [("Look", "data-kind")]


def test_what_was_interrupted_may_not_have_set_its_name() -> None:
    inner = scope("Sub", node("startEvent", "B"), script("Set", "total = 1"), ask("Ask"), node("endEvent", "Z"),
                  flow("B", "Set"), flow("Set", "Ask"), flow("Ask", "Z"))  # fmt: skip
    timer = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
    edge = f'<boundaryEvent id="Edge" attachedToRef="Sub">{timer}</boundaryEvent>'
    late = script("Late", "x = total") + node("endEvent", "Over") + flow("Edge", "Late") + flow("Late", "Over")
    assert rules(process(row_of(inner, script("Look", "y = total")), edge, late)) == [("Late", "data-perhaps")]
