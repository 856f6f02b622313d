"""A draft's changes one by one: what is one change, what it is called, and the package without it."""

from __future__ import annotations

import pytest
from changed_package import CHANGES, DIAGRAM, FIRST, changed, flow
from usher_engine.bpmn import compile_diagram
from usher_engine.definitions import Package
from usher_engine.differences import compare, single_changes

TITLES = {
    "condition": ["Answered? → Remind the patient: condition"],
    "form": ["update.form: ZIP code removed"],
    "required field": ["update.form: Mobile: required – → yes"],
    "table row": ["channel.dmn: row 1: when patient.fields.language"],
    "operator's parameter": ["Find missing fields: parameter “form” 'update.form' → 'short.form'"],
    "timer": ["Seven days: timer P7D → P3D"],
    "timer of a task": ["Five days: timer P5D → P1D"],
    "longer timer of a task": ["Five days: timer P5D → P9D"],
    "message text": ["Update now: message to staff"],
    "default flow": ["Call first?: default flow"],
    "new user task": ["Review added"],
    "new read after a wait": ["Days, Look at the answer and Soon added"],
    "removed step": ["Remove the response removed"],
    "removed task": ["Call the patient removed"],
    "due date and priority": ["Update now: due in, priority"],
    "group": ["Call the patient: group Front desk → Billing", "Remind the patient: group Front desk → Billing"],
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_is_one_change_and_what_it_is_called(kind: str) -> None:
    found = single_changes(FIRST, CHANGES[kind])
    titles = [one.title for one in found]
    assert len(titles) == len(TITLES[kind])
    for title, begin in zip(titles, TITLES[kind], strict=True):
        assert title.startswith(begin), title


@pytest.mark.parametrize("kind", CHANGES)
def test_without_its_only_change_a_draft_is_what_it_was(kind: str) -> None:
    found = single_changes(FIRST, CHANGES[kind])
    if len(found) == 1:
        (one,) = found
        left = [change for change in compare(FIRST, one.without).changes if change.kind != "moved"]
        assert left == []
        assert compile_diagram(one.without).flows == compile_diagram(FIRST).flows


def test_changes_that_have_nothing_to_do_with_each_other_are_undone_one_by_one() -> None:
    on = Package({**CHANGES["new user task"].files, "update.form": CHANGES["required field"].files["update.form"]})
    on = changed(DIAGRAM, (">P7D<", ">P3D<"), of=on)
    titles = {one.title: one.without for one in single_changes(FIRST, on)}
    assert sorted(titles) == ["Review added", "Seven days: timer P7D → P3D", "update.form: Mobile: required – → yes"]
    for title, without in titles.items():
        assert set(titles) - {one.title for one in single_changes(FIRST, without)} == {title}


def test_a_new_flow_between_elements_that_stay_is_a_change_of_its_own() -> None:
    resend, call = (flow("Resend", "Missing"), flow("Resend", "Decide")), (flow("Call", "Send"), flow("Call", "Record"))
    on = changed(DIAGRAM, resend, call)
    assert {one.title for one in single_changes(FIRST, on)} == {
        "Resend invitation → How to tell added; Resend invitation → Find missing fields removed",
        "Call the patient → Record Pending added; Call the patient → Send invitation removed",
    }


def test_an_element_under_another_id_is_called_so() -> None:
    renamed = changed(DIAGRAM, ('"Call"', '"Phone"'))
    assert [one.title for one in single_changes(FIRST, renamed)] == ["Call the patient: another id"]


def test_files_that_came_or_went_or_hold_text() -> None:
    mail = "mail/invitation.en.md"
    gone = Package({name: file for name, file in FIRST.files.items() if name != "short.form"})
    said = Package({**FIRST.files, mail: FIRST.files[mail] + b"\nYours", "new.form": FIRST.files["reason.form"]})
    assert [one.title for one in single_changes(FIRST, gone)] == ["short.form: removed"]
    assert single_changes(FIRST, gone)[0].without.files == FIRST.files
    assert {one.title for one in single_changes(FIRST, said)} == {"mail/invitation.en.md: changed", "new.form: added"}
