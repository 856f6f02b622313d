"""Business rule tasks: the step makes a decision of the package with our DMN engine and records it as an event."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.spiff.parser.task_spec import SpiffTaskParser
from SpiffWorkflow.spiff.specs.spiff_task import SpiffBpmnTask

from ..core.canonical import Json
from ..core.errors import DecisionFailed, ElementFailed
from ..core.events import DecisionMade
from ..dmn import DecisionResult


class UsherDecisionTask(SpiffBpmnTask):  # type: ignore[misc]
    """Replaces the library's, which silently misreads cells and hit policies."""

    def __init__(self, wf_spec: Any, name: str, decision: str, variable: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, name, **kwargs)
        self.decision = decision
        self.variable = variable

    def _run_hook(self, my_task: Any) -> bool:
        run = my_task.workflow.top_workflow.observer
        step = run.step
        try:
            *required, made = run.diagram.decisions.decide(
                self.decision, my_task.data, step.now, step.rules, step.calendar
            )
        except DecisionFailed as error:
            raise ElementFailed(str(my_task.task_spec.bpmn_id), error) from error
        outputs = {self.variable: made.value} if self.variable else made.outputs
        my_task.data.update(outputs)
        run.events.append(
            DecisionMade(
                element=my_task.task_spec.bpmn_id,
                visit=my_task.visit,
                decision=made.decision,
                inputs=made.inputs,
                rules=list(made.rules),
                outputs=outputs,
                required=[_as_json(first) for first in required],
            )
        )
        return True


class DecisionTaskParser(SpiffTaskParser):  # type: ignore[misc]
    """Reads ``calledDecisionId`` and the property ``resultVariable``."""

    def create_task(self) -> Any:
        extensions = self.parse_extensions()
        return self.spec_class(
            self.spec,
            self.bpmn_id,
            decision=self.get_decision_ref(self.node),
            variable=(extensions.get("properties") or {}).get("resultVariable", ""),
            prescript=extensions.get("preScript"),
            postscript=extensions.get("postScript"),
            **self.bpmn_attributes,
        )

    @staticmethod
    def get_decision_ref(node: Any) -> str:
        """Return the id of the decision; the library calls this too."""
        return str(SpiffTaskParser._parse_extensions(node).get("calledDecisionId") or "").strip()


def _as_json(made: DecisionResult) -> dict[str, Json]:
    return {
        "decision": made.decision,
        "inputs": made.inputs,
        "rules": list(made.rules),
        "outputs": made.outputs,
    }
