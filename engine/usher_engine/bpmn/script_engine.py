"""Replaces SpiffWorkflow's `eval` and `exec` with Usher's expression language: the environment covers the library's
direct calls (engine/decisions/0002), the engine adds the element that failed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn.script_engine.python_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment

from ..core.canonical import as_stored_json
from ..core.errors import ElementFailed, ExpressionError
from ..core.practice_calendar import Calendar
from ..expressions import compile_expression, compile_script
from .step_context import Step


class Environment(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    def __init__(self, now: datetime, rules: int, calendar: Calendar) -> None:
        super().__init__()
        self.now = now
        self.rules = rules
        self.calendar = calendar

    def evaluate(self, expression: str, context: dict[str, Any], external_context: Any = None) -> Any:
        return compile_expression(expression).evaluate(context, self.now, self.rules, self.calendar)

    def execute(self, script: str, context: dict[str, Any], external_context: Any = None) -> bool:
        changed = as_stored_json(compile_script(script).run(context, self.now, self.rules, self.calendar))
        context.clear()
        context.update(changed)
        return True

    def call_service(self, context: dict[str, Any], **kwargs: Any) -> Any:
        raise ExpressionError("Services are called by service tasks only.")


def engine_of(step: Step) -> ScriptEngine:
    """The script engine of *step*."""
    return ScriptEngine(step.now, step.rules, step.calendar)


class ScriptEngine(PythonScriptEngine):  # type: ignore[misc]
    """One for each step; *now* is its recorded time, *rules* are those it is decided by, *calendar* is the step's."""

    def __init__(self, now: datetime, rules: int, calendar: Calendar) -> None:
        super().__init__(environment=Environment(now, rules, calendar))

    def validate(self, expression: str) -> None:
        compile_expression(expression)

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        try:
            return self.environment.evaluate(expression, task.data)
        except ExpressionError as error:
            raise ElementFailed(str(task.task_spec.bpmn_id or task.task_spec.name), error) from error

    def execute(self, task: Any, script: str, external_context: Any = None) -> Any:
        try:
            return self.environment.execute(script, task.data)
        except ExpressionError as error:
            raise ElementFailed(str(task.task_spec.bpmn_id or task.task_spec.name), error) from error

    def call_service(self, task: Any, **kwargs: Any) -> Any:
        raise ElementFailed(str(task.task_spec.bpmn_id), ExpressionError("Services are called by service tasks only."))
