"""Verify: every path a case can take gives equal results when re-executed, with all services off."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from typing import Any

import pytest
from conftest import Clock, Outside, alice, bob, package
from sqlalchemy import text
from usher_engine import Actor, Corrupt, Engine, NotFound, Worker
from usher_engine.bpmn import compile_diagram
from usher_engine.core.canonical import canonical, parse_canonical
from usher_engine.definitions import Package, to_zip
from usher_engine.reexecution.hash_chain import read_chain
from usher_engine.reexecution.recorded_services import disable_calls
from usher_engine.reexecution.rerun import Difference, Rerun
from usher_engine.store import stored_cases
from usher_engine.store.instance_rows import GENESIS, chain_hash
from usher_engine.store.search_reindex import reindex

ADMIN = Actor(name="ana", role="analyst")


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=ADMIN, note="first")
    return engine


def open_case(engine: Engine, outside: Outside, n: Any = 2) -> str:
    outside.answers.append({"n": n, "and": {"b": 1.0, "a": [2.5, True, None, -0.0, 1e20]}})
    return engine.start("small", {"q": n, "b": 2.0, "a": {"y": 1, "x": "é"}}, actor=alice).id


def agrees(engine: Engine, outside: Outside) -> bool:
    """Whether every case verifies, alone and with all others, without calling a service."""
    asked = len(outside.calls)
    for case in engine.queries.instances():
        assert engine.verify(case.id) == []
    result = engine.verification.verify_all()
    assert (result.checked, result.equal, result.findings) == (len(engine.queries.instances()), result.checked, [])
    return len(outside.calls) == asked


def test_a_case_at_every_step(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    assert agrees(small, outside)
    task = small.inbox.tasks(alice)[0]
    small.cases.claim(task.id, actor=alice)
    small.cases.release(task.id, actor=alice)
    small.cases.claim(task.id, actor=alice)
    small.task_drafts.save(task.id, {"word": "half"}, actor=alice)
    assert agrees(small, outside)
    small.complete(task.id, {"word": "yes"}, actor=alice)
    assert agrees(small, outside)
    outside.answers.append({"z": 1.0, "a": 1e300})
    Worker(small).run_due()
    assert agrees(small, outside)


def test_a_long_loop(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside, n=6)
    while small.instance(case).status != "finished":
        small.complete(small.inbox.tasks(alice)[0].id, {"word": "again"}, actor=bob)
        Worker(small).run_due()
        assert agrees(small, outside)


def test_cancelled_tasks_and_cases(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    small.cases.cancel_task(small.inbox.tasks(alice)[0].id, "moved away", actor=alice)
    case = open_case(small, outside)
    small.cases.cancel(case, "a mistake", actor=bob)
    assert agrees(small, outside)


def test_refusals_failures_incidents_and_retries(small: Engine, outside: Outside, clock: Clock) -> None:
    worker = Worker(small)
    for how in ("refused", "later", "never"):
        case = open_case(small, outside)
        small.complete(small.inbox.tasks(alice)[0].id, {"word": "x"}, actor=alice)
        if how == "refused":
            outside.refuse("no")
        else:
            outside.fail(retry=how == "later")
        worker.run_due()
        assert agrees(small, outside)
        if how == "never":
            small.cases.retry(case, actor=bob)
        clock.forward(hours=1)
        worker.run_due()
        assert small.instance(case).status == "finished"
        assert agrees(small, outside)


def test_an_uncaught_refusal(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "x"}, actor=alice)
    outside.refuse("something else")
    Worker(small).run_due()
    assert small.instance(case).status == "incident"
    assert agrees(small, outside)
    small.cases.retry(case, actor=alice)
    Worker(small).run_due()
    assert agrees(small, outside)


def test_starts_that_fail(small: Engine, outside: Outside) -> None:
    outside.fail(retry=True)
    unanswered = small.start("small", {"b": 1.0, "a": 2, "q": 2}, actor=alice).id
    unnamed = small.start("small", {"z": 1, "y": 2.0}, actor=alice)  # the diagram asks for q
    assert unnamed.status == "incident"
    outside.answers.append({"nothing": "to count"})
    assert small.start("small", {"q": 2}, actor=alice).status == "incident"
    assert agrees(small, outside)
    outside.fail(retry=True)
    small.cases.retry(unanswered, actor=bob)
    small.cases.retry(unnamed.id, actor=bob)
    assert agrees(small, outside)
    outside.answers.append({"n": 2})
    assert small.cases.retry(unanswered, actor=bob).at == ("U",)
    assert agrees(small, outside)


def test_a_step_that_fails_after_an_answer(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside, n="text")
    assert small.instance(case).status == "incident"
    assert agrees(small, outside)


def test_facts_also_after_the_end(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    small.steps.record(case, "Viewed", {"b": 1, "a": [2.0, 1e20, -1e16]}, actor=bob)
    assert agrees(small, outside)
    small.cases.cancel(case, "done", actor=bob)
    small.steps.record(case, "Answer given", {"answer": "accept"}, actor=Actor(name="patient", role="patient"))
    assert agrees(small, outside)


@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")])
def test_parallel_branches(engine: Engine, outside: Outside, order: tuple[str, str]) -> None:
    engine.deploy(package("parallel"), actor=ADMIN)
    case = engine.start("parallel", {"n": 2}, actor=alice).id
    for _ in range(2):
        for element in order:
            task = next(task for task in engine.instance(case).tasks if task.element == element)
            engine.complete(task.id, {}, actor=alice)
            assert agrees(engine, outside)


@pytest.mark.parametrize("ways", [[], ["a"], ["b"], ["a", "b"]])
def test_inclusive_gateways_and_called_processes(engine: Engine, outside: Outside, ways: list[str]) -> None:
    engine.deploy(package("calls"), actor=ADMIN)
    case = engine.start("calls", {"ways": ways}, actor=alice).id
    while tasks := engine.instance(case).tasks:
        assert agrees(engine, outside)
        engine.complete(tasks[0].id, {}, actor=alice)
    assert agrees(engine, outside)


def test_another_day_and_a_new_version(small: Engine, outside: Outside, clock: Clock) -> None:
    open_case(small, outside)
    clock.forward(days=400)
    changed = package("small")
    files = {**changed.files, "small.bpmn": changed.files["small.bpmn"].replace(b"Do it", b"Do that")}
    small.deploy(Package(files), actor=ADMIN)
    open_case(small, outside)
    assert agrees(small, outside)


def test_an_unknown_case(small: Engine) -> None:
    with pytest.raises(NotFound):
        small.verify("NOSUCHCASE00")


def test_verification_of_all_cases_can_resume(small: Engine, outside: Outside) -> None:
    cases = sorted(open_case(small, outside) for _ in range(5))
    seen: list[tuple[int, int, str]] = []
    result = small.verification.verify_all(after=cases[1], progress=lambda *progress: seen.append(progress))
    assert (result.checked, result.equal, seen) == (3, 3, [(3, 3, cases[-1])])


# every alteration is found and named


@pytest.fixture
def altered(small: Engine, outside: Outside) -> Any:
    """Return (engine, case, run): a case that waits after three steps, in a database without protection."""
    case = open_case(small, outside, n=3)
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "yes"}, actor=alice)
    Worker(small).run_due()
    other = open_case(small, outside)

    def run(statement: str, **values: Any) -> None:
        with small.database.begin() as tx:
            tx.execute(text(statement), {"case": case, "other": other, **values})

    with small.database.begin() as tx:
        if small.database.is_sqlite:
            for name in tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
                tx.execute(text(f"DROP TRIGGER {name}"))
        else:
            tx.execute(text("ALTER TABLE step DISABLE TRIGGER USER"))
    return small, case, run


def findings(engine: Engine, case: str) -> list[tuple[str, int | None, str]]:
    found = engine.verify(case)
    assert engine.verification.verify_all().findings == found
    assert all(finding.instance == case for finding in found)
    return [(finding.kind, finding.revision, finding.element) for finding in found]


def body_of(engine: Engine, case: str, revision: int) -> dict[str, Any]:
    return dict(engine.queries.history(case)[revision - 1].body)


def rewrite(engine: Engine, case: str, run: Any, revision: int, change: Any) -> None:
    """Alter one step and recompute all hashes, as an attacker who knows the code would."""
    head = GENESIS
    query = "SELECT revision, body FROM step WHERE instance = :case ORDER BY revision"
    with engine.database.read() as tx:
        rows = tx.execute(text(query), {"case": case}).all()
    for number, packed in rows:
        body = parse_canonical(zlib.decompress(packed))
        if number == revision:
            change(body)
        written = canonical(body)
        head = chain_hash(head, written)
        values = {"body": zlib.compress(written), "hash": head, "n": number}
        run("UPDATE step SET body = :body, hash = :hash WHERE instance = :case AND revision = :n", **values)
    run("UPDATE instance SET head = :head WHERE id = :case", head=head)


def test_an_altered_text(altered: Any) -> None:
    engine, case, run = altered
    body = body_of(engine, case, 2)
    body["actor"]["name"] = "mallory"
    run(
        "UPDATE step SET body = :body WHERE instance = :case AND revision = 2", body=zlib.compress(canonical(body))
    )
    assert findings(engine, case)[0] == ("chain", 2, "")


def test_an_unreadable_text(altered: Any) -> None:
    engine, case, run = altered
    for body in (b"junk", b"", zlib.compress(b"[1, 2"), zlib.compress(b"[]"), zlib.compress(b"{}")):
        run("UPDATE step SET body = :body WHERE instance = :case AND revision = 2", body=body)
        assert findings(engine, case) == [("unreadable", 2, "")]


def test_swapped_steps(altered: Any) -> None:
    engine, case, run = altered
    for old, new in ((1, 9), (2, 1), (9, 2)):
        run("UPDATE step SET revision = :new WHERE instance = :case AND revision = :old", old=old, new=new)
    assert ("chain", 1, "") in findings(engine, case)


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_removed_step(altered: Any, gone: int) -> None:
    engine, case, run = altered
    run("DELETE FROM step WHERE instance = :case AND revision = :gone", gone=gone)
    assert ("missing", gone, "") in findings(engine, case)


def test_all_steps_removed(altered: Any) -> None:
    engine, case, run = altered
    run("DELETE FROM step WHERE instance = :case")
    assert ("missing", 1, "") in findings(engine, case)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("status", "finished"),
        ("outcome", "E2"),
        ("explanation", "all is well"),
        ("business_key", "somebody else"),
        ("started_at", "2020-01-01T00:00:00.000000Z"),
        ("ended_at", "2030-01-01T00:00:00.000000Z"),
        ("process", "other"),
        ("version", 7),
    ],
)
def test_an_altered_row(altered: Any, column: str, value: Any) -> None:
    engine, case, run = altered
    run(f"UPDATE instance SET {column} = :value WHERE id = :case", value=value)
    assert ("row", 3, "") in findings(engine, case)


def test_an_altered_head_and_revision(altered: Any) -> None:
    engine, case, run = altered
    run("UPDATE instance SET head = (SELECT head FROM instance WHERE id = :other) WHERE id = :case")
    assert ("head", 3, "") in findings(engine, case)
    run("UPDATE instance SET revision = 2 WHERE id = :case")
    assert ("missing", 3, "") in findings(engine, case)


def test_a_swapped_state(altered: Any) -> None:
    engine, case, run = altered
    given = "(SELECT content FROM instance_state WHERE instance = :other)"
    run(f"UPDATE instance_state SET content = {given} WHERE instance = :case")
    assert findings(engine, case) == [("state", 3, "")]
    run("DELETE FROM instance_state WHERE instance = :case")
    assert findings(engine, case) == [("state", 3, "")]


def test_an_altered_seal(altered: Any) -> None:
    engine, case, run = altered
    run("UPDATE instance_state SET seal = :seal WHERE instance = :case", seal=b"0" * 32)
    assert findings(engine, case) == [("seal", 3, "")]


def test_another_path_with_new_hashes(altered: Any) -> None:
    engine, case, run = altered

    def change(body: dict[str, Any]) -> None:
        entered = next(event for event in body["events"] if event["kind"] == "ElementEntered")
        entered["element"] = "No"

    rewrite(engine, case, run, 2, change)
    assert findings(engine, case)[0] == ("path", 2, "No")
    assert engine.verify(case)[0].message == "Step 2 recorded that No was entered; run again, the diagram goes to Send."


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": "TokenMoved"}, "This version of Usher knows no event of the kind 'TokenMoved'."),
        ({"visit": None}, "UserTaskCompleted has no visit."),
        ({"event_version": 2}, "UserTaskCompleted has version '2'; this version of Usher knows 1."),
    ],
)
def test_an_event_nobody_here_can_read(altered: Any, changed: dict[str, Any], reason: str) -> None:
    engine, case, run = altered

    def change(body: dict[str, Any]) -> None:
        done = next(event for event in body["events"] if event["kind"] == "UserTaskCompleted")
        done.update(changed)
        for name in [name for name in done if done[name] is None]:
            del done[name]

    rewrite(engine, case, run, 2, change)
    messages = {finding.kind: finding.message for finding in engine.verify(case)}
    if "kind" in changed:
        assert messages["path"] == "Step 2 cannot be: the case has no record of the answer."
    else:
        assert messages["unreadable"] == f"Step 2 cannot be run again: {reason}"
    with pytest.raises(Corrupt) as refusal:
        engine.queries.rebuild(case)
    assert refusal.value.message == reason
    with engine.database.begin() as tx:
        assert reindex(tx)[0] == len(engine.queries.instances())


def test_other_data_with_new_hashes(altered: Any) -> None:
    engine, case, run = altered

    def change(body: dict[str, Any]) -> None:
        next(event for event in body["events"] if event["kind"] == "DataChanged")["set"]["got"] = {"n": 77}

    rewrite(engine, case, run, 2, change)
    assert findings(engine, case)[0] == ("data", 2, "")
    assert "run again, this differs in: got" in engine.verify(case)[0].message


def test_another_answer_with_new_hashes(altered: Any) -> None:
    engine, case, run = altered

    def change(body: dict[str, Any]) -> None:
        next(event for event in body["events"] if event["kind"] == "ServiceCalled")["result"] = {"n": 1}

    rewrite(engine, case, run, 1, change)
    assert findings(engine, case)[0] == ("path", 1, "U")


def test_another_state_with_new_hashes(altered: Any) -> None:
    engine, case, run = altered
    rewrite(engine, case, run, 1, lambda body: body.update(state="0" * 64))
    assert findings(engine, case) == [("state", 1, "")]


@pytest.mark.parametrize("rules", [0, 4, True, "2", None])
def test_unknown_rules(altered: Any, rules: Any) -> None:
    engine, case, run = altered
    rewrite(engine, case, run, 2, lambda body: body.update(rules=rules))
    [finding] = engine.verify(case)
    assert (finding.revision, "rules of another version" in finding.message) == (2, True)


def test_a_step_without_rules(altered: Any) -> None:
    engine, case, run = altered
    rewrite(engine, case, run, 2, lambda body: body.pop("rules"))
    assert engine.verify(case) == []


def test_nonsense_with_new_hashes(altered: Any) -> None:
    engine, case, run = altered
    for nonsense in ({"events": []}, {"events": [1]}, {"command": None}, {"at": "yesterday"}, {"actor": {}},
                     {"events": [{"kind": "Invented"}]}, {"command": {"kind": "invented"}}):  # fmt: skip
        kept = body_of(engine, case, 2)
        rewrite(engine, case, run, 2, lambda body, wrong=nonsense: body.update(wrong))
        found = engine.verify(case)
        assert found and found[0].revision == 2, nonsense
        rewrite(engine, case, run, 2, lambda body, right=kept: body.update(right))
    assert engine.verify(case) == []


def test_an_altered_package(altered: Any) -> None:
    engine, case, run = altered
    files = package("small").files
    changed = Package({**files, "small.bpmn": files["small.bpmn"].replace(b"got.n - 1", b"got.n - 2")})
    run("UPDATE package SET content = :content", content=to_zip(changed))
    found = {(finding.kind, finding.revision) for finding in engine.verify(case)}
    assert found == {("definition", None)}
    run("UPDATE package SET content = :content", content=b"junk")
    assert "was altered after it was deployed" in engine.verify(case)[0].message


def test_a_script_with_other_results(altered: Any) -> None:
    engine, case, _ = altered
    files = package("small").files
    changed = Package({**files, "small.bpmn": files["small.bpmn"].replace(b"got.n - 1", b"got.n - 2")})
    with engine.database.read() as tx:
        record = stored_cases.one(tx, case)
    rerun = Rerun(compile_diagram(changed), record.row, disable_calls(engine.services))
    steps, _ = read_chain(record)
    rerun.step(*steps[0])
    with pytest.raises(Difference, match="differs in: got"):
        rerun.step(*steps[1])


def test_a_missing_definition(altered: Any) -> None:
    engine, case, run = altered
    if engine.database.is_sqlite:
        with contextlib.closing(sqlite3.connect(str(engine.database.db.url.database))) as connection, connection:
            connection.execute("DELETE FROM package")  # a new connection does not enforce foreign keys
        assert [finding.kind for finding in engine.verify(case)] == ["definition"]
    run("DELETE FROM version")
    assert [finding.kind for finding in engine.verify(case)] == ["definition"]


def messages(engine: Engine, case: str) -> list[str]:
    found = engine.verify(case)
    assert {finding.kind for finding in found} <= {"waiting"}
    return [finding.message for finding in found]


def test_an_altered_task_row(altered: Any) -> None:
    engine, case, run = altered
    run("UPDATE user_task SET assignee = 'mallory', candidate_group = 'all' WHERE instance = :case")
    (message,) = messages(engine, case)
    assert message.endswith("this was altered: candidate group, assignee.")
    run("DELETE FROM user_task WHERE instance = :case")
    assert messages(engine, case) == ["The task in the inbox this case waits for was removed."]


def test_an_inserted_task_row(altered: Any) -> None:
    engine, case, run = altered
    run("UPDATE user_task SET instance = :case, element = 'V' WHERE instance = :other")
    assert messages(engine, case) == ["The task in the inbox was inserted: the history of the case opened none."]


def test_an_altered_job(altered: Any) -> None:
    engine, case, run = altered
    engine.complete(
        next(task for task in engine.inbox.tasks(alice) if task.instance == case).id, {"word": "x"}, actor=alice
    )
    assert messages(engine, case) == []
    run("UPDATE job SET parameters = :other WHERE instance = :case")
    assert messages(engine, case) == ["The job is not the one its history opened; this was altered: parameters."]
    run("DELETE FROM job WHERE instance = :case")
    assert messages(engine, case) == ["The job this case waits for was removed."]
