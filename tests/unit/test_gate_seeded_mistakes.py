"""
Mistakes of an analyst in data, forms, tables, mails and operators, each seeded into a sound package: the gate finds
every one of them before a deployment, on its own place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from usher_engine.definitions import Package
from usher_engine.definitions.package_io import read_folder
from usher_engine.enrollment import enrollment_services
from usher_engine.gate import Finding, check_package
from usher_engine.settings import Settings

ROOT = Path(__file__).parents[2]
SERVICES = enrollment_services(Settings(), None, None, None)  # type: ignore[arg-type]  # the gate calls no operator
DIAGRAM, FORM, TABLE, MAIL = "enrollment.bpmn", "update-now.form", "which.dmn", "mail/word.en.md"

#: After the status is recorded, a table chooses a mail, which goes to the patient.
WORD = """---
subject: A word from {{ practice }}
---

Hello {{ first_name }}, {{ when }}.

[Read more](https://portal.example.org/more){.button}

[No more e-mail]({{ opt_out }})
"""
CHOICE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Which" namespace="x">
  <decision id="which" name="Which mail"><decisionTable id="t" hitPolicy="UNIQUE">
    <input id="sends" label="Sends">
      <inputExpression id="ie" typeRef="number"><text>patient.sends</text></inputExpression></input>
    <output id="mail" label="Mail" name="mail" typeRef="string" />
    <output id="days" label="Days" name="days" typeRef="number" />
    <rule id="first"><inputEntry id="c1"><text>&lt; 2</text></inputEntry>
      <outputEntry id="c2"><text>"word"</text></outputEntry><outputEntry id="c3"><text>7</text></outputEntry></rule>
    <rule id="later"><inputEntry id="c4"><text>&gt;= 2</text></inputEntry>
      <outputEntry id="c5"><text>"word"</text></outputEntry><outputEntry id="c6"><text>14</text></outputEntry></rule>
  </decisionTable></decision>
</definitions>
"""
TASKS = """<bpmn:businessRuleTask id="Choose" name="Which mail?"><bpmn:extensionElements>
    <spiffworkflow:calledDecisionId>which</spiffworkflow:calledDecisionId>
    <spiffworkflow:properties><spiffworkflow:property name="resultVariable" value="which" /></spiffworkflow:properties>
  </bpmn:extensionElements></bpmn:businessRuleTask>
  <bpmn:serviceTask id="Tell" name="Say a word"><bpmn:extensionElements>
    <spiffworkflow:serviceTaskOperator id="mail/send" resultVariable="told"><spiffworkflow:parameters>
      <spiffworkflow:parameter id="patient_id" type="any" value="patient_id" />
      <spiffworkflow:parameter id="template" type="any" value="'word'" />
      <spiffworkflow:parameter id="values" type="any" value="{'when': 'in ' + str(which.days) + ' days'}" />
    </spiffworkflow:parameters></spiffworkflow:serviceTaskOperator></bpmn:extensionElements></bpmn:serviceTask>
  <bpmn:boundaryEvent id="NoWord" name="No word" attachedToRef="Tell"><bpmn:errorEventDefinition id="AnyReason" />
  </bpmn:boundaryEvent>
  <bpmn:sequenceFlow id="Flow_chosen" sourceRef="Choose" targetRef="Tell" />
  <bpmn:sequenceFlow id="Flow_told" sourceRef="Tell" targetRef="InvitationSent" />
  <bpmn:sequenceFlow id="Flow_no_word" sourceRef="NoWord" targetRef="InvitationSent" />
  """


def sound() -> Package:
    """The shipped enrolment, with a table, a mail of its own and two tasks for them, which nobody has drawn."""
    shipped = read_folder(ROOT / "processes" / "enrollment")
    direct = '<bpmn:sequenceFlow id="Flow_recorded" sourceRef="RecordPending" targetRef="InvitationSent" />'
    text = shipped.text(DIAGRAM)
    assert direct in text
    text = text.replace(direct, TASKS + direct.replace("InvitationSent", "Choose"))
    spanish = WORD.replace("Hello", "Hola").encode()
    made = {DIAGRAM: text.encode(), TABLE: CHOICE.encode(), MAIL: WORD.encode(), "mail/word.es.md": spanish}
    return Package({**shipped.files, **made})


SOUND = sound()


@dataclass(frozen=True)
class Mistake:
    """In *file*, *before* becomes *after*; the finding has this *place* (element, field or line) and these *words*."""

    file: str
    before: str
    after: str
    place: str
    rule: str
    words: str
    #: The file the finding is on, where it is another.
    found_in: str = ""
    severity: str = "error"


def field(key: str, **changes: Any) -> tuple[str, str]:
    """The line of the form that names the component *key*, before and after *changes* of it."""
    return f'"key": "{key}"', json.dumps({"key": key, **changes})[1:-1]


MISTAKES = {
    # data
    "a field that the record lacks": Mistake(
        DIAGRAM, 'patient.status == "Pending"', 'patient.statsu == "Pending"', "Flow_status_pending", "data-field",
        "Did you mean “status”?"),
    "a status misspelt": Mistake(
        DIAGRAM, 'patient.status == "Completed"', 'patient.status == "Completedd"', "Flow_status_completed",
        "data-value", "Did you mean “Completed”?"),
    "a name nothing sets": Mistake(
        DIAGRAM, 'len(missing["keys"]) &gt; 0', "room.free", "Flow_fields_missing", "data-unset",
        "nothing sets “room”", severity="warning"),
    "a number joined to a text": Mistake(
        DIAGRAM, "str(patient.sends)", "patient.sends", "ResendInvitation", "data-kind", "str(…) makes a text"),
    "a field of what may be null": Mistake(
        DIAGRAM, "patient.guard != None", 'patient.response.status == "Declined"', "Flow_must_not_be_invited",
        "data-null", "may be null", severity="warning"),
    "an output of the table misspelt": Mistake(
        DIAGRAM, "which.days", "which.dayss", "Tell", "data-field", "Did you mean “days”?"),
    # forms
    "a field that the operator does not take": Mistake(
        FORM, '"key": "mobile"', '"key": "mobil"', "mobil", "data-field", "patient/update"),
    "a form that is no form": Mistake(FORM, '"components": [', '"components": [,', "", "form", "JSON"),
    "a field twice": Mistake(FORM, '"key": "zip_code"', '"key": "email"', "email", "form", "Two fields have this key"),
    "an option that is not there as the default": Mistake(
        FORM, *field("birth_sex", defaultValue="Other"), "birth_sex", "form", "Other"),
    "a component that nobody renders": Mistake(
        FORM, '"type": "text",', '"type": "iframe",', "Text_title", "form", "iframe"),
    "a pattern that cannot be read": Mistake(
        FORM, '"pattern": "^[A-Za-z0-9]{2,6}([ -]?[A-Za-z0-9]{2,4})?$"', '"pattern": "^[A-Z"', "zip_code", "form",
        "pattern"),
    "a form that is not there": Mistake(
        DIAGRAM, 'name="form" value="resend-invitation.form"', 'name="form" value="resend.form"', "ResendInvitation",
        "form", "resend.form"),
    # tables
    "a column that reads a misspelt field": Mistake(
        TABLE, "patient.sends", "patient.snds", "which", "data-field",
        "In input column 1 (Sends), asked by “Which mail?”: “patient” has no field “snds”. Did you mean “sends”?"),
    "a cell that cannot be read": Mistake(TABLE, "&lt; 2", "&lt; &lt; 2", "first", "decision", ""),
    "a text in a column of numbers": Mistake(TABLE, "<text>7<", '<text>"7"<', "first", "decision", ""),
    "rows that overlap": Mistake(
        TABLE, "&gt;= 2", "&gt;= 1", "later", "decision-cover", "Rows 1 and 2 both match", severity="warning"),
    "an input without a row": Mistake(
        TABLE, "&gt;= 2", "&gt; 2", "which", "decision-cover", "No rule matches", severity="info"),
    "a hit policy nobody knows": Mistake(TABLE, 'hitPolicy="UNIQUE"', 'hitPolicy="BEST"', "which", "decision", "BEST"),
    "a table that is not there": Mistake(
        DIAGRAM, "<spiffworkflow:calledDecisionId>which<", "<spiffworkflow:calledDecisionId>whichh<", "Choose",
        "decision", "“whichh” is not in the package"),
    # mails
    "a value that nothing fills": Mistake(
        MAIL, "{{ first_name }}", "{{ first_nam }}", "Line 5", "mail", "Did you mean “first_name”?"),
    "a value that the step does not give": Mistake(MAIL, "{{ when }}", "{{ link }}", "Line 5", "mail", "link"),
    "a mail without a subject": Mistake(MAIL, "subject: A word from {{ practice }}", "", "Line", "mail", "subject"),
    "a link that leads nowhere": Mistake(
        MAIL, "https://portal.example.org/more", "javascript:alert(1)", "Line 7", "mail", "https://"),
    "a placeholder that is not closed": Mistake(MAIL, "{{ when }}", "{{ when }", "Line 5", "mail", ""),
    "a template that is not there": Mistake(
        DIAGRAM, "\"'word'\"", "\"'wrod'\"", "Tell", "mail", "Did you mean “word”?"),
    "a language that one of the mails lacks": Mistake(
        "mail/word.es.md", "", "", "", "mail", "“word” is not", found_in=MAIL, severity="warning"),
    # operators
    "an operator nobody knows": Mistake(
        DIAGRAM, 'serviceTaskOperator id="mail/send"', 'serviceTaskOperator id="mail/sent"', "Tell", "service",
        "mail/sent"),
    "a parameter that it does not have": Mistake(
        DIAGRAM, 'parameter id="values" type="any" value="{', 'parameter id="value" type="any" value="{', "Tell",
        "service", "value"),
    "a parameter that it needs": Mistake(
        DIAGRAM, '<spiffworkflow:parameter id="template" type="any" value="\'word\'" />', "", "Tell", "service",
        "template"),
    "two recipients": Mistake(
        DIAGRAM, '<spiffworkflow:parameter id="template" type="any" value="\'word\'" />',
        '<spiffworkflow:parameter id="template" type="any" value="\'word\'" />'
        '<spiffworkflow:parameter id="group" type="any" value="\'Front desk\'" />',
        "Tell", "mail", "Set exactly one of them"),
    "a refusal that it never gives": Mistake(
        DIAGRAM, 'errorCode="not-eligible"', 'errorCode="not-elligible"', "SendingRefused", "service",
        "Did you mean “not-eligible”?"),
    "a result without a name": Mistake(
        DIAGRAM, ' resultVariable="told"', "", "Tell", "property", "The result has no name"),
}  # fmt: skip


def seeded(mistake: Mistake) -> Package:
    if not mistake.before:
        return Package({path: content for path, content in SOUND.files.items() if path != mistake.file})
    text = SOUND.text(mistake.file)
    assert mistake.before in text, mistake.before
    return Package({**SOUND.files, mistake.file: text.replace(mistake.before, mistake.after, 1).encode()})


def stands_at(finding: Finding, mistake: Mistake) -> bool:
    """Whether the finding names the place: by its element or field, or in a mail by the line."""
    if finding.file != (mistake.found_in or mistake.file) or not finding.rule.startswith(mistake.rule):
        return False
    return finding.element == mistake.place or (
        mistake.place.startswith("Line") and finding.message.startswith(mistake.place)
    )


def test_the_package_is_sound() -> None:
    assert [finding for finding in check_package(SOUND, SERVICES) if finding.rule != "not-drawn"] == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_on_its_own_place(name: str) -> None:
    mistake = MISTAKES[name]
    found = check_package(seeded(mistake), SERVICES)
    there = [finding for finding in found if stands_at(finding, mistake)]
    assert there, found
    assert any(mistake.words in finding.message for finding in there), there
    assert mistake.severity in {finding.severity for finding in there}


def test_the_mistakes_are_of_many_kinds() -> None:
    assert len(MISTAKES) >= 20
    assert len({(mistake.rule, mistake.severity) for mistake in MISTAKES.values()}) >= 12
