"""Backtest: where answers come from. Computed anew, recorded, recalled from Usher's record, assumed; never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from conftest import ROOT, Clock, Outside, alice, bob, package
from usher_engine import Actor, Engine, InvalidSubmission, Worker
from usher_engine.cases import CaseSelection
from usher_engine.core.canonical import Json
from usher_engine.core.shapes import record, text
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.reexecution import Assumption, Compared, Kind, Question
from usher_engine.services import Call, Mode, Operator, Parameter, Recalled, Services
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

ANA = Actor(name="ana", role="analyst")
ADMIN = Actor(name="adam", role="admin")
ENROLLMENT = read_folder(ROOT / "processes" / "enrollment")
SMALL = package("small")


def changed(original: Package, file: str, *pairs: tuple[str, str]) -> Package:
    found = original.text(file)
    for before, after in pairs:
        assert before in found, before
        found = found.replace(before, after)
    return Package({**original.files, file: found.encode()})


def results(engine: Engine, on: Package, *assumptions: Assumption, jobs: int = 1) -> dict[str, Compared]:
    """What became of the cases that do not go the same way."""
    found = engine.backtests.run(on, CaseSelection(process=on.key), assumptions=assumptions, jobs=jobs)
    return {one.instance: one for one in found.others}


def only(engine: Engine, on: Package, *assumptions: Assumption) -> Compared:
    (one,) = results(engine, on, *assumptions).values()
    return one


# computed anew


@pytest.fixture
def clinic(settings: Settings, database: Database, clock: Clock) -> Enrollment:
    there = replace(settings, time_zone="America/New_York")
    made = open_enrollment(there, clock=clock, send_mail=lambda _: None, database=database)
    add_samples(database, made.registry, clock())
    made.engine.deploy(ENROLLMENT, actor=ANA)
    return made


def lived(clinic: Enrollment, patient: str) -> str:
    case = clinic.trigger(f"sample-{patient}", "Office Visit", "Patient Portal", "Enrollment", actor=alice).id
    Worker(clinic.engine).run_due()
    return case


def test_a_field_made_required_stops_the_cases_that_lack_it(clinic: Enrollment) -> None:
    """README's own example: what is missing follows from the form of the draft, in other processes as well."""
    cases = {lived(clinic, patient) for patient in ("complete", "complete-2")}
    lived(clinic, "completed")
    phone = '"validationType": "phone"'
    on = changed(ENROLLMENT, "update-now.form", (phone, f'{phone}, "required": true'))
    for jobs in (1, 2):
        found = results(clinic.engine, on, jobs=jobs)
        assert found.keys() == cases
        for one in found.values():
            assert (one.kind, one.element, one.recorded_element) == (Kind.NEEDS_ANSWER, "UpdateNow", "SendInvitation")
            assert one.question == Question(element="UpdateNow", form="update-now.form")
    assert results(clinic.engine, ENROLLMENT) == {}


def test_an_operator_of_ones_own_that_no_other_process_can_get(
    settings: Settings, database: Database, clock: Clock
) -> None:
    """A closure cannot be sent to a process: the backtest computes it in its own."""
    limit = 3

    def long(given: Mapping[str, Any], _call: Call) -> Json:
        return {"n": limit + len(given["value"])}

    value = (Parameter(name="value"),)
    derived = Operator(name="test/read", title="Length", mode=Mode.DERIVED, call=long, parameters=value)
    effect = Operator(name="test/effect", title="e", mode=Mode.EFFECT, call=lambda _given, _call: {})
    engine = Engine(settings, Services((derived, effect)), clock, database)
    engine.deploy(SMALL, actor=ANA)
    case = engine.start("small", {"q": ""}, actor=alice).id
    assert results(engine, SMALL, jobs=2) == {}
    limit = 1
    found = results(engine, SMALL, jobs=2)
    assert (found.keys(), found[case].element, found[case].kind) == ({case}, "E2", Kind.DIFFERENT)


# timers


def timed(days: int) -> Package:
    late = f"""<bpmn:boundaryEvent id="Late" attachedToRef="U"><bpmn:timerEventDefinition>
    <bpmn:timeDuration>P{days}D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="l" sourceRef="Late" targetRef="TooLate"/><bpmn:endEvent id="TooLate"/>"""
    return changed(SMALL, "small.bpmn", ('<bpmn:boundaryEvent id="B"', f'{late}<bpmn:boundaryEvent id="B"'))


def answered_after(engine: Engine, outside: Outside, clock: Clock, days: int) -> str:
    """A case whose task was answered after so many days, unless its timer was faster."""
    outside.answers.append({"n": 2})
    case = engine.start("small", {"q": 1}, actor=alice).id
    for _ in range(days):
        clock.forward(days=1)
        Worker(engine).run_due()
    for task in engine.instance(case).tasks:
        engine.complete(task.id, {"word": "x"}, actor=bob)
    Worker(engine).run_due()
    return case


