// What elements are called in front of people.
import { is } from "bpmn-js/lib/util/ModelUtil";

const EVENTS = { Timer: "Timer", Message: "Message", Error: "Error", Escalation: "Escalation", Signal: "Signal", Conditional: "Condition", Terminate: "Terminate", Link: "Link", Compensate: "Compensation", Cancel: "Cancel" };
const SHORT = { SequenceFlow: "Sequence flow", Process: "Process", Participant: "Pool", Lane: "Lane", Collaboration: "Collaboration", CallActivity: "Called process", SubProcess: "Sub-process", ManualTask: "Manual task" };

// "User task", "Timer event at an edge", "Gateway: one way".
export function kindOf(element) {
  const object = element.businessObject ?? element;
  const type = object.$type.replace("bpmn:", "");
  const event = object.eventDefinitions?.[0]?.$type.replace("bpmn:", "").replace("EventDefinition", "");
  if (type === "ExclusiveGateway") return "Gateway, one way";
  if (type === "InclusiveGateway") return "Gateway, one or more ways";
  if (type === "ParallelGateway") return "Gateway, all ways";
  if (type === "EventBasedGateway") return "Gateway, first event";
  if (type === "SubProcess" && object.triggeredByEvent) return "Event sub-process";
  if (type.endsWith("Event")) return lower(`${event ? `${EVENTS[event] ?? event} ` : ""}${EVENT_KINDS[type] ?? type}`);
  return SHORT[type] ?? lower(type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "));
}

const EVENT_KINDS = { StartEvent: "Start event", EndEvent: "End event", BoundaryEvent: "Event at the edge", IntermediateCatchEvent: "Waiting event", IntermediateThrowEvent: "Event on the way" };

function lower(words) {
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}

// What a person reads for an element, never its id: its name, else what it is and what is beside it:
// “Gateway after “Load patient””, “Load patient → Update Now”.
export function nameOf(element) {
  const object = element.businessObject ?? element;
  const name = named(object);
  if (name) return name;
  if (is(object, "bpmn:SequenceFlow")) return `${endOf(object.sourceRef)} → ${endOf(object.targetRef)}`;
  const kind = is(object, "bpmn:Gateway") ? "Gateway" : kindOf(object);
  return `${kind}${beside(object)}`;
}

function named(object) {
  const name = object.name ?? (is(object, "bpmn:TextAnnotation") ? object.text : object.processRef?.name);
  return (name ?? "").trim().replaceAll(/\s+/g, " ");
}

function beside(object) {
  if (object.attachedToRef) return ` of ${quoted(object.attachedToRef)}`;
  const flows = (object.$parent?.flowElements ?? []).filter((one) => is(one, "bpmn:SequenceFlow"));
  const before = flows.filter((one) => one.targetRef === object && one.sourceRef !== object).map((one) => one.sourceRef);
  const after = flows.filter((one) => one.sourceRef === object && one.targetRef !== object).map((one) => one.targetRef);
  const by = (neighbours) => neighbours.find((one) => one && named(one));
  if (by(before)) return ` after ${quoted(by(before))}`;
  return by(after) ? ` before ${quoted(by(after))}` : "";
}

function quoted(object) {
  return `“${named(object) || kindOf(object)}”`;
}

function endOf(object) {
  return object ? nameOf(object) : "nowhere";
}
