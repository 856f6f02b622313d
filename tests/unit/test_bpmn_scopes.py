"""Nested scopes: every state can be read back, and errors thrown in a handler go outwards."""

from __future__ import annotations

import pytest
from playing import every_order, flow, node, process, row, scope, script, step, tasks
from usher_engine.bpmn import Run, compile_diagram
from usher_engine.definitions import Package


def nested(inner: str, element: str) -> str:
    """Sub-process ``o`` around sub-process ``i`` around *inner*, where a token passes *element*."""
    inside = scope("i", node("startEvent", "is"), inner, node("endEvent", "ie"), row("is", element, "ie"))
    return scope("o", node("startEvent", "os"), inside, node("endEvent", "oe"), row("os", "i", "oe"))


def around(*parts: str) -> Package:
    """A process that passes ``o`` and then three user tasks."""
    return process(
        node("startEvent", "s"), *parts, tasks("a", "b", "c"), node("endEvent", "end"),
        row("s", "o", "a", "b", "c", "end"),
    )  # fmt: skip


def goes_on(package: Package) -> None:
    for one in every_order(package):
        assert (one.last.status, one.last.outcome, one.order[-3:]) == ("finished", "end", ("a", "b", "c"))


@pytest.mark.parametrize(("inner", "element"), [(tasks("u"), "u"), (script("u", "x = 1"), "u")])
def test_a_sub_process_in_a_sub_process_leaves_a_state_that_can_be_read(inner: str, element: str) -> None:
    goes_on(around(nested(inner, element)))


def test_four_deep_with_a_fork_in_the_innermost() -> None:
    fork = node("parallelGateway", "f", "j") + tasks("u", "v") + row("f", "u", "j") + row("f", "v", "j")
    deep = scope(
        "o", node("startEvent", "xs"), nested(fork, "j").replace('"o"', '"o2"'), node("endEvent", "xe"),
        row("xs", "o2", "xe"),
    ).replace(flow("is", "j"), flow("is", "f"))  # fmt: skip
    goes_on(around(deep))


@pytest.mark.parametrize("interrupting", ["true", "false"])
def test_a_fired_event_sub_process_inside_a_sub_process(interrupting: str) -> None:
    handler = (
        f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs" isInterrupting="{interrupting}">'
        '<escalationEventDefinition id="hd" escalationRef="esc"/></startEvent>'
        f"{tasks('w')}{node('endEvent', 'he')}{row('hs', 'w', 'he')}</subProcess>"
    )
    thrown = '<intermediateThrowEvent id="t"><escalationEventDefinition id="td" escalationRef="esc"/>'
    inside = scope(
        "o", node("startEvent", "os"), f"{thrown}</intermediateThrowEvent>", tasks("u"), handler,
        node("endEvent", "oe"), row("os", "t", "u", "oe"),
    )  # fmt: skip
    package = around(inside).files["p.bpmn"].decode()
    head = '<escalation id="esc" name="esc" escalationCode="E"/><process id="p"'
    for one in every_order(Package({"p.bpmn": package.replace('<process id="p"', head).encode()})):
        assert (one.last.status, one.order[-3:]) == ("finished", ("a", "b", "c"))
        assert ("u" in one.order, "w" in one.order) == (interrupting == "false", True)


def rethrown(interrupting: str, *, with_boundary: bool) -> Package:
    """A sub-process whose handler rethrows the escalation it catches."""
    event = '<escalationEventDefinition id="{}" escalationRef="esc"/>'
    handler = (
        f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs" isInterrupting="{interrupting}">'
        f"{event.format('hd')}</startEvent>{tasks('w')}<endEvent id=\"he\">{event.format('ed')}</endEvent>"
        f"{row('hs', 'w', 'he')}</subProcess>"
    )
    thrown = f'<intermediateThrowEvent id="t">{event.format("td")}</intermediateThrowEvent>'
    inside = scope("o", node("startEvent", "os"), thrown, handler, node("endEvent", "oe"), row("os", "t", "oe"))
    boundary = (
        f'<boundaryEvent id="b" attachedToRef="o">{event.format("bd")}</boundaryEvent>{tasks("y")}'
        f"{node('endEvent', 'caught')}{row('b', 'y', 'caught')}"
        if with_boundary
        else ""
    )
    return process(
        node("startEvent", "s"), inside, boundary, tasks("a"), node("endEvent", "end"), row("s", "o", "a", "end"),
        head='<escalation id="esc" name="esc" escalationCode="E"/>',
    )  # fmt: skip


@pytest.mark.parametrize("interrupting", ["true", "false"])
def test_an_escalation_rethrown_in_its_handler_goes_outwards(interrupting: str) -> None:
    [one] = every_order(rethrown(interrupting, with_boundary=True))
    assert (one.order, one.last.outcome) == (("w", "y"), "caught")
    [one] = every_order(rethrown(interrupting, with_boundary=False))
    assert (one.order, one.last.outcome) == (("w", "a"), "end")


def test_a_branch_parallel_to_a_loop_keeps_the_state_small() -> None:
    package = process(
        node("startEvent", "s"), script("z", "k = 0"), node("parallelGateway", "f", "j"), tasks("wait", "again"),
        node("exclusiveGateway", "m"), script("n", "k = k + 1"), node("exclusiveGateway", "x", default="x-j"),
        node("endEvent", "end"), row("s", "z", "f", "wait", "j", "end"), row("f", "m", "again", "n", "x", "j"),
        flow("x", "m", "k &lt; 30"),
    )  # fmt: skip
    diagram = compile_diagram(package)
    run, sizes = Run.start(diagram, step(), {}), []
    for visit in range(1, 31):
        run = Run.resume(diagram, step(), run.dump(), run.after)
        run.complete("again", visit, {})
        sizes.append(len(run.dump()["tasks"]))
    assert sizes[2] == sizes[-2] < 20
    run = Run.resume(diagram, step(), run.dump(), run.after)
    run.complete("wait", 1, {})
    assert run.after.status == "finished"


def test_a_handler_of_the_case_does_not_see_the_changes_of_an_item() -> None:
    several = (
        '<multiInstanceLoopCharacteristics isSequential="false"><loopCardinality>1</loopCardinality>'
        "</multiInstanceLoopCharacteristics>"
    )
    event = '<escalationEventDefinition escalationRef="esc"/>'
    inside = scope(
        "o", several, node("startEvent", "os"), script("c", "x = 5"), tasks("u"), node("endEvent", "oe"),
        f'<intermediateThrowEvent id="t">{event}</intermediateThrowEvent>', row("os", "c", "t", "u", "oe"),
    )  # fmt: skip
    handler = (
        f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs" isInterrupting="false">{event}</startEvent>'
        f"{script('k', 'seen = x')}{node('endEvent', 'he')}{row('hs', 'k', 'he')}</subProcess>"
    )
    package = process(
        node("startEvent", "s"), inside, handler, node("endEvent", "end"), row("s", "o", "end"),
        head='<escalation id="esc" escalationCode="E"/>',
    )  # fmt: skip
    [played] = every_order(package, {"x": 1})
    assert (played.last.status, played.last.data["seen"], played.last.data["x"]) == ("finished", 1, 5)
