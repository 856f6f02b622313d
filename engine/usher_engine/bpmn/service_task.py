"""A service task that asks Usher's operators: answered inside the step, or left started until a job reports back."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.spiff.specs.defaults import ServiceTask


class UsherServiceTask(ServiceTask):  # type: ignore[misc]
    """Overrides the library's, whose error path is broken and which ignores its own retries."""

    def _execute(self, task: Any) -> bool | None:
        parameters = {
            name: task.workflow.script_engine.evaluate(task, parameter["value"])
            for name, parameter in self.operation_params.items()
        }
        answered: bool = task.workflow.top_workflow.observer.call_service(task, self.operation_name, parameters)
        return True if answered else None
