"""The gate on what a start event declares: the start form, who may start a case, and what the case is about."""

import pytest
from unit.test_gate import ASK, check, flow, problems, process, properties
from usher_engine.definitions import Package, read_start

FORM = b"""{"type": "default", "components": [{"type": "textfield", "key": "room", "label": "Room"},
 {"type": "textfield", "key": "error", "label": "Error"}]}"""
GOOD = FORM.replace(b'"key": "error"', b'"key": "day"')


def started(**declared):
    begin = f'<bpmn:startEvent id="begin">{properties(**declared)}</bpmn:startEvent>'
    flows = flow("f0", "begin", "ask") + flow("f1", "ask", "end")
    return process(begin + ASK.format("") + '<bpmn:endEvent id="end"/>' + flows)


def said(findings):
    on_start = (finding for finding in findings if finding.element == "begin" and finding.rule != "not-drawn")
    return " ".join(finding.message for finding in on_start)


def test_a_start_form_with_starters_and_a_business_key_has_no_findings():
    declared = {"form": "a.form", "candidateStarterGroups": "Front desk, Billing", "businessKey": "room + day"}
    assert not said(check(started(**declared), a__form=GOOD))


@pytest.mark.parametrize(
    ("declared", "rule", "words"),
    [
        ({"form": "gone.form", "candidateStarterRoles": "staff"}, "form", "gone.form is not in the package"),
        ({"candidateStarterRoles": "staff, auditor"}, "group", "“auditor” can start no case. Choose from: staff"),
        ({"candidateStarterRoles": "Staff"}, "group", "“Staff”"),
        ({"form": "a.form", "candidateStarterRoles": "staff", "businessKey": "room +"}, "expression", "businessKey"),
        ({"form": "a.form", "candidateStarterRoles": "staff", "businessKey": "rom"}, "expression", "no field “rom”"),
        ({"candidateStarterRoles": "staff", "businessKey": "room"}, "expression", "the start event has no form"),
    ],
)
def test_what_cannot_start_a_case_is_an_error_on_the_start_event(declared, rule, words):
    findings = check(started(**declared), a__form=GOOD)
    assert ("begin", rule) in problems(findings)
    assert words in said(findings)


def test_a_start_form_without_starters_is_a_warning():
    assert "Nobody sees the start form" in said(check(started(form="a.form"), a__form=GOOD))
    assert ("begin", "group") in problems(check(started(form="a.form"), a__form=GOOD), "warning")


@pytest.mark.parametrize("groups", [",", "Front desk,", "Front desk, Front desk"])
def test_an_empty_or_repeated_group_is_a_warning(groups):
    assert ("begin", "group") in problems(check(started(candidateStarterGroups=groups)), "warning")


def test_a_field_with_a_name_of_the_engine_is_an_error():
    findings = check(started(form="a.form", candidateStarterRoles="staff"), a__form=FORM)
    assert "“error” of a.form has a name that the engine uses" in said(findings)


def test_a_called_process_is_not_started_so_its_declaration_is_ignored():
    called = started(form="a.form").replace(b'id="p"', b'id="q"')
    for name in (b"begin", b"ask", b"end", b"f0", b"f1"):
        called = called.replace(b'"' + name + b'"', b'"q_' + name + b'"')
    calling = process(
        '<bpmn:startEvent id="begin"/><bpmn:callActivity id="call" calledElement="q"/><bpmn:endEvent id="end"/>'
        + flow("f0", "begin", "call")
        + flow("f1", "call", "end")
    )
    findings = check(calling, q__bpmn=called, a__form=GOOD)
    assert ("q_begin", "ignored") in problems(findings, "warning")


def test_the_declaration_is_that_of_the_main_process():
    declared = read_start(Package({"p.bpmn": started(form="a.form", candidateStarterGroups="A, B,A")}))
    assert (declared.element, declared.form, declared.groups, declared.roles) == ("begin", "a.form", ("A", "B"), ())
