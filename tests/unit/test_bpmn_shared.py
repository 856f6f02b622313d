"""Every branch has the answers of the others at once, even those equal to the data the branch began with."""

from __future__ import annotations

from typing import Any

from playing import flow, node, process, row, step, tasks
from usher_engine.bpmn import Run, compile_diagram
from usher_engine.definitions import Package

HEAD = '<message id="news" name="news"/>'


def task(key: str, variable: str) -> str:
    prop = f'<spiffworkflow:property name="resultVariable" value="{variable}"/>'
    extensions = f"<extensionElements><spiffworkflow:properties>{prop}</spiffworkflow:properties></extensionElements>"
    return f'<userTask id="{key}" name="{key}">{extensions}</userTask>'


def last(package: Package, *given: tuple[str, dict[str, Any]]) -> Run:
    """Return the run after the answers and messages *given*; writes and reads back every state."""
    diagram = compile_diagram(package)
    run = Run.start(diagram, step(), {})
    for element, answer in given:
        run = Run.resume(diagram, step(), run.dump(), run.after)
        if any(wait["element"] == element for wait in run.state.waits.values()):
            run.receive_message(element, 1, answer)
        else:
            run.complete(element, 1, answer)
    return run


def test_the_last_answer_stays_even_if_it_equals_the_value_before_the_fork() -> None:
    package = process(
        node("startEvent", "s"), task("first", "x"), node("parallelGateway", "f", "j"), task("a", "x"), task("b", "x"),
        tasks("c", "early", "late"), node("exclusiveGateway", "g", default="g-late"), node("exclusiveGateway", "m"),
        node("endEvent", "end"), row("s", "first", "f", "a", "j", "end"), row("f", "b", "j"),
        row("f", "c", "g", "late", "m", "j"), flow("g", "early", "x.v == 1"), flow("early", "m"),
    )  # fmt: skip
    run = last(package, ("first", {"v": 1}), ("b", {"v": 2}), ("a", {"v": 1}), ("c", {}))
    assert list(run.after.tasks) == ["early:1"]


def test_the_flow_has_the_message_that_triggers_a_handler() -> None:
    start = '<startEvent id="heard" isInterrupting="false"><messageEventDefinition messageRef="news"/></startEvent>'
    handler = f'<subProcess id="h" triggeredByEvent="true">{start}{tasks("w")}{node("endEvent", "he")}'
    package = process(
        node("startEvent", "s"), tasks("u"), node("exclusiveGateway", "x", default="x-late"), tasks("early", "late"),
        node("endEvent", "end"), row("s", "u", "x", "late", "end"), flow("x", "early", "heard.v == 1"),
        flow("early", "end"), f"{handler}{row('heard', 'w', 'he')}</subProcess>", head=HEAD,
    )  # fmt: skip
    run = last(package, ("heard", {"v": 1}), ("u", {}))
    assert {key.rpartition(":")[0] for key in run.after.tasks} == {"w", "early"}
