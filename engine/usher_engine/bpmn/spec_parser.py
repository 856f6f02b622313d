"""SpiffWorkflow's parser with our specs and triggers: maps each element of a file to the class that runs it."""

from __future__ import annotations

from typing import Any, ClassVar

from SpiffWorkflow.bpmn.parser.event_parsers import EventBasedGatewayParser
from SpiffWorkflow.bpmn.parser.task_parsers import ConditionalGatewayParser, GatewayParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.defaults import EndEvent, IntermediateThrowEvent, StartEvent
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.spiff.parser import event_parsers as events
from SpiffWorkflow.spiff.parser import task_spec as tasks
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser, SpiffProcessParser
from SpiffWorkflow.spiff.specs.defaults import CallActivity, ManualTask, ScriptTask, SubWorkflowTask, UserTask

from .catch_events import (
    UsherBoundaryEvent,
    UsherCatchEvent,
    UsherEventGateway,
    UsherEventSubprocess,
    UsherProcessSpec,
    UsherReceiveTask,
)
from .decision_task import DecisionTaskParser, UsherDecisionTask
from .event_definitions import ERROR, ESCALATION, MESSAGE, TIMER, Trigger
from .gateways import UsherInclusiveGateway, UsherParallelGateway
from .multi_instance import Items, ItemsInTurn, Loop
from .service_task import UsherSendEnd, UsherSendTask, UsherServiceTask, sender
from .timer_due import FORMS


class _Repeats:
    """Mixin before a task parser: uses our repeated activities."""

    STANDARD_LOOP_CLASS = Loop
    PARALLEL_MI_CLASS = Items
    SEQUENTIAL_MI_CLASS = ItemsInTurn


class _Triggers(_Repeats):
    """Mixin before an event parser: uses our triggers."""

    node: Any
    filename: Any
    doc_xpath: Any
    xpath: Any

    def parse_timer_event(self, event: Any) -> Trigger:
        for form in FORMS:
            for node in event.iterchildren(full_tag(form)):
                return Trigger(TIMER, form=form, expression=(node.text or "").strip())
        raise self._invalid("The timer has no date, duration or cycle.")

    def parse_message_event(self, event: Any) -> Trigger:
        message = self._resolve("message", event.get("messageRef"))
        if not message.get("name"):
            raise self._invalid("The message has no name.")
        return Trigger(MESSAGE, message.get("name"))

    def parse_error_event(self, event: Any) -> Trigger:
        return self._trigger_with_code(ERROR, event.get("errorRef"), "errorCode")

    def parse_escalation_event(self, event: Any) -> Trigger:
        return self._trigger_with_code(ESCALATION, event.get("escalationRef"), "escalationCode")

    def _thrown_message(self) -> str | None:
        """Return the name of the message it throws, None if it throws none, or "" if an operator sends it."""
        found = self.xpath("./bpmn:messageEventDefinition")
        reference = found[0].get("messageRef") if found else self.node.get("messageRef")
        if not reference:
            return "" if found or self.node.tag == full_tag("sendTask") else None
        return str(self._resolve("message", reference).get("name") or "")

    def _trigger_with_code(self, kind: str, reference: str | None, attribute: str) -> Trigger:
        if not reference:
            return Trigger(kind)
        found = self._resolve(kind, reference)
        return Trigger(kind, found.get("name") or "", code=found.get(attribute) or "")

    def _resolve(self, kind: str, reference: str | None) -> Any:
        found = [node for node in self.doc_xpath(f".//bpmn:{kind}") if node.get("id") == reference]
        if not found:
            raise self._invalid(f"The {kind} it refers to is not in the file.")
        return found[0]

    def _invalid(self, message: str) -> ValidationException:
        return ValidationException(message, node=self.node, file_name=self.filename)


class _TaskParser(_Repeats, tasks.SpiffTaskParser):  # type: ignore[misc]
    pass


class _UserTaskParser(_Repeats, tasks.UserTaskParser):  # type: ignore[misc]
    pass


class _ScriptTaskParser(_Repeats, tasks.ScriptTaskParser):  # type: ignore[misc]
    pass


class _ServiceTaskParser(_Repeats, tasks.ServiceTaskParser):  # type: ignore[misc]
    pass


class _DecisionTaskParser(_Repeats, DecisionTaskParser):
    pass


class _CallActivityParser(_Repeats, tasks.CallActivityParser):  # type: ignore[misc]
    pass


