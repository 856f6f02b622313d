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

// Not by bpmn-js's `autoPlace`, which would begin to edit the name on the canvas and makes no room.
function append(element, value, tools) {
  const shape = made(value, tools);
  tools.together(() => tools.room.append(shape, element));
  tools.show(shape.id);
}

function connect(element, id, { modeler, show }) {
  const modeling = modeler.get("modeling");
  const connection = modeling.connect(element, modeler.get("elementRegistry").get(id));
  if (connection) show(connection.id);
}

function attach(element, eventDefinitionType, { modeler, room, show }) {
  const shape = modeler.get("elementFactory").createShape({ type: "bpmn:BoundaryEvent", eventDefinitionType });
  show(room.attach(shape, element).id);
}

function insert(flow, value, tools) {
  const shape = made(value, tools);
  tools.together(() => tools.room.insert(shape, flow));
  tools.show(shape.id);
}
