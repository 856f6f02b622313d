"""Backtests and migrations of many cases in the background: portions, stops, two at once, reports."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Clock, Outside, alice, bob, package
from usher_engine import Actor, Conflict, Engine, InvalidDefinition, InvalidSubmission, NotAllowed, NotFound, Worker
from usher_engine.cases import CaseSelection
from usher_engine.cases import batch_operations as batches_module
from usher_engine.cases.batch_operations import BatchOperations
from usher_engine.definitions import Package
from usher_engine.store.batch_rows import BatchKind

ANA = Actor(name="ana", role="analyst")
CALL = """<bpmn:userTask id="Call" name="Call"/><bpmn:sequenceFlow id="f9" sourceRef="Send" targetRef="Call"/>
<bpmn:sequenceFlow id="c" sourceRef="Call" targetRef="G"/>"""
SMALL = CaseSelection(process="small", live=True)


@pytest.fixture
def small(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(batches_module, "PORTION", dict.fromkeys(BatchKind, 4))
    engine.deploy(package("small"), actor=ANA)
    return engine


def changed(*changes: tuple[str, str]) -> Package:
    files = dict(package("small").files)
    for before, after in changes:
        assert before.encode() in files["small.bpmn"]
        files["small.bpmn"] = files["small.bpmn"].replace(before.encode(), after.encode())
    return Package(files)


def open_cases(engine: Engine, outside: Outside, number: int) -> list[str]:
    outside.answers = [{"n": 2} for _ in range(number)]
    return sorted(engine.start("small", {"q": n}, actor=alice).id for n in range(number))


def test_a_backtest_reports_how_many_and_which(small: Engine, outside: Outside) -> None:
    cases = open_cases(small, outside, 9)
    for case in cases[:3]:
        small.complete(small.instance(case).tasks[0].id, {"word": "x"}, actor=alice)
    Worker(small).run_due()
    draft = changed(('<bpmn:sequenceFlow id="f9" sourceRef="Send" targetRef="G"/>',
                     CALL))  # fmt: skip
    run = small.batches.ask_backtest(draft, CaseSelection(process="small"), label="the draft", actor=ANA)
    assert (run.total, run.done, run.status) == (9, 0, "open")
    assert small.batches.work() is True
    assert (small.batches.find(run.id).done, small.batches.find(run.id).status) == (4, "open")
    assert Worker(small).run_due() == 2
    ended = small.batches.find(run.id)
    assert (ended.done, ended.status) == (9, "done")
    assert ended.tally["kinds"] == {"same": 6, "needs_answer": 3}
    (part,) = ended.tally["partings"].items()
    assert part[1]["ends"] == {"E2|": 3}
    assert (part[1]["kind"], part[1]["element"], part[1]["recorded_element"]) == ("needs_answer", "Call", "G")
    assert (part[1]["cause"], part[1]["cases"]) == ("Call added", 3)
    assert len(small.batches.cases(run.id, part=part[0])) == 3
    assert small.batches.cases(run.id, part="another") == []
    assert (ended.tally["shared"]["Send"], ended.tally["draft"], ended.tally["recorded"]["E2"]) == (
        3,
        {"Call": 3, "f9": 3},
        3,
    )
    listed = small.batches.cases(run.id)
    assert [(one.instance, one.outcome, one.element) for one in listed] == [
        (case, "needs_answer", "Call") for case in cases[:3]
    ]
    assert small.batches.case(run.id, cases[0]).details["draft"]["at"] == ["Call"]
    assert small.batches.recent("small", BatchKind.BACKTEST) == [ended]
    assert [event.kind for event in small.audit.events(limit=1)] == ["RunStarted"]


def test_a_backtest_is_computed_again_with_what_is_assumed(small: Engine, outside: Outside) -> None:
    open_cases(small, outside, 2)
    for task in small.inbox.tasks(alice):
        small.complete(task.id, {"word": "x"}, actor=alice)
    Worker(small).run_due()
    draft = changed(('<bpmn:sequenceFlow id="f9" sourceRef="Send" targetRef="G"/>', CALL))
    first = small.batches.ask_backtest(draft, CaseSelection(process="small"), label="the draft", actor=ANA)
    assumed = [{"element": "Call", "form": "", "answer": {}}]
    again = small.batches.ask_again(first.id, assumed, actor=ANA)
    while small.batches.work():
        pass
    assert small.batches.find(first.id).tally["kinds"] == {"needs_answer": 2}
    ended = small.batches.find(again.id)
    assert (ended.tally["kinds"], ended.tally["assumed"]) == ({"different": 2}, {"different": 2})
    assert (ended.details["assume"], ended.details["label"], ended.package) == (assumed, "the draft", first.package)
    assert small.batches.cases(again.id)[0].details["assumed"] == [{"element": "Call", "form": ""}]
    with pytest.raises(InvalidSubmission, match="no element “Nobody”"):
        small.batches.ask_again(first.id, [{"element": "Nobody", "answer": {}}], actor=ANA)
    with pytest.raises(NotAllowed):
        small.batches.ask_again(first.id, [], actor=alice)


def test_an_unfit_draft_is_refused_at_once(small: Engine) -> None:
    with pytest.raises(InvalidDefinition):
        small.batches.ask_backtest(changed(("got.n &gt; 1", "got.n &gt;")), SMALL, label="the draft", actor=ANA)
    with pytest.raises(NotAllowed):
        small.batches.ask_backtest(package("small"), SMALL, label="version 1", actor=alice)
    assert small.batches.recent("small") == []


def test_fifty_running_cases_go_over_and_all_verify(small: Engine, outside: Outside) -> None:
    cases = open_cases(small, outside, 50)
    for case in cases[:10]:
        small.complete(small.instance(case).tasks[0].id, {"word": "x"}, actor=alice)
    for case in cases[10:15]:
        small.cases.claim(small.instance(case).tasks[0].id, actor=bob)
    two = small.deploy(changed(('"U"', '"Ask"')), actor=ANA).number
    mapping = small.migrations.proposed_mapping("small", 1, two)
    tried = small.batches.ask_migration(two, SMALL, mapping, reason="", actor=ANA, trial=True)
    while small.batches.work(tried.id):
        pass
    assert small.batches.find(tried.id).tally == {"fits": 50}
    assert small.migrations.live_versions("small") == {1: 50}
    assert small.migrations.waiting_by_element("small", 1) == {"U": 40, "Send": 10}
    run = small.batches.ask_migration(two, SMALL, mapping, reason="renamed", actor=ANA)
    while small.batches.work(run.id):
        pass
    assert (small.batches.find(run.id).tally, small.batches.find(run.id).status) == ({"moved": 50}, "done")
    assert (small.migrations.live_versions("small"), small.migrations.waiting_by_element("small", two)) == (
        {2: 50},
        {"Ask": 40, "Send": 10},
    )
    Worker(small).run_due()
    assert {task.assignee for task in small.inbox.tasks(bob, mine=True)} == {"bob"}
    result = small.verification.verify_all()
    assert (result.checked, result.equal, result.findings) == (50, 50, [])


def test_refusals_are_counted_by_reason(small: Engine, outside: Outside) -> None:
    cases = open_cases(small, outside, 6)
    small.cases.cancel(cases[0], "gone", actor=bob)
    two = small.deploy(changed(('"U"', '"Ask"')), actor=ANA).number
    run = small.batches.ask_migration(two, SMALL, {}, reason="x", actor=ANA)
    Worker(small).run_due()
    words = "Do it is not in this version; say which element takes its place."
    assert small.batches.reasons(run.id) == [("refused", {"problems": [["U", words]]}, 5)]
    assert small.batches.find(run.id).tally == {"refused": 5}
    assert small.migrations.live_versions("small") == {1: 5}


def test_only_the_chosen_cases(small: Engine, outside: Outside) -> None:
    cases = open_cases(small, outside, 4)
    small.complete(small.instance(cases[0]).tasks[0].id, {"word": "x"}, actor=alice)
    two = small.deploy(changed(("Do it", "Do that")), actor=ANA).number
    for chosen, number in ((replace(SMALL, at="Send"), 1), (replace(SMALL, cases=tuple(cases[1:3])), 2)):
        assert small.batches.ask_migration(two, chosen, {}, reason="x", actor=ANA).total == number
        Worker(small).run_due(at_most=1) and Worker(small).run_due()
    assert small.instance(cases[1]).version == 2
    assert small.instance(cases[3]).version == 1


def test_a_run_that_is_stopped_keeps_what_it_did(small: Engine, outside: Outside) -> None:
    open_cases(small, outside, 9)
    two = small.deploy(changed(("Do it", "Do that")), actor=ANA).number
    run = small.batches.ask_migration(two, SMALL, {}, reason="x", actor=ANA)
    assert small.batches.work(run.id)
    stopped = small.batches.cancel(run.id, actor=ANA)
    assert (stopped.status, stopped.done) == ("cancelled", 4)
    assert not small.batches.work(run.id)
    assert small.migrations.live_versions("small") == {2: 4, 1: 5}
    with pytest.raises(Conflict):
        small.batches.cancel(run.id, actor=ANA)
    with pytest.raises(NotFound):
        small.batches.find("NOSUCHRUN000")


def test_a_worker_that_dies_in_a_portion(
    small: Engine, outside: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    open_cases(small, outside, 7)
    two = small.deploy(changed(("Do it", "Do that")), actor=ANA).number
    run = small.batches.ask_migration(two, SMALL, {}, reason="x", actor=ANA)
    once, calls = BatchOperations._migrate_one, []

    def dying(self: BatchOperations, batch: object, instance: str) -> None:
        calls.append(instance)
        if len(calls) == 3:
            raise Killed
        once(self, batch, instance)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(BatchOperations, "_migrate_one", dying)
        with pytest.raises(Killed):
            small.batches.work(run.id)
    assert small.migrations.live_versions("small") == {2: 2, 1: 5}
    assert not small.batches.work(run.id), "its lease runs"
    clock.forward(hours=1)
    while small.batches.work(run.id):
        pass
    assert (small.batches.find(run.id).tally, small.batches.find(run.id).done) == ({"moved": 7}, 7)
    assert all(len([s for s in small.queries.history(case.id) if s.command["kind"] == "migrate"]) == 1
               for case in small.queries.instances())  # fmt: skip
    assert small.verification.verify_all().findings == []


def test_two_migrations_at_once(small: Engine, outside: Outside) -> None:
    open_cases(small, outside, 8)
    two = small.deploy(changed(("Do it", "Do that")), actor=ANA).number
    three = small.deploy(changed(("Do it", "Do all")), actor=ANA).number
    runs = [small.batches.ask_migration(to, SMALL, {}, reason=f"to {to}", actor=ANA) for to in (two, three)]
    while sum(small.batches.work(run.id) for run in runs):
        pass
    assert [small.batches.find(run.id).status for run in runs] == ["done", "done"]
    assert small.migrations.live_versions("small") == {3: 8}
    assert small.verification.verify_all().findings == []


def test_a_run_that_kills_every_worker_fails(small: Engine, outside: Outside, clock: Clock) -> None:
    open_cases(small, outside, 1)
    two = small.deploy(changed(("Do it", "Do that")), actor=ANA).number
    run = small.batches.ask_migration(two, SMALL, {}, reason="x", actor=ANA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BatchOperations, "_migration_portion", _dies)
        for _ in range(batches_module.MAX_TRIES):
            with pytest.raises(KeyboardInterrupt):
                small.batches.work(run.id)
            clock.forward(hours=1)
        assert small.batches.work(run.id)
    failed = small.batches.find(run.id)
    assert (failed.status, failed.note) == ("failed", "The worker stopped in the middle of every try.")


def _dies(_self: BatchOperations, _batch: object) -> None:
    raise KeyboardInterrupt