class _SubProcessParser(_Repeats, tasks.SubWorkflowParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        if self.node.get("triggeredByEvent") in ("true", "1"):
            self.spec_class = UsherEventSubprocess
        return super().create_task()


class _StartParser(_Triggers, events.SpiffStartEventParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        paths = [f".//bpmn:{kind}EventDefinition" for kind in (MESSAGE, TIMER, ERROR, ESCALATION)]
        task = self._create_task(self.get_event_definition(paths))
        self.spec.start.connect(task)
        return task


class _EndParser(_Triggers, events.SpiffEndEventParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        message = self._thrown_message()
        if message is None:
            return super().create_task()
        task = sender(UsherSendEnd, self, message)
        task.connect(self.spec.end)
        return task


class _CatchParser(_Triggers, events.SpiffIntermediateCatchEventParser):  # type: ignore[misc]
    pass


class _ThrowParser(_Triggers, events.SpiffIntermediateThrowEventParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        message = self._thrown_message()
        return super().create_task() if message is None else sender(UsherSendTask, self, message)


class _SendParser(_Triggers, tasks.SpiffTaskParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        return sender(UsherSendTask, self, self._thrown_message() or "")


class _BoundaryParser(_Triggers, events.SpiffBoundaryEventParser):  # type: ignore[misc]
    pass


class _ReceiveParser(_Triggers, events.SpiffReceiveTaskParser):  # type: ignore[misc]
    pass


class _ProcessParser(SpiffProcessParser):  # type: ignore[misc]
    def create_spec(self) -> Any:
        if not self.process_executable:
            return super().create_spec()  # which raises
        return UsherProcessSpec(name=self.bpmn_id, description=self.get_name(), filename=self.filename)

    def add_tasks(self) -> None:
        """Add the flow from the start event, and each event sub-process."""
        starts = self.xpath("./bpmn:startEvent")
        if len(starts) != 1:
            message = f"A process has one start event; this one has {len(starts)}."
            raise ValidationException(message, node=self.node, file_name=self.filename)
        self.parse_node(starts[0])
        for node in self.xpath("./bpmn:subProcess"):
            if node.get("triggeredByEvent") in ("true", "1"):
                self._arm(self.parse_node(node), node)

    def _arm(self, handler: UsherEventSubprocess, node: Any) -> None:
        """Move the trigger of the start event to the sub-process, which waits for it from the start of its scope."""
        [start] = self.parser.process_parsers[handler.spec].get_spec().bpmn_start_events
        handler.start, handler.trigger, start.event_definition = start, start.event_definition, NoneEventDefinition()
        handler.interrupts = all(
            event.get("isInterrupting") not in ("false", "0") for event in node.iterchildren(full_tag("startEvent"))
        )
        self.spec.start.connect(handler)
        handler.connect(self.spec.end)


class UsherParser(SpiffBpmnParser):  # type: ignore[misc]
    """Reads BPMN into specs that run without a clock and report what happens."""

    PROCESS_PARSER_CLASS = _ProcessParser
    OVERRIDE_PARSER_CLASSES: ClassVar[dict[str, Any]] = {
        **SpiffBpmnParser.OVERRIDE_PARSER_CLASSES,
        full_tag("userTask"): (_UserTaskParser, UserTask),
        full_tag("manualTask"): (_TaskParser, ManualTask),
        full_tag("scriptTask"): (_ScriptTaskParser, ScriptTask),
        full_tag("serviceTask"): (_ServiceTaskParser, UsherServiceTask),
        full_tag("businessRuleTask"): (_DecisionTaskParser, UsherDecisionTask),
        full_tag("sendTask"): (_SendParser, UsherSendTask),
        full_tag("receiveTask"): (_ReceiveParser, UsherReceiveTask),
        full_tag("subProcess"): (_SubProcessParser, SubWorkflowTask),
        full_tag("callActivity"): (_CallActivityParser, CallActivity),
        full_tag("startEvent"): (_StartParser, StartEvent),
        full_tag("endEvent"): (_EndParser, EndEvent),
        full_tag("intermediateCatchEvent"): (_CatchParser, UsherCatchEvent),
        full_tag("intermediateThrowEvent"): (_ThrowParser, IntermediateThrowEvent),
        full_tag("boundaryEvent"): (_BoundaryParser, UsherBoundaryEvent),
        full_tag("parallelGateway"): (GatewayParser, UsherParallelGateway),
        full_tag("inclusiveGateway"): (ConditionalGatewayParser, UsherInclusiveGateway),
        full_tag("eventBasedGateway"): (EventBasedGatewayParser, UsherEventGateway),
    }
