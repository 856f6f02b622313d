"""F4, F6, F8: several processes, threads and clocks want the same thing; one gets it and the others learn who did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from multiprocessing.connection import Connection

import pytest
from conftest import Outside, alice, bob, package
from threads import at_once
from usher_engine import Actor, Conflict, Engine, InvalidSubmission, Worker
from usher_engine.enrollment import Enrollment, smtp_sender
from usher_engine.store import instance_rows

from .children import Child
from .postoffice import PostOffice
from .story import ANSWER, Place, address, check, patient, tell, trigger

RACE = 50

Enter = Callable[..., Enrollment]


def race_for_tasks(mouth: Connection, place: Place, racer: Actor, tasks: list[tuple[str, str, int]]) -> None:
    """Complete *tasks* (id, e-mail, revision) in sequence; report the outcome of each."""
    engine = place.open().engine
    mouth.send("ready")
    mouth.recv()
    for task, email, revision in tasks:
        try:
            engine.complete(task, {**ANSWER, "email": email}, actor=racer, revision=revision)
            mouth.send((task, "accepted", racer.name))
        except Conflict as lost:
            mouth.send((task, "conflict", lost.winner))


def test_two_processes_race_for_fifty_tasks(make_place: Callable[..., Place], enter: Enter) -> None:
    place = make_place(patients=RACE)
    enrollment = enter(place)
    engine = enrollment.engine
    opened = [(trigger(enrollment, number).tasks[0], address(number)) for number in range(RACE)]
    tasks = [(task.id, email, task.revision) for task, email in opened]

    racers = [Child(race_for_tasks, place, racer, tasks) for racer in (alice, bob)]
    for racer in racers:
        assert racer.hear() == "ready"
    for racer in racers:
        racer.tell("go")
    results = [racer.ended() for racer in racers]

    assert [code for code, _ in results] == [0, 0]
    outcomes = [one for _, heard in results for one in heard]
    assert Counter(what for _, what, _ in outcomes) == {"accepted": RACE, "conflict": RACE}
    winners = {task: name for task, what, name in outcomes if what == "accepted"}
    assert winners == {task: name for task, what, name in outcomes if what == "conflict"}
    assert engine.queries.counts()["jobs"] == {"waiting": RACE, "parked": 0}
    assert engine.inbox.tasks() == []
    for task, name in winners.items():
        (done,) = [
            step for step in engine.queries.history(task.partition(":")[0]) if step.command["kind"] == "complete"
        ]
        assert done.actor == name


def test_fifty_threads_complete_one_task(make_place: Callable[..., Place], enter: Enter) -> None:
    place = make_place()
    enrollment = enter(place)
    (task,) = trigger(enrollment, 0).tasks
    answer = {**ANSWER, "email": address(0)}
    people = [Actor(name=f"staff-{n}", role="staff", groups=frozenset({"Front desk"})) for n in range(50)]

    answers = at_once(
        50, lambda n: enrollment.engine.complete(task.id, answer, actor=people[n], revision=task.revision)
    )

    lost = [one for one in answers if isinstance(one, Conflict)]
    assert len(lost) == 49, [one for one in answers if isinstance(one, Exception) and not isinstance(one, Conflict)]
    (done,) = [s for s in enrollment.engine.queries.history(task.instance) if s.command["kind"] == "complete"]
    assert {one.winner for one in lost} == {done.actor}
    assert enrollment.engine.queries.counts()["jobs"] == {"waiting": 1, "parked": 0}


def test_both_branches_of_a_case_completed_at_once(engine: Engine) -> None:
    """A command that waited for the lock must not go on from the state before it."""
    engine.deploy(package("parallel"), actor=alice)
    for _ in range(8):
        case = engine.start("parallel", {"n": 1}, actor=alice)
        branches = [(task.id, who) for task, who in zip(case.tasks, (alice, bob), strict=True)]
        answers = at_once(2, lambda n, these=branches: engine.complete(these[n][0], {}, actor=these[n][1]))
        assert not [one for one in answers if isinstance(one, Exception)]
        assert engine.instance(case.id).outcome == "End"
        assert engine.queries.rebuild(case.id).status == "finished"


def test_one_key_in_many_requests_at_once(make_place: Callable[..., Place], enter: Enter) -> None:
    enrollment = enter(make_place())
    answers = at_once(8, lambda _: trigger(enrollment, 0).id)
    (case,) = enrollment.engine.queries.instances()
    assert answers == [case.id] * 8


def test_a_start_that_fails_many_times_at_once_is_one_incident(engine: Engine, outside: Outside) -> None:
    engine.deploy(package("small"), actor=alice)
    for _ in range(8):
        outside.fail(retry=False)
    answers = at_once(6, lambda _: engine.start("small", {"q": 1}, actor=alice, key="k", source="ehr").id)
    (case,) = engine.queries.instances()
    assert answers == [case.id] * 6
    assert case.status == "incident"


def test_a_trigger_repeated_and_a_trigger_changed(make_place: Callable[..., Place], enter: Enter) -> None:
    enrollment = enter(make_place(patients=2))
    first = trigger(enrollment, 0)
    assert trigger(enrollment, 0).id == first.id
    changed = {"actor": alice, "key": "key-0", "source": "ehr"}
    with pytest.raises(InvalidSubmission, match="new key") as refused:
        enrollment.trigger(patient(1), "Office Visit", "Patient Portal", "Enrollment", **changed)
    assert list(refused.value.fields) == ["Idempotency-Key"]
    assert enrollment.engine.queries.instances(business_key=patient(1)) == []
    tell(enrollment, 0, "complete", "work")
    assert trigger(enrollment, 0).id == first.id, "also after the case has ended"


@pytest.mark.parametrize("when", ["before A sends", "after A has sent"])
def test_a_worker_whose_clock_is_an_hour_ahead(
    when: str, make_place: Callable[..., Place], office: PostOffice, enter: Enter
) -> None:
    """F6: to B, A's lease has ended while A still sends: B sends too, and only one of the two reports counts."""
    place = make_place()
    over_smtp = smtp_sender(place.settings)
    ahead = enter(place.later(place.now + timedelta(hours=1)))

    def send(message: EmailMessage) -> None:
        if when == "before A sends":
            assert Worker(ahead.engine).run_due() == 1
        over_smtp(message)
        if when == "after A has sent":
            assert Worker(ahead.engine).run_due() == 1

    tell(enter(place, send_mail=send), 0, "trigger", "complete", "work")
    check(ahead, 0, office, mails=2)
    assert Worker(ahead.engine).run_due() == 0


def test_a_reader_sees_one_moment(make_place: Callable[..., Place], enter: Enter) -> None:
    """Two reads in one reading transaction agree, although another transaction commits between them."""
    place = make_place()
    reading, writing = enter(place), enter(place)
    with reading.engine.database.read() as tx:
        before = [row.id for row in instance_rows.recent(tx)]
        trigger(writing, 0)
        assert [row.id for row in instance_rows.recent(tx)] == before == []
