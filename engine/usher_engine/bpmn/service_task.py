"""Elements that call operators: service tasks, and elements that throw a message.

The step answers them itself, or leaves them started until a job reports the result.
"""

from __future__ import annotations

import json
from typing import Any

from SpiffWorkflow.bpmn.specs.mixins.events.end_event import EndEvent
from SpiffWorkflow.spiff.specs.defaults import ServiceTask

from ..services import SEND


class UsherServiceTask(ServiceTask):  # type: ignore[misc]
    """Replaces the library's, whose error path is broken and which ignores its own retries."""

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
    """An end event that throws a message; it completes once the message is sent or no case waits for it."""


def is_end(spec: Any) -> bool:
    return isinstance(spec, EndEvent | UsherSendEnd)


def sender(kind: type[UsherServiceTask], parser: Any, message: str) -> UsherServiceTask:
    """Return the spec of the element at *parser*, which throws *message* by its operator or, without one, to a case."""
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
