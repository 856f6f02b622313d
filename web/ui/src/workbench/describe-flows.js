// Ways out of gateways: the condition of a sequence flow, and the one taken when no other holds.
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";

const CHOOSING = ["bpmn:ExclusiveGateway", "bpmn:InclusiveGateway"];

export function flowGroups(element, object, { modeling, moddle }) {
  const source = object.sourceRef;
  const chooses = source && isAny(source, CHOOSING) && (element.source?.outgoing ?? []).length > 1;
  const condition = object.conditionExpression?.body ?? "";
  const isDefault = source?.default === object;
  if (!chooses && !condition) return [];
  const set = (body) => {
    const made = body.trim() ? moddle.create("bpmn:FormalExpression", { body: body.trim() }) : undefined;
    modeling.updateProperties(element, { conditionExpression: made });
  };
  const fields = [];
  if (chooses) {
    const choose = (on) => modeling.updateProperties(element.source, { default: on ? object : undefined });
    fields.push({ key: "default", label: "Taken when no other condition holds", kind: "check", value: isDefault, set: choose });
  }
  if (!isDefault || condition) {
    fields.push({ key: "condition", label: "Taken when", kind: "code", rows: 3, value: condition, set, help: 'An expression, like patient.status == "Pending"' });
  }
  return [{ title: "Condition", fields }];
}

// Where an element leads: each flow out of it, to open it and put a step there.
export function waysOut(element, { nameOf, show }) {
  const flows = (element.outgoing ?? []).map((one) => one.businessObject).filter((one) => is(one, "bpmn:SequenceFlow"));
  const fields = flows.map((flow) => ({ key: `way:${flow.id}`, kind: "action", button: `→ ${flow.targetRef ? nameOf(flow.targetRef) : "nowhere"}`, act: () => show(flow.id) }));
  return { title: fields.length > 1 ? "Ways out" : "Way out", fields };
}

export function gatewayGroups(element, object, { modeling, nameOf, show }) {
  const flows = (element.outgoing ?? []).map((one) => one.businessObject).filter((one) => is(one, "bpmn:SequenceFlow"));
  if (!isAny(object, CHOOSING) || flows.length < 2) return [waysOut(element, { nameOf, show })];
  const ways = flows.map((flow) => ({ value: flow.id, label: nameOf(flow) }));
  const set = (id) => modeling.updateProperties(element, { default: flows.find((flow) => flow.id === id) });
  const links = flows.map((flow) => ({
    key: `way:${flow.id}`,
    kind: "action",
    button: `${nameOf(flow)}: ${flow === object.default ? "when no other holds" : flow.conditionExpression?.body ?? "no condition yet"}`,
    act: () => show(flow.id),
  }));
  const fallback = { key: "defaultFlow", label: "When no condition holds", kind: "select", value: object.default?.id ?? "", options: [{ value: "", label: "None: the case would stop" }, ...ways], set };
  return [{ title: "Ways out", fields: [fallback, ...links] }];
}
