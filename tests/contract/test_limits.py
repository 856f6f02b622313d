"""What one command may open and one case may hold: beyond it is an incident, quickly, and nothing half-written."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from conftest import Clock, Outside, alice
from drawn_timers import drawn
from usher_engine import SYSTEM, Actor, Engine, Instance, Services, Settings, Worker
from usher_engine.core import limits
from usher_engine.definitions import Package
from usher_engine.store import Database

ANA = Actor(name="ana", role="analyst")
OPEN = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
FIRST = '<userTask id="First" name="First"/>'
ASK = '<userTask id="Ask" name="Ask">{}</userTask>'


def items(number: int | str) -> str:
    repeated = "multiInstanceLoopCharacteristics"
    return f"<{repeated}><loopCardinality>{number}</loopCardinality></{repeated}>"


def process(key: str, body: str) -> Package:
    text = f'{OPEN}<process id="{key}" name="{key}" isExecutable="true">{body}</process></definitions>'
    return Package({f"{key}.bpmn": text.encode()})


def row(*elements: str, names: tuple[str, ...]) -> str:
    """*elements* one after the other between a start and an end."""
    ends = ["S", *names, "E"]
    flows = "".join(flow(*pair) for pair in pairwise(ends))
    return f'<startEvent id="S"/>{"".join(elements)}<endEvent id="E"/>{flows}'


def flow(source: str, target: str) -> str:
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


@pytest.fixture
def nested(engine: Engine) -> Engine:
    """In each of `outer` items of a sub-process `inner` items of a task, behind a first one."""
    within = '<startEvent id="IS"/><endEvent id="IE"/>' + flow("IS", "Ask") + flow("Ask", "IE")
    many = f'<subProcess id="Many">{within}{ASK.format(items("inner"))}{items("outer")}</subProcess>'
    engine.deploy(process("nested", row(FIRST, many, names=("First", "Many"))), actor=ANA)
    return engine


@pytest.mark.parametrize(("outer", "inner"), [(50, 50), (200, 200), (2, 200)])
def test_nested_repetitions_count_together(nested: Engine, outer: int, inner: int) -> None:
    case = nested.start("nested", {"outer": outer, "inner": inner}, actor=alice)
    began = time.process_time()
    stopped = nested.complete(case.tasks[0].id, {}, actor=alice)
    assert time.process_time() - began < 5
    assert (stopped.status, [task.element for task in stopped.tasks]) == ("incident", ["First"])
    assert stopped.incident == "One command may come to 300 elements; this one comes to more. Repeat fewer items."
    assert set(nested.queries.rebuild(case.id).incidents) <= {"Ask:0", "Many:0"}
    assert nested.verify(case.id) == []


def test_one_repetition_of_the_largest_size_is_fine(engine: Engine) -> None:
    engine.deploy(process("many", row(ASK.format(items(200)), names=("Ask",))), actor=ANA)
    case = engine.start("many", {}, actor=alice)
    assert (case.status, len(case.tasks)) == ("waiting", 200)
    assert engine.complete(case.tasks[7].id, {}, actor=alice).status == "waiting"
    assert engine.verify(case.id) == []


def test_a_case_waits_for_so_much_at_once_and_not_more(engine: Engine, clock: Clock) -> None:
    """Several commands, each within its limits: 200 more tasks every day, which nobody does."""
    daily = '<boundaryEvent id="Daily" attachedToRef="First" cancelActivity="false"><timerEventDefinition>'
    daily += "<timeCycle>R/P1D</timeCycle></timerEventDefinition></boundaryEvent>"
    daily += ASK.format(items(200)) + '<endEvent id="Done"/>' + flow("Daily", "Ask") + flow("Ask", "Done")
    engine.deploy(process("many", row(FIRST, daily, names=("First",))), actor=ANA)
    case = engine.start("many", {}, actor=alice).id
    for _ in range(6):
        clock.forward(days=1)
        Worker(engine).run_due()
    stopped = engine.instance(case)
    assert (stopped.status, len(stopped.tasks)) == ("incident", 801)
    assert stopped.incident == "A case may wait for 1000 tasks, services, times and messages at once."
    assert engine.queries.counts()["jobs"] == {"waiting": 0, "parked": 1}
    assert engine.verify(case) == []


def test_a_state_that_would_grow_too_large_is_an_incident(engine: Engine, database: Database) -> None:
    """The data of the case stay small; what each item knows adds up."""
    case = many(engine, {"letter": "x" * 19_000})
    stopped = engine.complete(case.tasks[0].id, {}, actor=alice)
    assert stopped.status == "incident" and stopped.incident is not None
    assert stopped.incident.startswith("The case would need more than 4 MB to be kept: 60 tasks")
    assert size_of(database, case.id) < limits.MAX_STATE / 10
    assert engine.verify(case.id) == []


def test_a_case_at_its_limit_can_still_be_claimed_and_get_incidents(engine: Engine, database: Database) -> None:
    """What runs nothing adds a few words only; there is always room for those."""
    data = {"letter": "x" * 12_800, "rest": ""}
    case = many(engine, data)
    engine.complete(case.tasks[0].id, {}, actor=alice)
    room = limits.MAX_STATE - size_of(database, case.id)
    case = many(engine, data | {"rest": "y" * (room // 62)})  # each item and the case keep it, and the run its start
    tasks = engine.complete(case.tasks[0].id, {}, actor=alice).tasks
    assert 0 <= limits.MAX_STATE - size_of(database, case.id) < 62
    for task in tasks[:14]:
        assert engine.cases.claim(task.id, actor=alice).status == "waiting"
    assert size_of(database, case.id) > limits.MAX_STATE
    assert engine.verify(case.id) == []


def size_of(database: Database, case: str) -> int:
    """How many characters the stored state of *case* has."""
    with database.read() as tx:
        query = f"SELECT length(content) FROM instance_state WHERE instance = '{case}'"
        return int(tx.exec_driver_sql(query).scalar_one())


def many(engine: Engine, data: dict[str, str]) -> Instance:
    """A case at a first task, behind it sixty items that each make four copies of a letter."""
    script = '<script>own = [letter + "!", letter + "?", letter + ".", letter + ":"]</script>'
    within = f'<startEvent id="IS"/><scriptTask id="Copy">{script}</scriptTask>'
    within += ASK.format("") + '<endEvent id="IE"/>' + flow("IS", "Copy") + flow("Copy", "Ask") + flow("Ask", "IE")
    repeated = f'<subProcess id="Many">{within}{items(60)}</subProcess>'
    engine.deploy(process("many", row(FIRST, repeated, names=("First", "Many"))), actor=ANA)
    return engine.start("many", data, actor=alice)


def test_a_step_that_would_write_too_much_is_an_incident(engine: Engine) -> None:
    said = '<s:instructionsForEndUser xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core">'
    said = f"<extensionElements>{said}{{{{ letter }}}}</s:instructionsForEndUser></extensionElements>"
    engine.deploy(process("many", row(FIRST, ASK.format(said + items(200)), names=("First", "Ask"))), actor=ANA)
    case = engine.start("many", {"letter": "ä&" * 9_000}, actor=alice)
    stopped = engine.complete(case.tasks[0].id, {}, actor=alice)
    assert stopped.status == "incident"
    assert "MB" in (stopped.incident or "")


# over time


@pytest.fixture
def hasty(settings: Settings, services: Services, clock: Clock, database: Database) -> Engine:
    """A case may take 21 steps an hour without a person; the process waits a minute and calls a service, in a loop."""
    engine = Engine(replace(settings, case_steps_per_hour=21), services, clock, database)
    engine.deploy(drawn("round", again=True, Nap="PT1M", Send="test/effect"), actor=ANA)
    return engine


def go_round(engine: Engine, clock: Clock, rounds: int, minutes: float = 1) -> int:
    """Let time pass and do what is due in each round; returns how many jobs that were."""
    done = 0
    for _ in range(rounds):
        clock.forward(minutes=minutes)
        done += Worker(engine).run_due()
    return done


def test_a_case_that_loops_without_a_person_gets_an_incident(hasty: Engine, outside: Outside, clock: Clock) -> None:
    case = hasty.start("round", {}, actor=alice).id
    assert go_round(hasty, clock, 15) == 22
    stopped = hasty.instance(case)
    assert stopped.status == "incident" and stopped.incident is not None
    assert stopped.incident.startswith("This case goes round by itself: 21 steps within an hour")
    assert set(hasty.queries.rebuild(case).incidents) == {"Send:0"}
    assert hasty.queries.counts()["jobs"] == {"waiting": 0, "parked": 1}
    assert hasty.verify(case) == []

    asked = len(outside.calls)
    hasty.cases.retry(case, actor=alice)
    assert Worker(hasty).run_due() == 1
    assert len(outside.calls) == asked, "what the service did is not done again"
    assert hasty.instance(case).status == "waiting"
    assert go_round(hasty, clock, 15) == 21
    assert hasty.instance(case).status == "incident"
    assert hasty.verify(case) == []


def test_a_retry_by_anyone_lets_it_continue(hasty: Engine, clock: Clock) -> None:
    case = hasty.start("round", {}, actor=alice).id
    go_round(hasty, clock, 15)
    hasty.cases.retry(case, actor=SYSTEM)
    assert go_round(hasty, clock, 5) == 9


def test_a_slow_case_goes_on_for_ever(hasty: Engine, clock: Clock) -> None:
    case = hasty.start("round", {}, actor=alice).id
    assert go_round(hasty, clock, 40, minutes=6.1) == 80
    assert hasty.instance(case).status == "waiting"


def test_what_people_do_is_no_haste(hasty: Engine, clock: Clock) -> None:
    case = hasty.start("round", {}, actor=alice).id
    for _ in range(4):
        go_round(hasty, clock, 8)
        hasty.steps.record(case, "Looked at", {}, actor=alice)
    assert hasty.instance(case).status == "waiting"


@pytest.mark.parametrize("empty", ["PT0S", "2020-01-01T00:00:00Z", "PT10S"])
def test_a_wait_in_a_loop_is_a_minute_at_least_from_the_second_round_on(
    engine: Engine, clock: Clock, empty: str
) -> None:
    engine.deploy(drawn("round", again=True, Nap=empty), actor=ANA)
    case = engine.start("round", {}, actor=alice).id
    clock.forward(seconds=10)
    assert Worker(engine).run_due() == 1
    [wait] = engine.instance(case).waits
    assert wait.due == clock() + timedelta(minutes=1)
    clock.forward(minutes=1)
    assert Worker(engine).run_due() == 1
    assert engine.verify(case) == []


def test_a_longer_wait_in_a_loop_is_as_it_is_drawn(engine: Engine, clock: Clock) -> None:
    engine.deploy(drawn("round", again=True, Nap="PT61S"), actor=ANA)
    case = engine.start("round", {}, actor=alice).id
    assert go_round(engine, clock, 6, minutes=61 / 60) == 6
    [wait] = engine.instance(case).waits
    assert wait.due == clock() + timedelta(seconds=61)


def test_waits_of_one_step_are_no_loop(engine: Engine, clock: Clock) -> None:
    """The items of a repetition side by side all begin at once."""
    within = '<startEvent id="IS"/><endEvent id="IE"/>' + flow("IS", "Nap") + flow("Nap", "IE")
    within += '<intermediateCatchEvent id="Nap"><timerEventDefinition><timeDuration>PT10S</timeDuration>'
    within += f"</timerEventDefinition></intermediateCatchEvent>{items(3)}"
    engine.deploy(process("many", row(f'<subProcess id="Many">{within}</subProcess>', names=("Many",))), actor=ANA)
    case = engine.start("many", {}, actor=alice)
    assert {wait.due for wait in case.waits} == {clock() + timedelta(seconds=10)}


def test_a_boundary_armed_again_waits_a_minute(engine: Engine, clock: Clock) -> None:
    late = '<boundaryEvent id="Late" attachedToRef="Ask"><timerEventDefinition><timeDuration>PT0S</timeDuration>'
    late += "</timerEventDefinition></boundaryEvent>" + flow("Late", "Ask")
    engine.deploy(process("again", row(ASK.format(""), late, names=("Ask",))), actor=ANA)
    case = engine.start("again", {}, actor=alice).id
    assert Worker(engine).run_due() == 1
    assert [wait.due for wait in engine.instance(case).waits] == [clock() + timedelta(minutes=1)]


def test_waits_between_tries_double_up_to_six_hours(
    settings: Settings, services: Services, clock: Clock, database: Database, outside: Outside
) -> None:
    engine = Engine(replace(settings, job_attempts=100), services, clock, database)
    engine.deploy(drawn("send", Send="test/effect"), actor=ANA)
    case = engine.start("send", {}, actor=alice).id
    waits = []
    for _ in range(60):
        outside.fail(retry=True)
        assert Worker(engine).run_due() == 1
        [failed] = engine.queries.history(case)[-1].events
        waits.append(datetime.fromisoformat(failed["retry_at"]) - clock())
        clock.forward(seconds=waits[-1].total_seconds())
    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert set(waits[12:]) == {timedelta(hours=6)}
