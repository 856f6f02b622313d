"""A change from true to 1 is a change: recorded and shared with every branch, since conditions distinguish the two."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from usher_engine.bpmn import Run, Step, compile_diagram
from usher_engine.core.canonical import changes
from usher_engine.definitions import Package
from usher_engine.services import Services

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'


@pytest.mark.parametrize(
    ("before", "after", "changed", "by_python"),
    [
        ({"a": True}, {"a": 1}, {"a": 1}, {}),
        ({"a": 0}, {"a": False}, {"a": False}, {}),
        ({"a": [1, {"b": [0]}]}, {"a": [1, {"b": [False]}]}, {"a": [1, {"b": [False]}]}, {}),
        ({"a": 1}, {"a": 1.0}, {}, {}),
        ({"a": [True, {"b": None}]}, {"a": [True, {"b": None}]}, {}, {}),
        ({"a": [True]}, {"a": [True, 1]}, {"a": [True, 1]}, {"a": [True, 1]}),
        ({"a": {}}, {"a": []}, {"a": []}, {"a": []}),
        ({"gone": 1}, {"a": None}, {"a": None}, {"a": None}),
        ({"a": "1"}, {"a": 1}, {"a": 1}, {"a": 1}),
    ],
)
def test_changes(before, after, changed, by_python):
    assert repr(changes(before, after)) == repr(changed)
    assert repr(changes(before, after, exact=False)) == repr(by_python)


def run(inner, data, rules=2):
    text = f'{HEAD}<process id="p" isExecutable="true">{inner}</process></definitions>'
    return Run.start(compile_diagram(Package({"p.bpmn": text.encode()})), at(rules), data).after


def at(rules):
    return Step(
        instance="I", actor="a", now=datetime(2026, 5, 4, tzinfo=UTC), services=Services(), answer=lambda *_: None,
        rules=rules,
    )  # fmt: skip


def row(*elements):
    keys = ["s", *(element.split('id="')[1].split('"')[0] for element in elements), "e"]
    flows = (f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairwise(keys))
    return f'<startEvent id="s"/>{"".join(elements)}<endEvent id="e"/>{"".join(flows)}'


def test_a_script_that_changes_true_to_1():
    script = row('<scriptTask id="x"><script>n = 1\nseen = n == 1</script></scriptTask>')
    assert repr(run(script, {"n": True}).data) == "{'n': 1, 'seen': True}"
    assert repr(run(script, {"n": True}, rules=1).data) == "{'n': True, 'seen': True}"


def test_an_item_that_changes_true_to_1():
    items = row(
        '<scriptTask id="x"><multiInstanceLoopCharacteristics isSequential="false"><loopCardinality>2</loopCardinality>'
        "</multiInstanceLoopCharacteristics><script>n = 1</script></scriptTask>",
        '<scriptTask id="y"><script>seen = n == 1</script></scriptTask>',
    )
    assert repr(run(items, {"n": True}).data) == "{'n': 1, 'seen': True}"


def test_a_branch_that_changes_true_to_1():
    branches = (
        '<startEvent id="s"/><parallelGateway id="split"/><scriptTask id="x"><script>n = 1</script></scriptTask>'
        '<userTask id="u" name="U"/><endEvent id="e"/><endEvent id="f"/>'
        '<sequenceFlow id="a" sourceRef="s" targetRef="split"/><sequenceFlow id="b" sourceRef="split" targetRef="x"/>'
        '<sequenceFlow id="c" sourceRef="split" targetRef="u"/><sequenceFlow id="d" sourceRef="x" targetRef="e"/>'
        '<sequenceFlow id="g" sourceRef="u" targetRef="f"/>'
    )
    assert repr(run(branches, {"n": True}).data) == "{'n': 1}"


def test_the_stored_state_distinguishes_1_from_true():
    script = row('<scriptTask id="x"><script>n = 1</script></scriptTask>', '<userTask id="u" name="U"/>')
    text = f'{HEAD}<process id="p" isExecutable="true">{script}</process></definitions>'
    diagram = compile_diagram(Package({"p.bpmn": text.encode()}))
    begun = Run.start(diagram, at(rules=2), {"n": True})
    gone_on = Run.resume(diagram, at(rules=2), begun.dump(), begun.after)
    gone_on.complete("u", 1, {})
    assert repr(gone_on.after.data["n"]) == "1"
