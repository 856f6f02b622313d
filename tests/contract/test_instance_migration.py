"""Running cases moved to another version: what goes over, what is refused, and that the record stays provable."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Clock, Outside, alice, bob, package
from usher_engine import Actor, CannotMigrate, Conflict, Engine, InvalidSubmission, NotAllowed, NotFound, Worker
from usher_engine.definitions import Package
from usher_engine.store import to_text

ANA = Actor(name="ana", role="analyst")


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=ANA, note="first")
    return engine


def changed(name: str, *changes: tuple[str, str]) -> Package:
    """A test process with each first text replaced by the second, wherever it stands."""
    files = dict(package(name).files)
    for before, after in changes:
        found = [path for path, content in files.items() if before in content.decode()]
        assert found, before
        for path in found:
            files[path] = files[path].decode().replace(before, after).encode()
    return Package(files)


def deploy(engine: Engine, *changes: tuple[str, str], name: str = "small") -> int:
    return engine.deploy(changed(name, *changes), actor=ANA).number


def open_case(engine: Engine, outside: Outside, n: Any = 2) -> str:
    outside.answers.append({"n": n})
    return engine.start("small", {"q": n}, actor=alice).id


def agrees(engine: Engine) -> bool:
    result = engine.verification.verify_all()
    assert result.findings == []
    for case in engine.queries.instances():
        rebuilt = engine.queries.rebuild(case.id)
        assert rebuilt.status == case.status
        assert {f"{task.element}:{task.visit}" for task in case.tasks} == set(rebuilt.tasks)
    return result.checked == result.equal == len(engine.queries.instances())


def test_an_open_task_goes_over_and_the_case_ends_on_the_new_version(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    two = deploy(small, ("Do it", "Do it well"), ("n is", "Now n is"), ("Front desk", "Billing"))
    before = small.instance(case)
    assert small.migrations.try_one(case, two).problems == ()
    after = small.migrations.migrate(case, two, actor=ANA, reason="the new wording", revision=before.revision)
    assert (after.version, after.revision, after.status, after.at) == (2, 2, "waiting", ("U",))
    (task,) = after.tasks
    assert (task.title, task.message, task.group) == ("Do it well", "Now n is 2", "Billing")
    assert (task.created, task.due) == (before.tasks[0].created, before.tasks[0].due)
    step = small.queries.history(case)[-1]
    assert (step.command, step.actor) == ({"kind": "migrate"}, "ana")
    assert [event["kind"] for event in step.events] == ["InstanceMigrated", "UserTaskOpened"]
    assert step.events[0]["reason"] == "the new wording"
    assert agrees(small)
    assert [small.queries.diagram_of(case, revision).elements["U"].name for revision in (1, 2)] == [
        "Do it",
        "Do it well",
    ]
    system = Actor(name="carl", role="system")
    small.complete(task.id, {"word": "x"}, actor=system)
    Worker(small).run_due()
    assert (small.instance(case).status, small.instance(case).outcome) == ("finished", "E2")
    assert agrees(small)


def typed(engine: Engine, task: str) -> dict[str, str] | None:
    """What alice typed into *task* and has not sent."""
    draft = engine.task_drafts.find(task, alice)
    return draft.typed if draft else None


def test_claim_and_draft_stay_where_the_form_still_asks(small: Engine, outside: Outside, clock: Clock) -> None:
    case = open_case(small, outside)
    task = small.instance(case).tasks[0].id
    small.cases.claim(task, actor=alice)
    small.task_drafts.save(task, {"word": "half", "other": "gone"}, actor=alice)
    clock.forward(days=1)
    two = deploy(small, ("Do it", "Do that"))
    assert small.migrations.try_one(case, two).warnings == (
        ("U", "What was typed there and not sent is lost for: other."),
    )
    small.migrations.migrate(case, two, actor=ANA, reason="why not")
    (after,) = small.instance(case).tasks
    assert (after.assignee, typed(small, task)) == ("alice", {"word": "half"})
    assert to_text(after.created) < to_text(clock())
    assert small.queries.history(case)[-1].events[-1] == {
        "kind": "UserTaskClaimed",
        "element": "U",
        "visit": 1,
        "by": "alice",
    }
    small.complete(after.id, {"word": "whole"}, actor=alice)
    assert agrees(small)


def test_a_renamed_task_needs_its_mapping(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    two = deploy(small, ('"U"', '"Ask"'))
    refused = small.migrations.try_one(case, two)
    assert refused.problems == (("U", "Do it is not in this version; say which element takes its place."),)
    with pytest.raises(CannotMigrate) as refusal:
        small.migrations.migrate(case, two, actor=ANA, reason="renamed")
    assert refusal.value.problems == list(refused.problems)
    mapping = small.migrations.proposed_mapping("small", 1, 2)
    assert mapping == {"U": "Ask", "Load": "Load", "Send": "Send", "Sub": "Sub"}
    after = small.migrations.migrate(case, two, mapping, actor=ANA, reason="renamed")
    assert (after.at, after.tasks[0].element, after.tasks[0].visit) == (("Ask",), "Ask", 1)
    assert small.queries.history(case)[-1].events[0]["places"] == {"U:1": "Ask:1"}
    assert agrees(small)
    back = small.migrations.migrate(case, 1, {"Ask": "U"}, actor=ANA, reason="back again")
    assert (back.version, back.tasks[0].element, back.tasks[0].visit) == (1, "U", 2)
    assert agrees(small)
    small.complete(back.tasks[0].id, {"word": "x"}, actor=alice)
    assert agrees(small)


def test_a_service_that_waits_goes_over_and_is_asked_once(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    small.complete(small.instance(case).tasks[0].id, {"word": "x"}, actor=alice)
    two = deploy(small, ('resultVariable="sent"', 'resultVariable="mailed"'))
    asked = len(outside.calls)
    assert small.migrations.migrate(case, two, actor=ANA, reason="other name").at == ("Send",)
    assert agrees(small)
    Worker(small).run_due()
    assert [call.key for call in outside.calls[asked:]] == [f"{case}:Send:1"]
    assert "mailed" in small.queries.rebuild(case).data
    assert agrees(small)


def test_a_service_under_another_id_only_before_it_was_tried(small: Engine, outside: Outside, clock: Clock) -> None:
    tried, fresh = open_case(small, outside), open_case(small, outside)
    for case in (tried, fresh):
        small.complete(small.instance(case).tasks[0].id, {"word": "x"}, actor=alice)
    outside.fail(retry=True)
    Worker(small).run_due(at_most=1)
    two = deploy(small, ('"Send"', '"Mail"'))
    with pytest.raises(CannotMigrate, match="was tried already"):
        small.migrations.migrate(tried, two, {"Send": "Mail"}, actor=ANA, reason="renamed")
    small.migrations.migrate(fresh, two, {"Send": "Mail"}, actor=ANA, reason="renamed")
    assert agrees(small)
    clock.forward(hours=1)
    asked = len(outside.calls)
    Worker(small).run_due()
    assert {call.key for call in outside.calls[asked:]} == {f"{tried}:Send:1", f"{fresh}:Mail:1"}
    assert [small.instance(case).status for case in (tried, fresh)] == ["finished", "finished"]
    assert agrees(small)


def test_what_stands_against_it_names_the_element(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    gone = deploy(small, ("<bpmn:userTask ", "<bpmn:manualTask "), ("</bpmn:userTask>", "</bpmn:manualTask>"))
    assert small.migrations.try_one(case, gone).problems == (), "both wait for a person"
    small.complete(small.instance(case).tasks[0].id, {"word": "x"}, actor=alice)
    other = deploy(small, ('id="test/effect"', 'id="test/read"'))
    (problem,) = small.migrations.try_one(case, other).problems
    assert problem == ("Send", "Send has asked test/effect; in this version it asks test/read.")
    (problem,) = small.migrations.try_one(case, other, {"Send": "U"}).problems
    assert problem == ("Send", "Send is a service; Do it is a user task.")
    (problem,) = small.migrations.try_one(case, other, {"Send": "G"}).problems
    assert problem == ("Send", "Send is a service; G is another kind of element.")


def test_cases_without_a_way_to_move(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    two = deploy(small, ("Do it", "Do that"))
    with pytest.raises(NotAllowed):
        small.migrations.migrate(case, two, actor=alice, reason="x")
    with pytest.raises(InvalidSubmission):
        small.migrations.migrate(case, two, actor=ANA, reason=" \u200b")
    with pytest.raises(NotFound):
        small.migrations.migrate(case, 9, actor=ANA, reason="x")
    with pytest.raises(Conflict, match="runs on version 1 already"):
        small.migrations.migrate(case, 1, actor=ANA, reason="x")
    small.cases.claim(small.instance(case).tasks[0].id, actor=bob)
    with pytest.raises(Conflict, match="bob has changed this case"):
        small.migrations.migrate(case, two, actor=ANA, reason="x", revision=1)
    small.cases.cancel(case, "done", actor=bob)
    with pytest.raises(Conflict, match="has ended"):
        small.migrations.migrate(case, two, actor=ANA, reason="x")
    assert small.migrations.try_one(case, two).problems == (("", "This case has ended."),)
    assert agrees(small)


def test_a_case_that_never_began_begins_on_the_new_version(small: Engine, outside: Outside) -> None:
    case = small.start("small", {"p": 1}, actor=alice).id
    assert small.instance(case).status == "incident"
    two = deploy(small, ('value="q"', 'value="p"'))
    small.migrations.migrate(case, two, actor=ANA, reason="mended")
    assert agrees(small)
    outside.answers.append({"n": 2})
    assert small.cases.retry(case, actor=bob).at == ("U",)
    assert agrees(small)


def test_a_failure_is_fixed_by_the_next_version(small: Engine, outside: Outside) -> None:
    one = deploy(small, ('{"n": got.n - 1}', '{"n": got.m - 1}'))
    case = open_case(small, outside)
    task = small.instance(case).tasks[0].id
    assert small.complete(task, {"word": "kept"}, actor=alice).status == "incident"
    two = deploy(small)
    assert (one, two) == (2, 3)
    after = small.migrations.migrate(case, two, actor=ANA, reason="mended")
    assert (after.status, typed(small, task)) == ("incident", {"word": "kept"})
    assert small.complete(task, {"word": "kept"}, actor=alice).status == "waiting"
    assert agrees(small)


# side by side


def two_branches(engine: Engine) -> str:
    engine.deploy(package("parallel"), actor=ANA)
    return engine.start("parallel", {"n": 2}, actor=alice).id


def finish(engine: Engine, case: str, order: tuple[str, ...]) -> None:
    while tasks := {task.element: task.id for task in engine.instance(case).tasks}:
        element = next((one for one in order if one in tasks), next(iter(tasks)))
        engine.complete(tasks[element], {}, actor=alice)
        assert agrees(engine)


@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")])
def test_both_branches_go_over_and_join(engine: Engine, order: tuple[str, str]) -> None:
    case = two_branches(engine)
    unmoved = engine.start("parallel", {"n": 2}, actor=alice).id
    two = deploy(engine, ('name="A"', 'name="The first"'), name="parallel")
    engine.migrations.migrate(case, two, actor=ANA, reason="renamed")
    for one in (case, unmoved):
        finish(engine, one, order)
    moved, stayed = engine.queries.rebuild(case), engine.queries.rebuild(unmoved)
    assert (moved.visits, moved.flows, moved.data, moved.outcome) == (
        stayed.visits,
        stayed.flows,
        stayed.data,
        stayed.outcome,
    )


def test_a_branch_that_arrived_at_its_join_stays(engine: Engine) -> None:
    case = two_branches(engine)
    two = deploy(engine, ('name="A"', 'name="The first"'), name="parallel")
    engine.complete(next(t.id for t in engine.instance(case).tasks if t.element == "A"), {}, actor=alice)
    (problem,) = engine.migrations.try_one(case, two).problems
    assert problem == ("Join", "One of its branches has arrived at the join Join and waits there.")


def test_a_join_that_would_wait_for_ever(engine: Engine) -> None:
    """One after the other before, side by side now: the token at A has no sister."""
    apart = (
        ('id="right" sourceRef="Fork" targetRef="B"', 'id="right" sourceRef="A" targetRef="B"'),
        ('<bpmn:sequenceFlow id="a" sourceRef="A" targetRef="Join"/>', ""),
    )
    engine.deploy(changed("parallel", *apart), actor=ANA)
    case = engine.start("parallel", {"n": 1}, actor=alice).id
    assert engine.instance(case).at == ("A",)
    two = deploy(engine, name="parallel")
    (problem,) = engine.migrations.try_one(case, two).problems
    assert problem == ("Join", "The join Join would wait for a branch that was never started.")
    both = engine.start("parallel", {"n": 1}, actor=alice).id
    assert engine.migrations.try_one(both, 1).problems != (), "two tokens on one way"


def test_inside_a_sub_process(engine: Engine, outside: Outside) -> None:
    inside = ('<bpmn:scriptTask id="T"><bpmn:script>got = {"n": got.n - 1}</bpmn:script></bpmn:scriptTask>',
              '<bpmn:userTask id="T" name="Inside"/>')  # fmt: skip
    engine.deploy(changed("small", inside), actor=ANA)
    case = open_case(engine, outside)
    engine.complete(engine.instance(case).tasks[0].id, {"word": "x"}, actor=alice)
    assert set(engine.instance(case).at) == {"Sub", "T"}
    two = deploy(engine, inside, ('name="Inside"', 'name="Deep inside"'))
    after = engine.migrations.migrate(case, two, actor=ANA, reason="renamed")
    assert (set(after.at), after.tasks[0].title) == ({"Sub", "T"}, "Deep inside")
    assert agrees(engine)
    three = deploy(engine)
    (problem,) = engine.migrations.try_one(case, three).problems
    assert problem == ("T", "Deep inside is a user task; T is another kind of element.")
    (problem,) = engine.migrations.try_one(case, three, {"T": "U"}).problems
    assert problem == ("T", "U does not lie in the same sub-process in this version.")
    engine.complete(after.tasks[0].id, {}, actor=alice)
    assert engine.instance(case).at == ("Send",)
    assert agrees(engine)
