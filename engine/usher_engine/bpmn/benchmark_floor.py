"""Stock SpiffWorkflow, in memory, on the same diagram: the baseline for `usher bench`.

Only the expression language is ours, since the diagrams use it; the library's would be slower.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn.script_engine.python_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser
from SpiffWorkflow.util.task import TaskState

from ..core.canonical import Json
from ..core.practice_calendar import UTC_CALENDAR
from ..definitions import Package, parse_xml
from .script_engine import Environment
from .step_context import RULES


class _Services(Environment):
    """Answers every service call at once, in memory."""

    def __init__(self, now: datetime, answer: Callable[[str], Json]) -> None:
        super().__init__(now, RULES, UTC_CALENDAR)
        self.answer = answer

    def call_service(self, context: dict[str, Any], **kwargs: Any) -> str:
        return json.dumps(self.answer(kwargs["operation_name"]))


class Bare:
    """One diagram on the stock engine; *answer* returns the results of services."""

    def __init__(self, package: Package, now: datetime, answer: Callable[[str], Json]) -> None:
        parser = SpiffBpmnParser()
        for name in sorted(package.files):
            if name.endswith(".bpmn"):
                parser.add_bpmn_xml(parse_xml(package.files[name], name))
        self._spec = parser.get_spec(package.key)
        self._subprocess_specs = parser.get_subprocess_specs(package.key)
        self._script_engine = PythonScriptEngine(_Services(now, answer))

    def start(self, data: dict[str, Any]) -> BpmnWorkflow:
        """Create a workflow and run it to its first user task or its end."""
        workflow = BpmnWorkflow(self._spec, self._subprocess_specs, script_engine=self._script_engine)
        workflow.task_tree.data = dict(data)
        workflow.do_engine_steps()
        return workflow

    def complete(self, workflow: BpmnWorkflow, variable: str, answer: dict[str, Any]) -> bool:
        """Complete the one open user task and run on; return True at the end of the workflow."""
        task = next(task for task in workflow.get_tasks(state=TaskState.READY) if task.task_spec.manual)
        task.data[variable] = answer
        task.run()
        workflow.do_engine_steps()
        return bool(workflow.completed)
