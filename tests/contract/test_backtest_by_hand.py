"""One recorded case for each kind of change, compared by hand: where it went, and where the draft would lead it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from changed_package import CHANGES, DIAGRAM, FIRST, changed
from lived_twice import FULL, Clinic, Fate, live
from usher_engine.cases import CaseSelection
from usher_engine.definitions import Package
from usher_engine.differences import single_changes
from usher_engine.enrollment.patient_response import Answer
from usher_engine.reexecution import Compared, Kind, Question

ANN = Fate(name="ann", fields=FULL, answer=Answer.DEFER, responds_after=5)
PEOPLE = [
    ANN,
    replace(
        ANN, name="ben", fields={**FULL, "email": ""}, typed={"email": "b@example.org"}, answers_after=2, answer=None
    ),
    replace(ANN, name="cal", status="Declined", answers_after=0.5, answer=Answer.ACCEPT),
    replace(ANN, name="esa", fields={**FULL, "language": "es"}),
    replace(ANN, name="nos", fields={**FULL, "birth_sex": ""}),
    replace(ANN, name="viv", fields={**FULL, "language": "vi"}, responds_after=2, answer=Answer.ACCEPT),
    replace(ANN, name="zed", fields={**FULL, "zip_code": ""}, typed={"zip_code": "10001"}),
]
NAMES = [one.name for one in PEOPLE]
CHECKED = ("S", "Load", "Fit", "Status", "Missing", "Gaps")
SENT = ("Send", "Record")
LOOKED = ("Week", "Look", "Answered")
MENDED = ("Update", "Save", "Read", "Missing", "Gaps")
#: Where each went, as drawn on the first version.
RECORDED = {
    "ann": (*CHECKED, "Decide", "How", *SENT, *LOOKED, "Done"),
    "ben": (*CHECKED, *MENDED, "Decide", "How", *SENT, *LOOKED, "Remind", "Done"),
    "cal": (*CHECKED[:4], "Enroll", "Remove", *CHECKED[1:], "Decide", "How", *SENT, *LOOKED, "Done"),
    "viv": (*CHECKED, "Decide", "How", "Call", *SENT, *LOOKED, "Done"),
    "zed": (*CHECKED, *MENDED, "Decide", "How", *SENT, *LOOKED, "Done"),
}
RECORDED |= {"esa": RECORDED["ann"], "nos": RECORDED["ann"]}
OTHER = "by then the case has changed other things than when it ran"
#: Nobody answers for five days, since nobody was asked.
TOLD = "The case went to How to tell; this package goes to Update now."
NEVER = "{} is asked and was never answered."


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    lived = live(tmp_path_factory.mktemp("by hand"), FIRST, PEOPLE)
    yield lived
    lived.database.close()


def test_where_they_went(clinic: Clinic) -> None:
    assert {NAMES[number]: one.way.path for number, one in clinic.recordings.items()} == RECORDED


#: The kind of change, who, the verdict, where the way on the draft parts and how it goes on, and the sentence.
BY_HAND: list[tuple[str, str, Kind, int, tuple[str, ...], str]] = [
    ("condition", "ann", Kind.NEEDS_ANSWER, 13, ("Remind",), NEVER.format("Remind the patient")),
    ("form", "zed", Kind.NEEDS_ANSWER, 6, ("Decide", "How", "Send"), f"Send invitation asks invitation/send: {OTHER}."),
    ("required field", "ann", Kind.DIFFERENT, 6, ("Update", "GiveUp", "TooLate"), TOLD),
    ("table row", "viv", Kind.DIFFERENT, 8, (*SENT, *LOOKED, "Done"),
     "The case went to Call the patient; this package goes to Send invitation."),
    ("operator's parameter", "nos", Kind.DIFFERENT, 6, ("Update", "GiveUp", "TooLate"), TOLD),
    ("timer", "ann", Kind.NEEDS_ANSWER, 13, ("Remind",), NEVER.format("Remind the patient")),
    ("timer of a task", "ben", Kind.DIFFERENT, 7, ("GiveUp", "TooLate"),
     "The case went to Save patient; this package goes to Five days."),
    ("default flow", "esa", Kind.NEEDS_ANSWER, 8, ("Call",), NEVER.format("Call the patient")),
    ("new user task", "viv", Kind.NEEDS_ANSWER, 9, ("Review",), NEVER.format("Review")),
    ("new read after a wait", "ann", Kind.DIFFERENT, 10, ("Days", "Early", "Soon", *LOOKED, "Done"),
     "The case went to Seven days; this package goes to Days."),
    ("removed step", "cal", Kind.NEEDS_ANSWER, 5, ("Missing", "Gaps", "Decide", "How", "Send"),
     f"Send invitation asks invitation/send: {OTHER}."),
    ("removed task", "viv", Kind.DIFFERENT, 8, (*SENT, *LOOKED, "Done"),
     "The case went to Call; this package goes to Send invitation."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "who", "verdict", "at", "onward", "message"), BY_HAND, ids=str)
def test_by_hand(
    clinic: Clinic, kind: str, who: str, verdict: Kind, at: int, onward: tuple[str, ...], message: str
) -> None:
    one = backtested(clinic, kind)[clinic.cases[NAMES.index(who)]]
    assert (one.kind, one.differs_at, one.message) == (verdict, at, message)
    assert one.draft.path == (*RECORDED[who][:at], *onward)


@pytest.mark.parametrize("kind", sorted(CHANGES.keys() - {row[0] for row in BY_HAND}))
def test_changes_that_move_nobody(clinic: Clinic, kind: str) -> None:
    """A text, a due date, a priority, a group; and a longer timer that none of them waits for."""
    assert backtested(clinic, kind) == {}


def test_what_the_new_read_knows(clinic: Clinic) -> None:
    """Two days after the sending ann had not answered; nine days after it she had."""
    one = backtested(clinic, "new read after a wait")[clinic.cases[0]]
    assert [known.element for known in one.known] == ["Early", "Look"]
    assert {known.operator for known in one.known} == {"patient/load"}


def test_a_task_nobody_answered_in_time_can_be_assumed(clinic: Clinic) -> None:
    one = backtested(clinic, "required field")[clinic.cases[0]]
    assert one.question == Question(element="Update", form="update.form")
    answer = {**{key: FULL[key] for key in FULL if key != "language"}, "mobile": "555 0100"}
    on = CHANGES["required field"]
    assumed = clinic.engine.backtests.assumptions([{"element": "Update", "answer": answer}], on)
    again = clinic.engine.backtests.run(on, CaseSelection(process="enrollment"), assumptions=assumed)
    (one,) = (one for one in again.others if one.instance == clinic.cases[0])
    assert (one.kind, one.element, one.assumed) == (Kind.NEEDS_ANSWER, "Save", (assumed[0].question,))


def backtested(clinic: Clinic, kind: str) -> dict[str, Compared]:
    result = clinic.engine.backtests.run(CHANGES[kind], CaseSelection(process="enrollment"))
    return {one.instance: one for one in result.others}


@pytest.mark.parametrize("kind", sorted({row[0] for row in BY_HAND}))
def test_which_change_moved_them(clinic: Clinic, kind: str) -> None:
    """The draft has another change, which moves nobody: the one that moved a case is found by trying."""
    also = changed(DIAGRAM, ("{{ missing.text }} missing.", "Please fill in {{ missing.text }}."), of=CHANGES[kind])
    result = clinic.engine.backtests.run(also, CaseSelection(process="enrollment"), jobs=2)
    (title,) = {one.title for one in single_changes(FIRST, CHANGES[kind])}
    assert {one.cause for one in result.others} == {title}


def test_two_changes_move_each_their_own(clinic: Clinic) -> None:
    on = Package({**CHANGES["table row"].files, DIAGRAM: CHANGES["timer of a task"].files[DIAGRAM]})
    result = clinic.engine.backtests.run(on, CaseSelection(process="enrollment"))
    names = {case: NAMES[number] for number, case in clinic.cases.items()}
    moved = {names[one.instance]: one.cause for one in result.others}
    row = 'channel.dmn: row 1: when patient.fields.language "vi" → "es"'
    assert moved == {"ben": "Five days: timer P5D → P1D", "viv": row, "esa": row}
