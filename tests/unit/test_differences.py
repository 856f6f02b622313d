"""The semantic difference between two versions: elements, fields, rows and lines; moved is not changed."""

import json

from conftest import ROOT, package
from drawn_tables import decision, file, table
from usher_engine.definitions import Package, read_folder
from usher_engine.differences import ChangeKind, compare

ENROLMENT = read_folder(ROOT / "processes" / "enrollment")
OUTREACH = package("outreach")


def changed(before, name, *replacements):
    content = before.files[name]
    for old, new in replacements:
        assert content.count(old.encode()) >= 1, old
        content = content.replace(old.encode(), new.encode())
    return Package({**before.files, name: content})


def changes(before, after):
    return [(change.kind.value, change.thing, change.key) for change in compare(before, after).changes]


def aspects(before, after):
    return {
        change.key: {aspect.name: (aspect.before, aspect.after) for aspect in change.aspects}
        for change in compare(before, after).changes
    }


DRAWN = """<d:definitions xmlns:d="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:i="http://www.omg.org/spec/BPMN/20100524/DI"
 xmlns:c="http://www.omg.org/spec/DD/20100524/DC" id="x" targetNamespace="x"><d:process id="p" isExecutable="true">
 <d:startEvent id="a"/><d:userTask id="b" name="Ask"/><d:userTask id="c" name="Tell"/><d:endEvent id="e"/></d:process>
 <i:BPMNDiagram><i:BPMNPlane bpmnElement="p"><i:BPMNShape bpmnElement="a">
 <c:Bounds x="1" y="1" width="36" height="36"/></i:BPMNShape><i:BPMNShape bpmnElement="b">
 <c:Bounds x="90" y="1" width="100" height="80"/></i:BPMNShape></i:BPMNPlane></i:BPMNDiagram></d:definitions>"""


def test_one_added_one_removed_one_renamed_and_one_moved_are_four_changes():
    before = Package({"a.bpmn": DRAWN.encode()})
    after = changed(
        before,
        "a.bpmn",
        ('<d:endEvent id="e"/>', '<d:scriptTask id="n" name="New"><d:script>x = 1</d:script></d:scriptTask>'),
        ('name="Tell"', 'name="Say"'),
        ('x="90"', 'x="190"'),
    )
    assert changes(before, after) == [
        ("moved", "user task", "b"),
        ("changed", "user task", "c"),
        ("removed", "end event", "e"),
        ("added", "script task", "n"),
    ]
    comparison = compare(before, after)
    assert comparison.counts == {kind: 1 for kind in ChangeKind if kind is not ChangeKind.REROUTED}
    assert aspects(before, after)["c"] == {"name": ("Tell", "Say")}
    assert aspects(before, after)["n"] == {"script": ("", "x = 1")}
    written = json.loads(json.dumps(comparison.to_json()))
    assert written["counts"] == {"added": 1, "removed": 1, "changed": 1, "moved": 1}


def test_equal_packages_have_no_changes_and_whitespace_alone_counts_as_moved():
    assert changes(ENROLMENT, ENROLMENT) == []
    after = changed(ENROLMENT, "enrollment.bpmn", ("<bpmn:process ", "<!-- a note -->\n  <bpmn:process "))
    assert changes(ENROLMENT, after) == [("moved", "file", "enrollment.bpmn")]


def test_every_fact_about_an_element_is_compared_with_before_and_after():
    after = changed(
        OUTREACH,
        "outreach.bpmn",
        ('channel == "mail"', 'channel in ["mail", "post"]'),
        ("Within {{ wait_days }} days.", "Soon."),
        ('name="candidateGroups" value="Front desk"', 'name="candidateGroups" value="Nurses"'),
        ("has_phone = False", "has_phone = None"),
        ("<spiffworkflow:calledDecisionId>Contact<", "<spiffworkflow:calledDecisionId>Group<"),
        ('name="nobody" sourceRef="Way" targetRef="Left"', 'name="nobody" sourceRef="Way" targetRef="Mailed"'),
        ('default="nobody"', 'default="by_mail"'),
    )
    found = aspects(OUTREACH, after)
    assert found == {
        "by_mail": {"condition": ('channel == "mail"', 'channel in ["mail", "post"]')},
        "Call": {
            "group": ("Front desk", "Nurses"),
            "message to staff": ("Within {{ wait_days }} days.", "Soon."),
            "script after": ("has_phone = False", "has_phone = None"),
        },
        "ChooseContact": {"decision": ("Contact", "Group")},
        "nobody": {"to": ("Left", "Mailed")},
        "Way": {"default flow": ("nobody", "by mail")},
    }
    assert ("rerouted", "flow", "nobody") in changes(OUTREACH, after)


def test_renaming_an_element_does_not_change_references_to_it():
    after = changed(ENROLMENT, "enrollment.bpmn", ('name="Update Now"', 'name="Update Today"'))
    assert changes(ENROLMENT, after) == [("changed", "user task", "UpdateNow")]


