"""What an editor completes an expression with: the names a package sets, whatever else is broken in it."""

from pathlib import Path

from usher_engine.authoring import names_by_place, names_with_shapes, vocabulary_of
from usher_engine.definitions import Package, read_folder

ROOT = Path(__file__).parents[2]
TABLE = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="x">
  <decision id="choice" name="Choice"><decisionTable id="t">
    <output id="o1" label="Days" name="days" /><output id="o2" name="mail" />
  </decisionTable></decision></definitions>"""


def names(package: Package) -> dict[str, dict]:
    return {name["name"]: name for name in vocabulary_of(package)["names"]}


def test_names_come_with_what_sets_them_and_their_fields() -> None:
    found = names(read_folder(ROOT / "processes" / "enrollment"))
    assert found["patient"]["title"] == "Load patient"
    assert {"email", "zip_code"} <= {field["name"] for field in found["update"]["fields"]}
    assert found["update"]["kind"] == "record"
    assert "not_eligible" not in found
    assert "PatientStatus" not in found  # a gateway sets nothing


def _process(inside: str, properties: str = "") -> bytes:
    return f"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
      xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core"><process id="p">
      <businessRuleTask id="Choose" name="Choose a mail"><extensionElements>
      <s:calledDecisionId>choice</s:calledDecisionId>{properties}</extensionElements></businessRuleTask>{inside}
      </process></definitions>""".encode()


def test_a_decision_sets_its_outputs_or_a_record_of_them() -> None:
    each = names(Package({"p.bpmn": _process(""), "choice.dmn": TABLE}))
    assert {"days", "mail"} <= each.keys()
    assert each["days"]["title"] == "Days"
    named = '<s:properties><s:property name="resultVariable" value="chosen" /></s:properties>'
    whole = names(Package({"p.bpmn": _process("", named), "choice.dmn": TABLE}))
    assert [field["name"] for field in whole["chosen"]["fields"]] == ["days", "mail"]


def test_scripts_and_messages_set_names() -> None:
    inside = """<scriptTask id="S" name="Count"><script>count = 1\nlabels = []</script></scriptTask>
      <intermediateCatchEvent id="Answer" name="Answer"><messageEventDefinition /></intermediateCatchEvent>"""
    found = names(Package({"p.bpmn": _process(inside)}))
    assert {name: one["title"] for name, one in found.items()} == {
        "Answer": "Answer",
        "count": "Count",
        "labels": "Count",
    }


def test_broken_files_add_no_names() -> None:
    files = {
        "a.bpmn": b"<a",
        "b.dmn": b"\x00",
        "c.form": b"{",
        "p.bpmn": _process("<scriptTask id='x'><script>a b</script></scriptTask>"),
    }
    assert names(Package(files)) == {}


def test_words_and_types_go_along() -> None:
    offered = vocabulary_of(Package({}))
    assert {"name": "get", "kind": "function"}.items() <= offered["words"][0].items()
    assert "time" not in offered["types"]


def test_the_data_flow_adds_fields_and_values_and_names_of_its_own() -> None:
    patient = {"name": "patient", "kind": "record", "fields": [{"name": "status", "kind": "text", "enum": ["Pending"]}]}
    offered = {"A": [{"name": "patient", "kind": "any"}], "B": [patient, {"name": "patient_id", "kind": "text"}]}
    found = {name["name"]: name for name in names_with_shapes(Package({}), offered)}
    assert found["patient"]["fields"] == patient["fields"]
    assert found["patient_id"] == {"name": "patient_id", "title": "", "kind": "text"}


def test_names_by_place_say_each_record_once() -> None:
    status, mail = {"name": "status", "kind": "text"}, {"name": "email", "kind": "text", "perhaps": True}
    first = {"name": "patient", "kind": "record", "fields": [status, mail]}
    sure = {"name": "patient", "kind": "record", "fields": [status, {"name": "email", "kind": "text"}]}
    found = names_by_place({"A": [first], "B": [first], "C": [sure, {"name": "late", "perhaps": True}]})
    pool = found["pool"]

    def whole(place: int) -> dict:
        one = pool[place]
        return {**one, "fields": [whole(field) for field in one["fields"]]} if "fields" in one else one

    assert [whole(place) for place in found["at"]["A"]] == [first]
    assert found["at"]["A"] == found["at"]["B"]
    assert [whole(place) for place in found["at"]["C"]] == [sure, {"name": "late", "perhaps": True}]
    assert len(pool) == 6
