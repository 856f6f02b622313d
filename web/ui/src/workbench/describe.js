// Which properties an element has, as groups of fields (fields.js). The parts are in the other describe-*.js files.
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { drawing } from "./describe-drawing.js";
import { eventGroups } from "./describe-events.js";
import { flowGroups, gatewayGroups, waysOut } from "./describe-flows.js";
import { calling, deciding, repeating, scripts, service, script, work } from "./describe-tasks.js";
import { kindOf, nameOf } from "./words.js";

const NCNAME = /^[A-Za-z_][\w.-]*$/;

export function describer(tools) {
  return (element) => {
    if (!element.businessObject) return null; // nothing is open yet
    const object = subjectOf(element);
    const leads = is(object, "bpmn:FlowNode") && !is(object, "bpmn:Gateway") ? [waysOut(element, tools)] : [];
    const groups = [general(element, object, tools), ...particular(element, object, tools), ...leads, notes(element, object, tools), drawing(element, object, tools)];
    for (const field of groups.flatMap((group) => group?.fields ?? [])) field.at = object.id;
    return {
      key: object.id,
      title: nameOf(object),
      kind: kindOf(object),
      id: object.id,
      groups: groups.filter((group) => group && group.fields.length > 0),
    };
  };
}

// A pool stands for the process in it; a sub-process's own plane for the sub-process.
function subjectOf(element) {
  const object = element.businessObject;
  return (is(object, "bpmn:Participant") && object.processRef) || object;
}

function particular(element, object, tools) {
  if (isAny(object, ["bpmn:UserTask", "bpmn:ManualTask"])) return [work(element, object, tools), scripts(element, object, tools), repeating(element, object, tools)];
  if (is(object, "bpmn:ServiceTask")) return [service(element, object, tools), scripts(element, object, tools), repeating(element, object, tools)];
  if (is(object, "bpmn:SendTask")) return [service(element, object, tools, "Tells a message to another case"), ...eventGroups(element, object, tools), repeating(element, object, tools)];
  if (is(object, "bpmn:ScriptTask")) return [script(element, object, tools), repeating(element, object, tools)];
  if (is(object, "bpmn:BusinessRuleTask")) return [deciding(element, object, tools), scripts(element, object, tools), repeating(element, object, tools)];
  if (is(object, "bpmn:CallActivity")) return [calling(element, object, tools), scripts(element, object, tools), repeating(element, object, tools)];
  if (isAny(object, ["bpmn:Event", "bpmn:ReceiveTask"])) return eventGroups(element, object, tools);
  if (is(object, "bpmn:Gateway")) return gatewayGroups(element, object, tools);
  if (is(object, "bpmn:SequenceFlow")) return flowGroups(element, object, tools);
  if (isAny(object, ["bpmn:Task", "bpmn:SubProcess"])) return [scripts(element, object, tools), repeating(element, object, tools)];
  return [];
}

function general(element, object, tools) {
  const { modeling } = tools;
  const fields = [];
  if (is(object, "bpmn:TextAnnotation")) {
    fields.push({ key: "text", label: "Text", kind: "area", value: object.text ?? "", set: (text) => modeling.updateProperties(element, { text }) });
  } else {
    fields.push({ key: "name", label: "Name", kind: "area", rows: 1, value: object.name ?? "", set: (name) => rename(element, object, name, tools) });
  }
  fields.push({
    key: "id",
    label: "Id",
    mono: true,
    value: object.id,
    check: (id) => idProblem(id, object, tools),
    set: (id) => tools.modeling.updateModdleProperties(element, object, { id }),
    help: is(object, "bpmn:Process") ? "Stays as it is once the process is deployed." : undefined,
  });
  if (is(object, "bpmn:Process")) {
    const set = (isExecutable) => modeling.updateModdleProperties(element, object, { isExecutable });
    fields.push({ key: "executable", label: "Can be run", kind: "check", value: Boolean(object.isExecutable), set });
  }
  if (is(object, "bpmn:SubProcess") && !is(object, "bpmn:AdHocSubProcess")) {
    const set = (triggeredByEvent) => modeling.updateModdleProperties(element, object, { triggeredByEvent });
    fields.push({ key: "byEvent", label: "Begins by an event (event sub-process)", kind: "check", value: Boolean(object.triggeredByEvent), set });
  }
  return { title: "General", fields };
}

function notes(element, object, tools) {
  if (is(object, "bpmn:TextAnnotation")) return null;
  const end = is(object, "bpmn:EndEvent");
  const field = {
    key: "documentation",
    label: end ? "What this end means to people" : "Documentation",
    kind: "area",
    value: object.documentation?.[0]?.text ?? "",
    set: (text) => document(element, object, text, tools),
  };
  return { title: end ? "Meaning" : "Notes", fields: [field] };
}

function rename(element, object, name, { modeling }) {
  if (element.businessObject === object) modeling.updateProperties(element, { name: name || undefined });
  else modeling.updateModdleProperties(element, object, { name: name || undefined });
}

function document(element, object, text, { modeling, moddle }) {
  const rest = (object.documentation ?? []).slice(1);
  const made = text.trim() ? [moddle.create("bpmn:Documentation", { text })] : [];
  for (const one of made) one.$parent = object;
  modeling.updateModdleProperties(element, object, { documentation: [...made, ...rest] });
}

function idProblem(id, object, { moddle }) {
  if (!NCNAME.test(id)) return "An id is a letter or _, then letters, digits, _, - or points.";
  const taken = moddle.ids.assigned(id);
  return taken && taken !== object ? "Another element has this id." : "";
}