def test_operators_parameters_lanes_timers_and_kinds():
    small = package("small")
    after = changed(
        small,
        "small.bpmn",
        ('id="test/read" resultVariable="got"', 'id="test/write" resultVariable="had"'),
        ('id="value" type="any" value="q"', 'id="value" type="any" value="q + 1"'),
        ('errorCode="no"', 'errorCode="never"'),
        ('<bpmn:endEvent id="E2"/>', '<bpmn:endEvent id="E2"><bpmn:terminateEventDefinition id="t"/></bpmn:endEvent>'),
    )
    found = aspects(small, after)
    assert found["Load"] == {
        "operator": ("test/read", "test/write"),
        "result variable": ("got", "had"),
        "parameter “value”": ("q", "q + 1"),
    }
    assert found["err"] == {"code": ("no", "never")}
    assert found["E2"] == {"terminate event": ("", "yes")}
    lane = '<d:laneSet><d:lane id="l" name="Desk"><d:flowNodeRef>b</d:flowNodeRef></d:lane></d:laneSet>'
    before, start = Package({"a.bpmn": DRAWN.encode()}), '<d:startEvent id="a"/>'
    assert aspects(before, changed(before, "a.bpmn", (start, lane + start)))["b"] == {"lane": ("", "Desk")}


def test_flows_without_ids_are_matched_by_their_ends():
    flows = '<d:sequenceFlow sourceRef="a" targetRef="b"/><d:sequenceFlow sourceRef="b" targetRef="e"/></d:process>'
    before = Package({"a.bpmn": DRAWN.replace("</d:process>", flows).encode()})
    another = '<d:sequenceFlow sourceRef="a" targetRef="c"/>'
    after = changed(before, "a.bpmn", (flows, another + flows))
    assert changes(before, after) == [("added", "flow", "a → c")]


def form(*fields):
    return json.dumps({"type": "default", "components": list(fields)}).encode()


def test_forms_are_compared_by_field():
    name = {"key": "name", "type": "textfield", "label": "Name"}
    mail = {"key": "mail", "type": "textfield", "label": "E-mail", "validate": {"required": True}}
    way = {"key": "way", "type": "select", "label": "Way", "values": [{"value": "a"}]}
    before = Package({"f.form": form(name, mail, way)})
    loose = {**mail, "validate": {"required": False, "maxLength": 9}, "id": "x"}
    after = Package({"f.form": form(way, loose, {"key": "zip", "type": "textfield", "label": "ZIP"})})
    assert changes(before, after) == [
        ("removed", "field", "name"),
        ("changed", "field", "mail"),
        ("moved", "field", "way"),
        ("added", "field", "zip"),
    ]
    assert aspects(before, after)["mail"]["required"] == ("yes", "no")
    assert aspects(before, after)["mail"]["max length"] == ("", "9")


def test_decisions_are_compared_by_row_and_column():
    rows = [(["< 13"], ['"child"']), ([">= 13"], ['"adult"'])]
    before = Package({"r.dmn": file(decision(table([("age", "integer")], [("group", "", "")], rows)))})
    other = [(["< 12"], ['"child"']), ([">= 13"], ['"adult"']), (["12"], ['"both"'])]
    after = Package({"r.dmn": file(decision(table([("age", "number")], [("group", "", "")], other, "FIRST")))})
    assert changes(before, after) == [
        ("changed", "decision", "D"),
        ("changed", "input column", "input_unnamed_1"),
        ("changed", "row", "r1"),
        ("added", "row", "r3"),
    ]
    found = aspects(before, after)
    assert found["D"] == {"hit policy": ("UNIQUE", "FIRST")}
    assert found["r1"] == {"when age": ("< 13", "< 12")}
    assert found["r3"] == {"when age": ("", "12"), "then group": ("", '"both"')}


def test_other_and_broken_files_are_compared_by_line():
    after = changed(ENROLMENT, "mail/invitation.en.md", ("{{", "{{ "))
    (change,) = compare(ENROLMENT, after).changes
    assert (change.kind, change.thing, change.key) == (ChangeKind.CHANGED, "file", "mail/invitation.en.md")
    assert any(line.startswith("-") for line in change.lines) and any(line.startswith("+") for line in change.lines)
    broken = Package({**ENROLMENT.files, "enrollment.bpmn": b"<oops", "update-now.form": b"{", "new.dmn": b"\xff"})
    found = changes(ENROLMENT, broken)
    assert found[0] == ("changed", "file", "enrollment.bpmn")
    assert ("changed", "file", "update-now.form") in found and ("added", "file", "new.dmn") in found
    less = Package({name: content for name, content in ENROLMENT.files.items() if name != "README.md"})
    assert changes(ENROLMENT, less) == [("removed", "file", "README.md")]


def test_large_and_odd_files_are_compared_quickly():
    lines = "\n".join(str(n) for n in range(100_000))
    before, after = Package({"a.txt": lines.encode()}), Package({"a.txt": lines[::-1].encode()})
    assert changes(before, after) == [("changed", "file", "a.txt")]
    deep = b'{"components": ' + b'[{"components": ' * 60_000
    assert changes(Package({"f.form": form()}), Package({"f.form": deep})) == [("changed", "file", "f.form")]
