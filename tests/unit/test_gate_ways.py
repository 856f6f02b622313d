"""Paths through a process: a finding has the path to the fault; a gateway without a default covers every case."""

from itertools import pairwise

import pytest
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Services

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t"><process id="p" '
OWN = (
    '<s:properties xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core">'
    '<s:property name="candidateGroups" value="{}"/></s:properties>'
)
TASK = '<userTask id="{0}" name="{0}"/>'


def flow(source, target, condition=""):
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def check(*parts, **files):
    text = f'{HEAD} isExecutable="true">{"".join(parts)}</process></definitions>'
    package = Package({"p.bpmn": text.encode(), **{k.replace("__", "."): v for k, v in files.items()}})
    return check_package(package, Services())


def row(*keys):
    return "".join(flow(a, b) for a, b in pairwise(keys))


def found(findings, rule):
    return [finding for finding in findings if finding.rule == rule and finding.severity == "error"]


def split(kind_out, kind_in, condition="", default=""):
    return (
        f'<startEvent id="s"/><{kind_out} id="g"{default}/>{TASK.format("a")}{TASK.format("b")}<{kind_in} id="j"/>'
        f'{TASK.format("after")}<endEvent id="e"/>'
        + row("s", "g") + flow("g", "a") + flow("g", "b", condition) + row("a", "j") + row("b", "j", "after", "e")
    )  # fmt: skip


def test_a_deadlock_has_the_path_to_it():
    (finding,) = found(check(split("exclusiveGateway", "parallelGateway", "x", ' default="g-a"')), "soundness")
    assert finding.element == "j"
    assert finding.path == ("s", "s-g", "g", "g-a", "a", "a-j", "j")
    assert finding.to_json()["path"] == list(finding.path)


def test_two_tokens_in_one_place_have_the_path_to_it():
    (finding,) = found(check(split("parallelGateway", "exclusiveGateway")), "soundness")
    assert finding.element == finding.path[-1] == "after"
    assert {"a", "b", "j"} <= set(finding.path)


def test_other_findings_have_no_path_in_their_json():
    assert "path" not in check(TASK.format("a"))[0].to_json()


def inclusive(join):
    return split("inclusiveGateway", join, "x", ' default="g-a"')


def test_inclusive_gateways_are_played():
    assert not found(check(inclusive("inclusiveGateway")), "soundness")
    (finding,) = found(check(inclusive("parallelGateway")), "soundness")
    assert finding.element == "j"
    (finding,) = found(check(inclusive("exclusiveGateway")), "soundness")
    assert finding.element == "after"


def test_an_inclusive_join_waits_for_what_can_still_come():
    both = split("parallelGateway", "inclusiveGateway")
    assert not found(check(both), "soundness")


FORM = b"""{"components": [{"type": "radio", "key": "way", "label": "Way", "validate": {"required": true},
 "values": [{"value": "on", "label": "On"}, {"value": "back", "label": "Back"}, {"value": "stop", "label": "Stop"}]},
 {"type": "checkbox", "key": "sure", "label": "Sure"}]}"""
ASK = (
    '<userTask id="ask" name="Ask"><extensionElements><s:properties xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core">'
    '<s:property name="form" value="ask.form"/></s:properties></extensionElements></userTask>'
)


def choice(*conditions):
    ends = "".join(f'<endEvent id="e{n}"/>{flow("g", f"e{n}", c)}' for n, c in enumerate(conditions))
    return check(f'<startEvent id="s"/>{ASK}<exclusiveGateway id="g"/>', row("s", "ask", "g"), ends, ask__form=FORM)


@pytest.mark.parametrize(
    "conditions",
    [
        ('ask.way == "on"', 'ask.way in ["back", "stop"]'),
        ('ask.way == "on"', 'ask.way != "on"'),
        ('ask.way == "on" or ask.way == "stop"', 'ask.way == "back"'),
        ("ask.sure", "not ask.sure"),
        ("ask.sure == True", "ask.sure == False"),
        ("x", "not x"),
    ],
)
def test_conditions_that_cover_every_case_need_no_default(conditions):
    assert not [f for f in choice(*conditions) if f.severity == "error"]


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        (('ask.way == "on"', 'ask.way == "stop"'), "ask.way is “back”"),
        (('x == "a"', 'x == "b"'), "x is none of “a” or “b”"),
        (("ask.sure", 'ask.way == "on"'), "no condition holds"),
        (('x != "a"', 'x not in ["a", "b"]'), "x is “a”"),
        (("x > 1", "x >= 9"), "no condition holds"),
    ],
)
def test_a_finding_names_the_case_without_a_way_out(conditions, text):
    (finding,) = found(choice(*conditions), "gateway")
    assert finding.element == "g"
    assert text in finding.message


@pytest.mark.parametrize(
    ("groups", "severity"),
    [
        ("desk", ""),
        (" desk , nurses", ""),
        ("desk,,nurses", "warning"),
        ("desk, desk", "warning"),
        (" , ", "error"),
    ],
)
def test_lists_of_groups_name_each_group_once(groups, severity):
    asked = f"<userTask id='a' name='A'><extensionElements>{OWN.format(groups)}</extensionElements></userTask>"
    findings = check(f'<startEvent id="s"/>{asked}<endEvent id="e"/>' + row("s", "a", "e"))
    assert [one.severity for one in findings if one.rule == "group"] == ([severity] if severity else [])
