"""Ten seconds to change one's mind: a person undoes an act while its mail is held, on each database."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import Clock, alice, bob
from small_clinic import Outbox, facts, open_clinic, run_jobs, trigger
from usher_engine import Instance
from usher_engine.cases import CaseSelection
from usher_engine.core.actor import SYSTEM
from usher_engine.core.errors import Conflict, NotAllowed, TooLate
from usher_engine.enrollment import Enrollment, PortalStatus
from usher_engine.reexecution import Verifier
from usher_engine.settings import Settings
from usher_engine.store import Database, instance_rows, stored_cases

HOLD_S = 10


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def enrollment(settings: Settings, database: Database, clock: Clock, outbox: Outbox) -> Enrollment:
    return open_clinic(settings, database, clock, outbox, mail_hold=HOLD_S)


def update_now(enrollment: Enrollment) -> tuple[str, dict[str, str]]:
    """The id of an open task Update Now, and an answer to it."""
    case = trigger(enrollment, "sample-no-email")
    task = enrollment.engine.inbox.task(case.tasks[0].id, alice)
    return task.id, {key: value for key, value in {**task.initial, "email": "cleo@example.org"}.items() if value}


def stored(enrollment: Enrollment, case: str) -> dict[str, Any]:
    with enrollment.engine.database.read() as tx:
        return dict(json.loads(str(instance_rows.find(tx, case).state)))


def findings(enrollment: Enrollment, case: str) -> list[Any]:
    with enrollment.engine.database.read() as tx:
        seal = enrollment.engine.context.seal_key
        found = Verifier(enrollment.engine.services, seal).check(tx, stored_cases.one(tx, case))
    return [*found, *enrollment.disagreements()]


def undo(enrollment: Enrollment, case: Instance, revision: int | None = None, actor: Any = alice) -> Instance:
    return enrollment.engine.undos.undo(case.id, revision or case.revision, actor=actor)


def test_a_mail_waits_for_its_hold_and_then_leaves(enrollment: Enrollment, outbox: Outbox, clock: Clock) -> None:
    case = trigger(enrollment, "sample-complete")
    run_jobs(enrollment)
    assert outbox.mails == []
    held = enrollment.engine.undos.held(alice)
    assert [(one.instance, one.revision, one.element) for one in held] == [(case.id, 1, "SendInvitation")]
    assert held[0].leaves_at == clock() + timedelta(seconds=HOLD_S)
    clock.forward(seconds=HOLD_S)
    run_jobs(enrollment)
    assert len(outbox.mails) == 1
    assert enrollment.engine.undos.held(alice) == []
    assert enrollment.patient("sample-complete").status == PortalStatus.PENDING
    assert findings(enrollment, case.id) == []


def test_an_undone_answer_leaves_the_case_as_it_was(enrollment: Enrollment, outbox: Outbox, clock: Clock) -> None:
    task, answer = update_now(enrollment)
    enrollment.engine.cases.claim(task, actor=alice)
    before, record = stored(enrollment, task[:12]), enrollment.patient("sample-no-email")
    case = enrollment.engine.complete(task, answer, actor=alice)
    assert enrollment.patient("sample-no-email").resource != record.resource
    after = undo(enrollment, case)
    assert stored(enrollment, case.id) == before
    assert enrollment.patient("sample-no-email").resource == record.resource
    found = enrollment.engine.inbox.task(task, alice)
    assert (found.assignee, after.tasks[0].id) == ("alice", task)
    assert found.draft is not None and found.draft.typed["email"] == "cleo@example.org"
    clock.forward(minutes=5)
    run_jobs(enrollment)
    assert outbox.mails == []
    assert findings(enrollment, case.id) == []


def test_an_undone_answer_is_in_the_history_twice_and_can_be_given_again(
    enrollment: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    task, answer = update_now(enrollment)
    case = undo(enrollment, enrollment.engine.complete(task, answer, actor=alice))
    assert case.tasks[0].assignee == "alice"  # the act itself had claimed it
    other = {**answer, "email": "c.sample@example.org"}
    case = enrollment.engine.complete(task, other, actor=alice, revision=case.revision)
    clock.forward(seconds=HOLD_S)
    run_jobs(enrollment)
    assert [mail["To"] for mail in outbox.mails] == ["c.sample@example.org"]
    kinds = [step.command["kind"] for step in enrollment.engine.queries.history(case.id)]
    assert kinds == ["start", "complete", "undo", "complete", "finish_job"]
    assert enrollment.engine.instance(case.id).outcome == "InvitationSent"
    assert findings(enrollment, case.id) == []


def test_an_undone_removal_puts_the_patients_answer_back(enrollment: Enrollment, outbox: Outbox) -> None:
    before = enrollment.patient("sample-declined")
    case = trigger(enrollment, "sample-declined")
    case = enrollment.engine.complete(case.tasks[0].id, {"reason": "asked at the desk"}, actor=alice)
    assert enrollment.patient("sample-declined").status == PortalStatus.NOT_ENROLLED
    undo(enrollment, case)
    after = enrollment.patient("sample-declined")
    assert (after.status, after.response) == (before.status, before.response)
    assert findings(enrollment, case.id) == []


def test_an_undone_start_ends_the_case_and_another_may_begin(enrollment: Enrollment, outbox: Outbox) -> None:
    case = trigger(enrollment, "sample-complete", key="k1")
    after = undo(enrollment, case)
    assert (after.status, after.explanation) == ("cancelled", "The start was undone before the mail left.")
    assert trigger(enrollment, "sample-complete", key="k2").id != case.id
    assert findings(enrollment, case.id) == []


def test_a_second_undo_changes_nothing(enrollment: Enrollment) -> None:
    task, answer = update_now(enrollment)
    case = enrollment.engine.complete(task, answer, actor=alice)
    first = undo(enrollment, case)
    assert undo(enrollment, case).revision == first.revision


def test_it_is_too_late_when_a_worker_has_taken_the_mail(
    enrollment: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    case = trigger(enrollment, "sample-complete")
    outbox.failures.append(ConnectionError("away"))
    clock.forward(seconds=HOLD_S)
    run_jobs(enrollment)
    with pytest.raises(TooLate):
        undo(enrollment, case, 1)
    other = trigger(enrollment, "sample-complete-2")
    clock.forward(seconds=HOLD_S)
    run_jobs(enrollment)
    with pytest.raises(TooLate):
        undo(enrollment, other, 1)
    assert len(outbox.mails) == 1


def test_only_who_did_it_may_undo_it(enrollment: Enrollment) -> None:
    case = trigger(enrollment, "sample-complete")
    assert enrollment.engine.undos.held(bob) == []
    with pytest.raises(NotAllowed, match="Only alice"):
        undo(enrollment, case, actor=bob)


def test_what_programs_do_is_not_held(enrollment: Enrollment, outbox: Outbox) -> None:
    for patient, actor in (("sample-complete", SYSTEM), ("sample-complete-2", replace(alice, by_program=True))):
        enrollment.trigger(patient, "Office Visit", "Patient Portal", "Enrollment", actor=actor)
    run_jobs(enrollment)
    assert len(outbox.mails) == 2


def test_a_record_that_somebody_changed_since_is_not_put_back(enrollment: Enrollment, clock: Clock) -> None:
    task, answer = update_now(enrollment)
    case = enrollment.engine.complete(task, answer, actor=alice)
    with enrollment.engine.database.begin() as tx:
        enrollment.registry.update(tx, "sample-no-email", {"email": "g2@example.org"}, by="bob", now=clock())
    before = stored(enrollment, case.id)
    with pytest.raises(Conflict, match="Somebody else has changed"):
        undo(enrollment, case)
    assert stored(enrollment, case.id) == before
    assert len(enrollment.engine.undos.held(alice)) == 1


def test_a_fact_since_does_not_stand_in_the_way(enrollment: Enrollment) -> None:
    task, answer = update_now(enrollment)
    case = enrollment.engine.complete(task, answer, actor=alice)
    enrollment.engine.steps.record(case.id, "Note", {"text": "called"}, actor=bob)
    undo(enrollment, case)
    assert ("Note", {"text": "called"}) in facts(enrollment, case.id)
    assert findings(enrollment, case.id) == []


def test_what_was_kept_for_an_undo_must_be_what_the_history_recorded(enrollment: Enrollment) -> None:
    task, answer = update_now(enrollment)
    case = enrollment.engine.complete(task, answer, actor=alice)
    with enrollment.engine.database.begin() as tx:
        tx.exec_driver_sql("UPDATE job SET undo = REPLACE(undo, 'Cleo', 'Clea')")
    with pytest.raises(Exception, match="not what the history recorded"):
        undo(enrollment, case)
    assert enrollment.engine.instance(case.id).revision == case.revision


def test_of_an_undo_and_a_worker_at_once_exactly_one_wins(
    enrollment: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    for number in range(3):
        patient = ("sample-complete", "sample-complete-2", "sample-pending")[number]
        case = trigger(enrollment, patient)
        if case.tasks:
            case = enrollment.engine.complete(case.tasks[0].id, {}, actor=alice)
        clock.forward(seconds=HOLD_S)
        sent, lost, start = len(outbox.mails), [], threading.Barrier(2)

        def stop(case: Instance = case, start: threading.Barrier = start, lost: list[Exception] = lost) -> None:
            start.wait()
            try:
                undo(enrollment, case)
            except Conflict as late:
                lost.append(late)

        def send(start: threading.Barrier = start) -> None:
            start.wait()
            run_jobs(enrollment)

        both = [threading.Thread(target=stop), threading.Thread(target=send)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        run_jobs(enrollment)
        assert len(outbox.mails) - sent == len(lost)
        assert findings(enrollment, case.id) == []


def test_an_undone_case_can_be_repaired_like_any_other(enrollment: Enrollment) -> None:
    task, answer = update_now(enrollment)
    case = undo(enrollment, enrollment.engine.complete(task, answer, actor=alice))
    with pytest.raises(Conflict, match="fits its history"):
        enrollment.engine.repairs.repair(case.id, actor=SYSTEM)
    case = enrollment.engine.complete(task, answer, actor=alice)
    with pytest.raises(Conflict, match="fits its history"):
        enrollment.engine.repairs.repair(case.id, actor=SYSTEM)
    with enrollment.engine.database.begin() as tx:
        tx.exec_driver_sql("UPDATE instance_state SET content = '{}'")
    enrollment.engine.repairs.repair(case.id, actor=SYSTEM)
    assert findings(enrollment, case.id) == []


def test_a_backtest_leaves_an_undone_step_out(enrollment: Enrollment, clock: Clock) -> None:
    task, answer = update_now(enrollment)
    case = undo(enrollment, enrollment.engine.complete(task, answer, actor=alice))
    trigger(enrollment, "sample-complete")
    clock.forward(seconds=1)
    undo(enrollment, enrollment.engine.instance(enrollment.engine.undos.held(alice)[0].instance), 1)
    clock.forward(seconds=1)
    enrollment.engine.complete(task, answer, actor=alice, revision=case.revision)
    clock.forward(seconds=HOLD_S)
    run_jobs(enrollment)
    package = enrollment.engine.queries.package_of(case.id)
    result = enrollment.engine.backtests.run(package, CaseSelection(process="enrollment"))
    assert (result.cases, result.others) == (2, [])
