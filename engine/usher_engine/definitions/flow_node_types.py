"""The types of flow nodes in BPMN 2.0."""

from __future__ import annotations

_TASKS = {
    *("task", "userTask", "manualTask", "serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask"),
    *("callActivity", "callChoreography", "choreographyTask", "subChoreography"),
}
_EVENTS = {
    *("startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"),
    *("implicitThrowEvent", "event"),
}
_GATEWAYS = {"exclusiveGateway", "inclusiveGateway", "parallelGateway", "complexGateway", "eventBasedGateway"}

SUB_PROCESSES = frozenset({"subProcess", "adHocSubProcess", "transaction"})
#: Every kind of flow node BPMN 2.0 knows (BPMN 2.0.2, table 7.1 and chapter 10).
FLOW_NODES = frozenset(_TASKS | _EVENTS | _GATEWAYS | SUB_PROCESSES)