def test_a_timer_of_another_length_fires_at_its_own_time(engine: Engine, outside: Outside, clock: Clock) -> None:
    engine.deploy(timed(3), actor=ANA)
    cases = {days: answered_after(engine, outside, clock, days) for days in (1, 2, 4)}
    sooner, later = results(engine, timed(2)), results(engine, timed(9))
    assert results(engine, timed(3)) == {}
    assert sooner == {}, "the answer of the second day came at the very moment the timer was due: it counts"
    assert {case: (one.kind, one.element) for case, one in later.items()} == {cases[4]: (Kind.NEEDS_ANSWER, "U")}
    clock.forward(days=9)
    assert results(engine, timed(9)) == {}, "too late all the same, only later"


def test_a_timer_that_would_fire_where_the_case_ended_before(engine: Engine, outside: Outside, clock: Clock) -> None:
    """The form asks for more, so that the answer of the first day does not end the task, and nothing is guessed."""
    engine.deploy(timed(3), actor=ANA)
    answered_after(engine, outside, clock, 1)
    clock.forward(days=9)
    more = '"components": [{"type": "textfield", "key": "place", "label": "Place", "validate": {"required": true}},'
    one = only(engine, changed(timed(3), "answer.form", ('"components": [', more)))
    assert (one.kind, one.element) == (Kind.NEEDS_ANSWER, "U")


def test_nothing_fires_after_a_case_was_cancelled(engine: Engine, outside: Outside, clock: Clock) -> None:
    engine.deploy(SMALL, actor=ANA)
    outside.answers.append({"n": 2})
    engine.cases.cancel(engine.start("small", {"q": 1}, actor=alice).id, "a mistake", actor=bob)
    clock.forward(days=30)
    assert results(engine, timed(3)) == {}


# recalled


STATUS = record({"status": text(), "seen": text()})


