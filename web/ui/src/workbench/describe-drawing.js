// Drawing without a mouse: the next step, a connection, an event at the edge, a step on a flow, and taking away.
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";

const STEPS = [
  ["bpmn:UserTask", "User task"],
  ["bpmn:ServiceTask", "Service task"],
  ["bpmn:ScriptTask", "Script task"],
  ["bpmn:BusinessRuleTask", "Business rule task"],
  ["bpmn:ExclusiveGateway", "Gateway, one way"],
  ["bpmn:ParallelGateway", "Gateway, all ways"],
  ["bpmn:IntermediateCatchEvent|bpmn:TimerEventDefinition", "Waiting event, time"],
  ["bpmn:IntermediateCatchEvent|bpmn:MessageEventDefinition", "Waiting event, message"],
  ["bpmn:SubProcess", "Sub-process"],
  ["bpmn:CallActivity", "Called process"],
  ["bpmn:EndEvent", "End event"],
].map(([value, label]) => ({ value, label }));

const EDGES = [
  ["bpmn:EscalationEventDefinition", "Cancelled or escalated"],
  ["bpmn:ErrorEventDefinition", "Error"],
  ["bpmn:TimerEventDefinition", "Time"],
  ["bpmn:MessageEventDefinition", "Message"],
].map(([value, label]) => ({ value, label }));

export function drawing(element, object, tools) {
  const fields = [];
  if (isAny(object, ["bpmn:FlowNode"]) && !is(object, "bpmn:EndEvent") && element.parent) {
    fields.push({ key: "append", kind: "action", label: "Add the next step", options: STEPS, button: "Add", act: (value) => append(element, value, tools) });
    const targets = tools.nodes().filter((one) => one !== element && one.parent === element.parent && !isAny(one, ["bpmn:StartEvent", "bpmn:BoundaryEvent"]));
    if (targets.length > 0) {
      const options = targets.map((one) => ({ value: one.id, label: tools.nameOf(one) }));
      fields.push({ key: "connect", kind: "action", label: "Connect to", options, button: "Connect", act: (id) => connect(element, id, tools) });
    }
  }
  if (is(object, "bpmn:Activity") && element.parent) {
    fields.push({ key: "attach", kind: "action", label: "Add an event at the edge", options: EDGES, button: "Add", act: (value) => attach(element, value, tools) });
  }
  if (is(object, "bpmn:SequenceFlow")) {
    fields.push({ key: "insert", kind: "action", label: "Put a step here", options: STEPS.slice(0, -1), button: "Add", act: (value) => insert(element, value, tools) });
  }
  if (element.parent) fields.push({ key: "remove", kind: "action", button: "Remove this element", danger: true, act: () => tools.modeling.removeElements([element]) });
  return { title: "Draw", fields };
}

function made(value, { modeler }) {
  const [type, eventDefinitionType] = value.split("|");
  return modeler.get("elementFactory").createShape({ type, eventDefinitionType, isExpanded: type === "bpmn:SubProcess" });
}

// Where bpmn-js itself would place it; not by its `autoPlace`, which would begin to edit the name on the canvas.
function append(element, value, tools) {
  const shape = made(value, tools);
  const position = tools.modeler.get("eventBus").fire("autoPlace", { source: element, shape, hints: {} });
  tools.show(tools.modeling.appendShape(element, shape, position, element.parent).id);
}

function connect(element, id, { modeler, show }) {
  const modeling = modeler.get("modeling");
  const connection = modeling.connect(element, modeler.get("elementRegistry").get(id));
  if (connection) show(connection.id);
}

// Beside the events that are there already, along the lower edge.
function attach(element, eventDefinitionType, { modeler, modeling, show }) {
  const shape = modeler.get("elementFactory").createShape({ type: "bpmn:BoundaryEvent", eventDefinitionType });
  const taken = element.attachers?.length ?? 0;
  const position = { x: element.x + element.width - 24 - ((taken * 40) % Math.max(40, element.width - 40)), y: element.y + element.height };
  show(modeling.createShape(shape, position, element, { attach: true }).id);
}

// Into the middle of the flow's longest stretch; what bpmn-js does when a shape is dropped on a flow.
function insert(flow, value, tools) {
  const points = flow.waypoints;
  const stretches = points.slice(1).map((point, index) => ({ from: points[index], to: point }));
  const length = ({ from, to }) => Math.hypot(to.x - from.x, to.y - from.y);
  const { from, to } = stretches.reduce((best, one) => (length(one) > length(best) ? one : best));
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  tools.show(tools.modeling.createShape(made(value, tools), middle, flow).id);
}
