"""What asks Usher's operators: service tasks, and elements that throw a message.

Answered inside the step, or left started until a job reports back.
"""

from __future__ import annotations

import json
from typing import Any

from SpiffWorkflow.bpmn.specs.mixins.events.end_event import EndEvent
from SpiffWorkflow.spiff.specs.defaults import ServiceTask

from ..services import SEND


class UsherServiceTask(ServiceTask):  # type: ignore[misc]
    """Overrides the library's, whose error path is broken and which ignores its own retries."""

    def _execute(self, task: Any) -> bool | None:
        parameters = {
            name: task.workflow.script_engine.evaluate(task, parameter["value"])
            for name, parameter in self.operation_params.items()
        }
        answered: bool = task.workflow.top_workflow.observer.call_service(task, self.operation_name, parameters)
        return True if answered else None


class UsherSendTask(UsherServiceTask):
    """A send task, or an intermediate event that throws a message."""


class UsherSendEnd(UsherServiceTask):
    """An end event that throws a message; it is reached when the message is on its way or has found nobody."""


def is_end(spec: Any) -> bool:
    return isinstance(spec, EndEvent | UsherSendEnd)


def sender(kind: type[UsherServiceTask], parser: Any, message: str) -> UsherServiceTask:
    """The spec of the element at *parser*, which throws *message* by its operator or, without, to a waiting case."""
    extensions = parser.parse_extensions()
    properties, operator = extensions.get("properties") or {}, extensions.get("serviceTaskOperator")
    if operator is None:
        given = {"message": json.dumps(message), "business_key": properties.get("businessKey", "")}
        given |= {"data": properties["contents"]} if properties.get("contents") else {}
        parameters = {name: {"value": value, "type": "any"} for name, value in given.items()}
        operator = {"name": SEND.name, "parameters": parameters}
    return kind(
        parser.spec,
        parser.bpmn_id,
        operation_name=operator["name"],
        operation_params=operator["parameters"],
        result_variable=operator.get("resultVariable") or properties.get("resultVariable") or parser.bpmn_id,
        prescript=extensions.get("preScript"),
        postscript=extensions.get("postScript"),
        **parser.bpmn_attributes,
    )
