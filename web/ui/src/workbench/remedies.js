// The change that a finding offers, made in the drawing, in one step that Undo takes back: what each `act` means says
// `definitions/lint_finding.py`.
import { is } from "bpmn-js/lib/util/ModelUtil";

const OTHERS = new Set(["flowElements", "artifacts", "laneSets", "di", "incoming", "outgoing"]);
const DEPTH = 6;

// A function that makes the change and answers the element to look at next, or null where it does not fit (any more).
export function changeFor(tools, element, remedy) {
  return ACTS[remedy.act]?.(tools, element, remedy) ?? null;
}

const ACTS = {
  "write": written,
  "add-parameter": (tools, element, { before, after }) => parametersChanged(tools, element, (all) => (before in all ? null : { ...all, [before]: after })),
  "remove-parameter": (tools, element, { before }) => parametersChanged(tools, element, (all) => (before in all ? renamed(all, before) : null)),
  "rename-parameter": (tools, element, { before, after }) => parametersChanged(tools, element, (all) => (before in all && !(after in all) ? renamed(all, before, after) : null)),
  "catch-error": caught,
  "draw-end": ended,
  "set-default": marked,
};

// The text of the element that still reads as the gate saw it is replaced.
function written({ modeling }, element, { before, after }) {
  if (!place(element.businessObject, before)) return null;
  return () => {
    const found = place(element.businessObject, before);
    if (found) modeling.updateModdleProperties(element, found.object, { [found.name]: after });
    return element;
  };
}

function parametersChanged({ extensions }, element, change) {
  const object = element.businessObject;
  if (!change(extensions.operator(object).parameters)) return null;
  return () => {
    const call = extensions.operator(object);
    const parameters = change(call.parameters);
    if (parameters) extensions.setOperator(element, object, { ...call, parameters });
    return element;
  };
}

// The parameters with *old* under another name, or without it.
function renamed(all, old, name) {
  return Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (key !== old ? [[key, value]] : name ? [[name, value]] : [])));
}

// An error event at the edge, where there is room, with the code as its name.
function caught(tools, element, { after: code }) {
  if (!is(element, "bpmn:Activity") || !element.parent) return null;
  return () => {
    const factory = tools.modeler.get("elementFactory");
    let event = null;
    tools.together(() => {
      event = tools.room.attach(factory.createShape({ type: "bpmn:BoundaryEvent", eventDefinitionType: "bpmn:ErrorEventDefinition" }), element);
      tools.modeling.updateModdleProperties(event, event.businessObject.eventDefinitions[0], { errorRef: errorOf(tools, code, event) });
      tools.modeling.updateProperties(event, { name: sentence(code) });
    });
    return event;
  };
}

// The error with that code, as the file has it; made where there is none.
function errorOf({ modeler, modeling, moddle }, errorCode, element) {
  const definitions = modeler.getDefinitions();
  const there = definitions.rootElements.find((one) => is(one, "bpmn:Error") && one.errorCode === errorCode);
  if (there) return there;
  const made = moddle.create("bpmn:Error", { errorCode, name: errorCode });
  made.id = moddle.ids.nextPrefixed("Error_", made);
  made.$parent = definitions;
  modeling.updateModdleProperties(element, definitions, { rootElements: [...definitions.rootElements, made] });
  return made;
}

// “not-eligible” as people read it: “Not eligible”.
function sentence(code) {
  const words = code.replaceAll(/[-_]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function ended(tools, element) {
  if (!is(element, "bpmn:FlowNode") || is(element, "bpmn:EndEvent") || !element.parent) return null;
  return () => {
    const end = tools.modeler.get("elementFactory").createShape({ type: "bpmn:EndEvent" });
    tools.together(() => tools.room.append(end, element));
    return end;
  };
}

function marked({ modeler, modeling }, _, { after }) {
  const flow = modeler.get("elementRegistry").get(after);
  if (!flow?.source) return null;
  return () => {
    modeling.updateProperties(flow.source, { default: flow.businessObject });
    return flow;
  };
}

// The first text of `object`, or of what it holds, that is `text`: {object, name}.
function place(object, text, depth = DEPTH) {
  if (!object?.$descriptor || depth === 0) return null;
  for (const { name, isReference } of object.$descriptor.properties) {
    const local = name.replace(/^.*:/, "");
    if (isReference || OTHERS.has(local)) continue;
    const value = object.get(name);
    if (typeof value === "string" && value.trim() === text.trim()) return { object, name };
    for (const inner of [value].flat()) {
      const found = place(inner, text, depth - 1);
      if (found) return found;
    }
  }
  return null;
}
