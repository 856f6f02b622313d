"""What is answered in one branch is known in every other at once, also when it is what the branch began with."""

from __future__ import annotations

from typing import Any

from playing import flow, node, process, row, step, tasks
from usher_engine.bpmn import Run, compile_diagram
from usher_engine.definitions import Package

HEAD = '<message id="news" name="news"/>'


def task(key: str, variable: str) -> str:
    said = f'<spiffworkflow:property name="resultVariable" value="{variable}"/>'
    extensions = f"<extensionElements><spiffworkflow:properties>{said}</spiffworkflow:properties></extensionElements>"
    return f'<userTask id="{key}" name="{key}">{extensions}</userTask>'


def last(package: Package, *said: tuple[str, dict[str, Any]]) -> Run:
    """The run after the answers and messages *said*; every state is written and read back."""
    diagram = compile_diagram(package)
    run = Run.start(diagram, step(), {})
    for element, answer in said:
        run = Run.resume(diagram, step(), run.dump(), run.after)
        if any(wait["element"] == element for wait in run.state.waits.values()):
            run.receive_message(element, 1, answer)
        else:
            run.complete(element, 1, answer)
    return run


def test_the_last_answer_stays_also_when_it_is_what_was_known_before_the_fork() -> None:
    package = process(
        node("startEvent", "s"), task("first", "x"), node("parallelGateway", "f", "j"), task("a", "x"), task("b", "x"),
        tasks("c", "early", "late"), node("exclusiveGateway", "g", default="g-late"), node("exclusiveGateway", "m"),
        node("endEvent", "end"), row("s", "first", "f", "a", "j", "end"), row("f", "b", "j"),
        row("f", "c", "g", "late", "m", "j"), flow("g", "early", "x.v == 1"), flow("early", "m"),
    )  # fmt: skip
    run = last(package, ("first", {"v": 1}), ("b", {"v": 2}), ("a", {"v": 1}), ("c", {}))
    assert list(run.after.tasks) == ["early:1"]


def test_a_message_that_sets_off_a_handler_is_known_to_the_flow_beside_it() -> None:
    start = '<startEvent id="heard" isInterrupting="false"><messageEventDefinition messageRef="news"/></startEvent>'
    handler = f'<subProcess id="h" triggeredByEvent="true">{start}{tasks("w")}{node("endEvent", "he")}'
    package = process(
        node("startEvent", "s"), tasks("u"), node("exclusiveGateway", "x", default="x-late"), tasks("early", "late"),
        node("endEvent", "end"), row("s", "u", "x", "late", "end"), flow("x", "early", "heard.v == 1"),
        flow("early", "end"), f"{handler}{row('heard', 'w', 'he')}</subProcess>", head=HEAD,
    )  # fmt: skip
    run = last(package, ("heard", {"v": 1}), ("u", {}))
    assert {key.rpartition(":")[0] for key in run.after.tasks} == {"w", "early"}
