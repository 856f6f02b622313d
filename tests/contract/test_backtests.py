"""Backtest: recorded cases on other packages, each way a package can differ, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Clock, Outside, alice, bob, package
from sqlalchemy import text
from usher_engine import Actor, Engine, InvalidDefinition, Worker
from usher_engine.cases import CaseSelection
from usher_engine.definitions import Package
from usher_engine.reexecution import Compared, Kind

ADMIN = Actor(name="ana", role="analyst")
SMALL = CaseSelection(process="small")
LATE = """<bpmn:boundaryEvent id="Late" attachedToRef="U"><bpmn:timerEventDefinition>
<bpmn:timeDuration>P3D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>
<bpmn:sequenceFlow id="l" sourceRef="Late" targetRef="TooLate"/><bpmn:endEvent id="TooLate"/>"""


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=ADMIN, note="first")
    return engine


def drawn(*changes: tuple[str, str], form: tuple[str, str] = ("", "")) -> Package:
    """The small process with each first text replaced by the second."""
    files = dict(package("small").files)
    for name, pairs in (("small.bpmn", changes), ("answer.form", (form,))):
        text = files[name].decode()
        for before, after in pairs:
            assert before in text
            text = text.replace(before, after)
        files[name] = text.encode()
    return Package(files)


def open_case(engine: Engine, outside: Outside, n: Any = 2) -> str:
    outside.answers.append({"n": n})
    return engine.start("small", {"q": n}, actor=alice).id


def finish(engine: Engine, outside: Outside, n: int) -> str:
    """A case of n - 1 rounds, to its end."""
    case = open_case(engine, outside, n)
    while engine.instance(case).status == "waiting":
        engine.complete(engine.instance(case).tasks[0].id, {"word": f"round {n}"}, actor=bob)
        Worker(engine).run_due()
    return case


def only(engine: Engine, changed: Package, chosen: CaseSelection = SMALL) -> Compared:
    """What became of the one case that does not go the same way."""
    result = engine.backtests.run(changed, chosen)
    (one,) = result.others
    return one


def test_on_its_own_version_every_case_goes_the_same_way(small: Engine, outside: Outside, clock: Clock) -> None:
    finish(small, outside, 4)
    open_case(small, outside)
    small.cases.cancel_task(small.inbox.tasks(alice)[0].id, "moved away", actor=alice)
    waits = open_case(small, outside)
    small.cases.claim(small.instance(waits).tasks[0].id, actor=alice)
    small.cases.cancel(open_case(small, outside), "a mistake", actor=bob)
    served = open_case(small, outside)
    small.complete(small.instance(served).tasks[0].id, {"word": "x"}, actor=alice)
    outside.refuse("no")
    Worker(small).run_due()
    fails = open_case(small, outside)
    small.complete(small.instance(fails).tasks[0].id, {"word": "x"}, actor=alice)
    outside.fail(retry=False)
    Worker(small).run_due()
    outside.fail(retry=False)
    assert small.start("small", {"q": 1}, actor=alice).status == "incident"
    assert small.start("small", {"nothing": 1}, actor=alice).status == "incident"
    open_case(small, outside, "text")
    before, asked = [small.queries.history(case.id) for case in small.queries.instances()], len(outside.calls)
    clock.forward(days=3)
    result = small.backtests.run(package("small"), SMALL)
    assert result.others == []
    assert (result.cases, result.counts[Kind.SAME], result.other_data) == (9, 9, 0)
    assert [small.queries.history(case.id) for case in small.queries.instances()] == before
    assert len(outside.calls) == asked


def test_a_condition_that_sends_cases_another_way(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    case = finish(small, outside, 3)
    changed = drawn(("got.n &gt; 1", "got.n == 2"))
    one = only(small, changed)
    assert (one.instance, one.kind) == (case, Kind.DIFFERENT)
    assert (one.element, one.recorded_element, one.differs_at) == ("E2", "U", 3)
    assert one.message == "The case went to Do it; this package goes to E2."
    assert (one.recorded.path[:4], one.draft.path) == (("S", "Load", "G", "U"), ("S", "Load", "G", "E2"))
    assert (one.recorded.end, one.draft.end, one.draft.flows[-1]) == ("E2", "E2", "f4")


def test_an_element_between_two_others(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    noted = '<bpmn:scriptTask id="Note" name="Note it"><bpmn:script>noted = 1</bpmn:script></bpmn:scriptTask>'
    between = ('<bpmn:sequenceFlow id="f9" sourceRef="Send" targetRef="G"/>',
               (f'{noted}<bpmn:sequenceFlow id="f9" sourceRef="Send" targetRef="Note"/>'
               '<bpmn:sequenceFlow id="n" sourceRef="Note" targetRef="G"/>'))  # fmt: skip
    one = only(small, drawn(between))
    assert (one.kind, one.element, one.recorded_element) == (Kind.DIFFERENT, "Note", "G")
    assert one.message == "The case went to G; this package goes to Note it."
    assert one.draft.end == "E2", "what followed was answered all the same"


def test_a_task_nobody_was_ever_asked(small: Engine, outside: Outside) -> None:
    case = finish(small, outside, 2)
    asked = ('<bpmn:sequenceFlow id="f6" sourceRef="U" targetRef="Sub"/>',
             ('<bpmn:userTask id="Check" name="Check it"/><bpmn:sequenceFlow id="f6" sourceRef="U" targetRef="Check"/>'
             '<bpmn:sequenceFlow id="c" sourceRef="Check" targetRef="Sub"/>'))  # fmt: skip
    one = only(small, drawn(asked))
    assert (one.instance, one.kind, one.element) == (case, Kind.NEEDS_ANSWER, "Check")
    assert one.message == "Check it is asked and was never answered."
    assert (one.recorded_element, one.draft.at) == ("Sub", ("Check",))


def test_a_renamed_task_is_not_guessed(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    waits = open_case(small, outside)
    result = small.backtests.run(drawn(('"U"', '"U2"')), SMALL)
    assert result.counts[Kind.NEEDS_ANSWER] == 2
    assert {one.element for one in result.others} == {"U2"}
    assert waits in {one.instance for one in result.others}


def test_one_round_more_than_was_answered(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    one = only(small, drawn(("got.n &gt; 1", "got.n &gt; 0")))
    assert (one.kind, one.element) == (Kind.NEEDS_ANSWER, "U")
    assert one.message == "Do it is asked once more than it was answered."


def test_a_service_that_was_not_asked(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    read = only(small, drawn(("test/read", "test/write")))
    assert (read.kind, read.element) == (Kind.NEEDS_ANSWER, "Load")
    assert read.message == "Load asks test/write, which was not asked there when the case ran."
    effect = only(small, drawn(('"Send"', '"Mail"')))
    assert (effect.kind, effect.element) == (Kind.NEEDS_ANSWER, "Mail")
    assert effect.message == "Mail asks test/effect, which never answered there when the case ran."


def test_an_answer_the_form_does_not_take(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    more = ('"components": [', ('"components": [{"type": "textfield", "id": "Field_place", "key": "place", '
            '"label": "Place", "validate": {"required": true}}, '))  # fmt: skip
    one = only(small, drawn(form=more))
    assert (one.kind, one.element) == (Kind.NEEDS_ANSWER, "U")
    assert one.message == "Do it asks for more than was answered: Place."


def test_a_way_out_that_is_gone(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    small.cases.cancel_task(small.inbox.tasks(alice)[0].id, "moved away", actor=alice)
    gone = (('<bpmn:boundaryEvent id="B" attachedToRef="U"><bpmn:escalationEventDefinition escalationRef="esc"/>'
            '</bpmn:boundaryEvent>\n    <bpmn:sequenceFlow id="f5" sourceRef="B" targetRef="Cancelled"/>\n'
            '    <bpmn:endEvent id="Cancelled"/>'), "")  # fmt: skip
    one = only(small, drawn(gone))
    assert (one.kind, one.element) == (Kind.NEEDS_ANSWER, "U")
    assert one.message == "Do it was cancelled; this package draws no way for that."


def test_a_package_that_fails(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    one = only(small, drawn(('{"n": got.n - 1}', '{"n": got.m - 1}')))
    assert (one.kind, one.element) == (Kind.FAILED, "T")
    assert one.message.startswith("T fails: ")
    assert one.draft.path[-1] == "T"


def test_a_refusal_nobody_catches_any_more(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "x"}, actor=alice)
    outside.refuse("no")
    Worker(small).run_due()
    uncaught = (('<bpmn:boundaryEvent id="BE" attachedToRef="Send"><bpmn:errorEventDefinition errorRef="err"/>'
                '</bpmn:boundaryEvent>\n    <bpmn:sequenceFlow id="f8" sourceRef="BE" targetRef="No"/>\n'
                '    <bpmn:endEvent id="No"/>'), "")  # fmt: skip
    one = only(small, drawn(uncaught))
    assert (one.instance, one.kind, one.element) == (case, Kind.FAILED, "Send")
    assert one.message == "Send was refused (no), and this package draws no way for that."


def test_other_data_on_the_same_way(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    result = small.backtests.run(drawn(('resultVariable="sent"', 'resultVariable="mail"')), SMALL)
    assert (result.counts[Kind.SAME], result.other_data, result.others) == (1, 1, [])


@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")])
def test_answers_are_found_although_the_order_moved(engine: Engine, order: tuple[str, str]) -> None:
    """Drawn in sequence, B first, instead of in parallel, in either order of the answers."""
    engine.deploy(package("parallel"), actor=ADMIN)
    case = engine.start("parallel", {"n": 1}, actor=alice).id
    for element in order:
        engine.complete(next(t for t in engine.instance(case).tasks if t.element == element).id, {}, actor=alice)
    text = package("parallel").files["parallel.bpmn"].decode()
    for before, after in (
        ('id="left" sourceRef="Fork" targetRef="A"', 'id="left" sourceRef="B" targetRef="A"'),
        ('<bpmn:sequenceFlow id="b" sourceRef="B" targetRef="Join"/>', ""),
    ):
        assert before in text
        text = text.replace(before, after)
    one = only(engine, Package({"parallel.bpmn": text.encode()}), CaseSelection(process="parallel"))
    assert (one.kind, one.element, one.recorded_element) == (Kind.DIFFERENT, "B", "A")
    assert one.draft.end == "End"


def test_which_cases(small: Engine, outside: Outside, clock: Clock) -> None:
    finish(small, outside, 2)
    clock.forward(days=2)
    open_case(small, outside)
    clock.forward(days=2)
    newest = open_case(small, outside)
    clock.forward(hours=1)

    def cases(**filters: Any) -> int:
        return small.backtests.run(package("small"), CaseSelection(process="small", **filters)).cases

    assert cases() == 3
    assert (cases(status="waiting"), cases(status="finished"), cases(outcome="E2"), cases(live=True)) == (2, 1, 1, 2)
    assert (cases(since="2026-05-05T00:00:00.000000Z"), cases(until="2026-05-07T00:00:00.000000Z")) == (2, 2)
    assert (cases(limit=1), cases(limit=9), cases(cases=(newest,)), cases(version=2)) == (1, 3, 1, 0)


def test_on_several_processes_all_the_same(small: Engine, outside: Outside) -> None:
    cases = [finish(small, outside, n) for n in (2, 3, 2, 3)]
    progress: list[tuple[int, int, str]] = []
    changed = drawn(("got.n &gt; 1", "got.n == 2"))
    many = small.backtests.run(changed, SMALL, jobs=2, progress=lambda *one: progress.append(one))
    assert many == small.backtests.run(changed, SMALL)
    assert {one.instance for one in many.others} == {cases[1], cases[3]}
    assert progress == [(4, 4, max(cases))]


def test_an_unfit_package_is_refused_with_findings(small: Engine, outside: Outside) -> None:
    finish(small, outside, 2)
    with pytest.raises(InvalidDefinition) as broken:
        small.backtests.run(drawn(("got.n &gt; 1", "got.n &gt;")), SMALL)
    assert "f3" in {element for element, _ in broken.value.problems}
    with pytest.raises(InvalidDefinition, match="holds the process “parallel”"):
        small.backtests.run(package("parallel"), SMALL)


def test_a_timer_only_the_draft_has_fires_at_its_time(small: Engine, outside: Outside, clock: Clock) -> None:
    """A reminder after three days: of the three cases one waited longer before a person answered, one still waits."""
    cases = []
    for days in (1, 5):
        case = open_case(small, outside)
        clock.forward(days=days)
        small.complete(small.instance(case).tasks[0].id, {"word": "x"}, actor=bob)
        Worker(small).run_due()
        cases.append(case)
    waits = open_case(small, outside)
    clock.forward(days=4)
    reminder = ('<bpmn:boundaryEvent id="B"', f'{LATE}<bpmn:boundaryEvent id="B"')
    result = small.backtests.run(drawn(reminder), SMALL)
    assert {one.instance: (one.kind, one.element, one.draft.end) for one in result.others} == {
        cases[1]: (Kind.DIFFERENT, "Late", "TooLate"),
        waits: (Kind.DIFFERENT, "Late", "TooLate"),
    }
    on_time = small.backtests.run(package("small"), SMALL)
    assert on_time.counts[Kind.SAME] == 3


def test_an_altered_version_only_costs_the_cause(small: Engine, outside: Outside) -> None:
    """What cases were recorded on is needed to say which change moved them, not to run them again."""
    finish(small, outside, 3)
    changed = drawn(("got.n &gt; 1", "got.n == 2"))
    assert only(small, changed).cause == "G → Do it: condition got.n > 1 → got.n == 2"
    with small.database.begin() as tx:
        tx.execute(text("UPDATE package SET content = :other"), {"other": b"altered"})
    one = only(small, changed)
    assert (one.kind, one.element, one.cause) == (Kind.DIFFERENT, "E2", "")
