"""Lists and records that a join merges in place are new objects in the next step, live and when re-executed."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import alice
from golden.drawings import Drawing, event, file, process, ways
from usher_engine import SYSTEM, Engine
from usher_engine.definitions import Package

_FORM = b'{"type": "default", "id": "f", "components": [{"type": "number", "key": "v", "label": "v"}]}'
_ASKED = (
    '<bpmn:userTask id="{0}" name="{0}"><bpmn:extensionElements><spiffworkflow:properties>'
    '<spiffworkflow:property name="form" value="answer.form"/></spiffworkflow:properties></bpmn:extensionElements>'
    "{1}</bpmn:userTask>"
)
_EACH = (
    '<bpmn:multiInstanceLoopCharacteristics isSequential="true"><bpmn:loopDataInputRef>items</bpmn:loopDataInputRef>'
    '<bpmn:loopDataOutputRef>answers</bpmn:loopDataOutputRef><bpmn:inputDataItem id="item" name="item"/>'
    "</bpmn:multiInstanceLoopCharacteristics>"
)
_ROUND = (
    event("startEvent", "r_s"), event("parallelGateway", "fork"), event("parallelGateway", "join"),
    event("endEvent", "r_e"), _ASKED.format("each", _EACH), _ASKED.format("beside", ""), _ASKED.format("next", ""),
    ways("r", "r_s fork each join next r_e", "fork beside join"),
)  # fmt: skip
_TWICE = (
    '<bpmn:callActivity id="twice" calledElement="round">'
    '<bpmn:standardLoopCharacteristics loopMaximum="2"/></bpmn:callActivity>'
)
ROUNDS = Drawing(
    "rounds",
    (
        file(
            process("rounds", event("startEvent", "s"), event("endEvent", "e"), _TWICE, ways("f", "s twice e")),
            process("round", *_ROUND),
        ),
    ),
)


@pytest.mark.parametrize("order", ["each beside next beside each next", "beside each next beside each next"])
def test_lists_merged_at_a_join_in_a_loop_are_the_same_when_run_again(engine: Engine, order: str) -> None:
    files: dict[str, Any] = dict(ROUNDS.package.files)
    engine.deploy(Package({**files, "answer.form": _FORM}), actor=SYSTEM)
    case = engine.start("rounds", {"items": ["a"]}, actor=alice).id
    for number, element in enumerate(order.split()):
        task = next(task for task in engine.instance(case).tasks if task.element == element)
        engine.complete(task.id, {"v": number}, actor=alice)
        assert engine.verify(case) == []
    assert engine.instance(case).status == "finished"
