"""Changes of an item of a repeated activity stay in the item until it is done, whatever other branches do."""

from __future__ import annotations

from playing import node, process, row, step, tasks
from usher_engine.bpmn import Run, compile_diagram


def task(key: str, variable: str) -> str:
    prop = f'<spiffworkflow:property name="resultVariable" value="{variable}"/>'
    extensions = f"<extensionElements><spiffworkflow:properties>{prop}</spiffworkflow:properties></extensionElements>"
    return f'<userTask id="{key}" name="{key}">{extensions}</userTask>'


def test_an_answer_inside_an_item_is_not_overwritten_by_another_branch() -> None:
    once = "<multiInstanceLoopCharacteristics><loopCardinality>1</loopCardinality></multiInstanceLoopCharacteristics>"
    inside = node("startEvent", "os") + task("a", "x") + tasks("b") + node("endEvent", "oe") + row("os", "a", "b", "oe")
    package = process(
        node("startEvent", "s"), node("parallelGateway", "f", "j"), task("c", "x"), tasks("d"),
        f'<subProcess id="o" name="o">{once}{inside}</subProcess>', node("endEvent", "end"),
        row("s", "f", "o", "j", "d", "end"), row("f", "c", "j"),
    )  # fmt: skip
    diagram = compile_diagram(package)
    run = Run.start(diagram, step(), {})
    for element in ("a", "c", "b"):
        run = Run.resume(diagram, step(), run.dump(), run.after)
        run.complete(element, 1, {"from": element})
    assert run.after.data["x"] == {"from": "a"}