class Register:
    """A table of Usher's own with one status, and its history: `register/load` recalls, `register/set` writes."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.history = [(clock(), "new")]
        self.knows = True

    def operators(self) -> tuple[Operator, ...]:
        status = Parameter(name="status")
        return (
            Operator(
                name="register/load", title="Load", mode=Mode.READ, call=self.load, result=STATUS, recall=self.recall
            ),
            Operator(name="register/set", title="Set", mode=Mode.WRITE, call=self.set, parameters=(status,)),
        )

    def load(self, _given: Mapping[str, Any], call: Call) -> Json:
        return {"status": self.history[-1][1], "seen": "live"}

    def set(self, given: Mapping[str, Any], call: Call) -> Json:
        self.history.append((call.now, str(given["status"])))
        return {}

    def recall(self, _given: Mapping[str, Any], call: Call) -> Recalled | None:
        found = [(at, status) for at, status in self.history if at <= call.now]
        if not self.knows or not found:
            return None
        return Recalled({"status": found[-1][1], "seen": "recalled"}, found[-1][0])


class Steps:
    """A process in a row: user tasks, and service tasks of the register, each followed by the next."""

    def __init__(self, *elements: str) -> None:
        self.drawn = [self._draw(element) for element in elements]
        self.names = ["S", *(element.partition("=")[0] for element in elements), "E"]

    @staticmethod
    def _draw(element: str) -> str:
        name, _, what = element.partition("=")
        if not what:
            return f'<bpmn:userTask id="{name}" name="{name}"/>'
        if what.startswith("P"):
            duration = f"<bpmn:timeDuration>{what}</bpmn:timeDuration>"
            timer = f"<bpmn:timerEventDefinition>{duration}</bpmn:timerEventDefinition>"
            return f'<bpmn:intermediateCatchEvent id="{name}">{timer}</bpmn:intermediateCatchEvent>'
        value = f"<spiffworkflow:parameter id=\"status\" type=\"any\" value=\"'{what}'\"/>" if what != "load" else ""
        operator = "register/load" if what == "load" else "register/set"
        called = f'<spiffworkflow:serviceTaskOperator id="{operator}" resultVariable="{name}_found">'
        given = f"<spiffworkflow:parameters>{value}</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
        extension = f"<bpmn:extensionElements>{called}{given}</bpmn:extensionElements>"
        return f'<bpmn:serviceTask id="{name}" name="{name}">{extension}</bpmn:serviceTask>'

    @property
    def package(self) -> Package:
        flows = "".join(
            f'<bpmn:sequenceFlow id="f{n}" sourceRef="{one}" targetRef="{other}"/>'
            for n, (one, other) in enumerate(zip(self.names, self.names[1:], strict=False))
        )
        inner = f'<bpmn:startEvent id="S"/>{"".join(self.drawn)}<bpmn:endEvent id="E"/>{flows}'
        spaces = (
            'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
            'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="http://x"'
        )
        process = f'<bpmn:process id="row" isExecutable="true">{inner}</bpmn:process>'
        return Package({"row.bpmn": f"<bpmn:definitions {spaces}>{process}</bpmn:definitions>".encode()})


@pytest.fixture
def register(clock: Clock) -> Register:
    return Register(clock)


@pytest.fixture
def row(settings: Settings, database: Database, clock: Clock, register: Register) -> Engine:
    """A case read the register, wrote “asked” into it, and waited four days for a person; then it was “done”."""
    engine = Engine(settings, Services(register.operators()), clock, database)
    engine.deploy(Steps("Read=load", "Write=asked", "Ask").package, actor=ANA)
    clock.forward(days=1)
    case = engine.start("row", {}, actor=alice).id
    clock.forward(days=4)
    register.history.append((clock(), "done"))
    engine.complete(engine.instance(case).tasks[0].id, {}, actor=bob)
    clock.forward(days=30)
    return engine


LATER = ("Read=load", "Write=asked", "Week=P2D", "Again=load", "Ask")


def test_a_read_after_a_wait_is_answered_from_the_record_of_that_time(row: Engine, register: Register) -> None:
    one = only(row, Steps(*LATER).package)
    assert (one.kind, one.element, one.draft.end) == (Kind.DIFFERENT, "Week", "E")
    (known,) = one.known
    assert (known.element, known.operator, known.since) == ("Again", "register/load", "2026-05-05T09:02:00+00:00")
    register.knows = False
    one = only(row, Steps(*LATER).package)
    assert (one.kind, one.element) == (Kind.NEEDS_ANSWER, "Again")
    assert one.question == Question(element="Again", operator="register/load")
    assert one.message == "Again asks register/load, which was not asked there when the case ran."
    assert one.draft.at == ("Again",), "not the wait before it"


def test_the_record_says_nothing_of_a_world_in_which_the_case_wrote_something_else(row: Engine) -> None:
    """Then the register held “asked”; a draft that waits before it writes would have read “new”."""
    early = only(row, Steps("Read=load", "Week=P2D", "Again=load", "Write=asked", "Ask").package)
    assert (early.kind, early.element) == (Kind.NEEDS_ANSWER, "Again")
    never = only(row, Steps("Read=load", "Ask", "Again=load").package)
    assert (never.kind, never.element) == (Kind.NEEDS_ANSWER, "Again")


def test_a_recorded_answer_at_another_time_is_looked_up_for_that_time(row: Engine, register: Register) -> None:
    for knows in (True, False):
        register.knows = knows
        one = only(row, Steps("Ask", "Read=load", "Write=asked").package)
        assert (one.kind, one.draft.end, one.known[0].since) == (Kind.DIFFERENT, "E", "2026-05-05T09:02:00+00:00")


def test_a_read_after_a_write_that_fell_away_is_not_the_recorded_one(
    settings: Settings, database: Database, clock: Clock, register: Register
) -> None:
    engine = Engine(settings, Services(register.operators()), clock, database)
    engine.deploy(Steps("Write=asked", "Read=load").package, actor=ANA)
    engine.start("row", {}, actor=alice)
    one = only(engine, Steps("Read=load").package)
    assert (one.kind, one.element) == (Kind.NEEDS_ANSWER, "Read")
    assert one.message == "Read asks register/load: by then the case has changed other things than when it ran."


# assumed


def test_what_nobody_knows_is_assumed_once_for_all(row: Engine, register: Register) -> None:
    """A part of a record is enough: the rest is what the case last knew."""
    register.knows = False
    on = Steps(*LATER).package
    (pending,) = row.backtests.assumptions([{"element": "Again", "answer": {"status": "asked"}}], on)
    one = only(row, on, pending)
    assert (one.kind, one.draft.end, one.assumed) == (Kind.DIFFERENT, "E", (pending.question,))
    assert only(row, on).assumed == ()
    register.knows = True
    assert only(row, on, pending).assumed == (), "what the record knows is not assumed"


def test_an_assumption_that_is_not_whole_is_still_a_question(row: Engine, register: Register) -> None:
    register.knows = False
    on = Steps("Again=load", "Read=load", "Write=asked", "Ask").package
    (half,) = row.backtests.assumptions([{"element": "Again", "answer": {"status": "asked"}}], on)
    one = only(row, on, half)
    assert (one.kind, one.element) == (Kind.NEEDS_ANSWER, "Again")
    assert one.message == "Again asks register/load: the assumed answer lacks “seen”."


def test_a_task_nobody_was_asked_and_a_form_that_asks_for_more(engine: Engine, outside: Outside, clock: Clock) -> None:
    engine.deploy(SMALL, actor=ANA)
    answered_after(engine, outside, clock, 1)
    more = '"components": [{"type": "textfield", "key": "place", "label": "Place", "validate": {"required": true}},'
    on = changed(SMALL, "answer.form", ('"components": [', more))
    (place,) = engine.backtests.assumptions([{"element": "U", "answer": {"place": "here"}}], on)
    assert results(engine, on, place) == {}, "completed by what was answered"
    on = changed(SMALL, "small.bpmn", ("got.n &gt; 1", "got.n &gt; 0"))
    task, mail = engine.backtests.assumptions(
        [{"element": "U", "answer": {"word": "again"}}, {"element": "Send", "answer": {"ok": True}}], on
    )
    assert only(engine, on, task).question == Question(element="Send", operator="test/effect")
    one = only(engine, on, task, mail)
    assert (one.kind, one.draft.end, set(one.assumed)) == (Kind.DIFFERENT, "E2", {task.question, mail.question})
    (refused,) = engine.backtests.assumptions([{"element": "Send", "refused": "no"}], on)
    assert only(engine, on, task, refused).draft.end == "No"


def test_a_renamed_task_without_a_form_changes_nothing_by_being_completed(row: Engine) -> None:
    """What the case writes after it is what it wrote when it ran, so that its recorded answers count."""
    row.deploy(Steps("Ask", "Write=asked", "Read=load").package, actor=ANA)
    case = row.start("row", {}, actor=alice)
    row.complete(case.tasks[0].id, {}, actor=bob)
    on = Steps("Renamed", "Write=asked", "Read=load").package
    (assumed,) = row.backtests.assumptions([{"element": "Renamed", "answer": {}}], on)
    one = results(row, on, assumed)[case.id]
    assert (one.kind, one.draft.end, one.assumed) == (Kind.DIFFERENT, "E", (assumed.question,))


def test_an_assumption_that_leads_back_to_its_question_ends(engine: Engine, outside: Outside, clock: Clock) -> None:
    engine.deploy(SMALL, actor=ANA)
    answered_after(engine, outside, clock, 1)
    on = changed(SMALL, "small.bpmn", ("got.n &gt; 1", "got.n &gt; -100"))
    forever = engine.backtests.assumptions(
        [{"element": "U", "answer": {"word": "again"}}, {"element": "Send", "answer": {"ok": True}}], on
    )
    one = only(engine, on, *forever)
    assert (one.kind, one.draft.path.count("U") > 9) == (Kind.NEEDS_ANSWER, True)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({}, "Assumptions are a JSON list of records with “element” and “answer”."),
        ([3], "Assumption 1: It must be a record with “element” and “answer”."),
        ([{"element": "Nowhere", "answer": {}}], "Assumption 1: The package has no element “Nowhere”."),
        ([{"element": ["U"], "answer": {}}], "Assumption 1: The package has no element “['U']”."),
        ([{"element": "U"}], "Assumption 1: Give either “answer”, or “refused” with an error code."),
        ([{"element": "U", "answer": []}], "Assumption 1: The answer of a task is a record: field key to value."),
        ([{"element": "U", "answer": {"wort": "x"}}], "Assumption 1: wort: This form has no such field."),
        ([{"element": "G", "answer": 1}], "Assumption 1: “G” asks nobody anything; name a task."),
        ([{"element": "U", "answer": {}, "more": 1}], "Assumption 1: It has “more”; known are answer, element, form, "),
        ([{"element": "Send", "refused": "nix"}], "Assumption 1: test/effect refuses with no, not with that one."),
        ([{"element": "Send", "operator": "a/b", "answer": 1}], "Assumption 1: “Send” asks test/effect, not what "),
        ([{"element": "U", "answer": {}}] * 2, "Assumption 2: “U” is assumed twice; keep one."),
    ],
)
def test_an_assumption_that_cannot_be_is_refused_with_its_place(engine: Engine, records: Any, words: str) -> None:
    with pytest.raises(InvalidSubmission) as refused:
        engine.backtests.assumptions(records, SMALL)
    assert refused.value.message.startswith(words)


def test_an_assumed_answer_is_of_the_operators_shape(row: Engine) -> None:
    with pytest.raises(InvalidSubmission, match="has “stadus”, which its shape does not know"):
        row.backtests.assumptions([{"element": "Again", "answer": {"stadus": "x"}}], Steps(*LATER).package)
