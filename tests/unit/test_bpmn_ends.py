"""How a scope ends: not before a handler that its last end event triggered, and with the last end event reached."""

from __future__ import annotations

import pytest
from playing import every_order, flow, node, process, row, scope, script, step, tasks
from usher_engine.bpmn import Run, compile_diagram, serializer

HEAD = '<escalation id="esc" escalationCode="E"/><message id="news" name="news"/>'
THROWN = '<escalationEventDefinition escalationRef="esc"/>'


def handler(trigger: str) -> str:
    """A non-interrupting event sub-process with the user task ``w``."""
    return (
        f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs" isInterrupting="false">{trigger}</startEvent>'
        f"{tasks('w')}{node('endEvent', 'he')}{row('hs', 'w', 'he')}</subProcess>"
    )


def throws_at_its_end() -> str:
    """Parts of a scope whose end event throws an event that a handler in the scope catches."""
    return f'{tasks("a")}<endEvent id="t">{THROWN}</endEvent>{flow("a", "t")}{handler(THROWN)}'


def test_a_process_waits_for_the_handler_that_its_last_end_event_triggers() -> None:
    package = process(node("startEvent", "s"), throws_at_its_end(), row("s", "a"), head=HEAD)
    [played] = every_order(package)
    assert (played.order, played.last.status, played.last.outcome) == (("a", "w"), "finished", "t")


@pytest.mark.parametrize("repeated", ["", '<standardLoopCharacteristics loopMaximum="2"/>'])
def test_a_sub_process_waits_for_the_handler_that_its_last_end_event_triggers(repeated: str) -> None:
    inside = scope("o", repeated, node("startEvent", "os"), throws_at_its_end(), row("os", "a"))
    package = process(
        node("startEvent", "s"), inside, tasks("z"), node("endEvent", "end"), row("s", "o", "z", "end"), head=HEAD
    )
    [played] = every_order(package)
    assert played.order == ("a", "w") * (2 if repeated else 1) + ("z",)
    assert played.last.status == "finished"


@pytest.mark.parametrize("compacts", [True, False])
def test_the_outcome_is_the_end_event_reached_last_also_where_handlers_end_later(compacts: bool) -> None:
    trigger = '<messageEventDefinition messageRef="news"/>'
    package = process(
        node("startEvent", "s"), tasks("u"), node("endEvent", "end"), row("s", "u", "end"), handler(trigger), head=HEAD
    )
    diagram = compile_diagram(package)
    run = Run.start(diagram, step(), {})
    for what, visit in (("hs", 1), ("hs", 2), ("u", 1), ("w", 2), ("w", 1)):
        stored = run.dump() if compacts else serializer.dump(run.workflow)
        run = Run.resume(diagram, step(), stored, run.after)
        if what == "hs":
            run.receive_message(what, visit, {})
        else:
            run.complete(what, visit, {})
    assert (run.after.status, run.after.outcome) == ("finished", "end")


def test_changes_of_a_task_after_a_repeated_one_are_shared() -> None:
    """In the library's tree it is below the repeated task, as the items are, but is not an item."""
    several = "<loopCardinality>1</loopCardinality>"
    several = f"<multiInstanceLoopCharacteristics>{several}</multiInstanceLoopCharacteristics>"
    package = process(
        node("startEvent", "s"), node("parallelGateway", "f", "j"), tasks("a", "b"),
        f'<userTask id="m" name="m">{several}</userTask>', script("n", "k = 1"),
        node("exclusiveGateway", "x", default="x-late"), tasks("early", "late"), node("exclusiveGateway", "y"),
        node("endEvent", "end"), row("s", "f", "m", "n", "a", "j", "end"), row("f", "b", "x", "late", "y", "j"),
        flow("x", "early", "k == 1"), flow("early", "y"),
    )  # fmt: skip
    for played in every_order(package, {"k": 0}):
        known = played.order.index("m") < played.order.index("b")
        assert ("early" in played.order) == known
