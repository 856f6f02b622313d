// What events wait for or send: times, messages, errors, escalations, signals, conditions.
import { is } from "bpmn-js/lib/util/ModelUtil";
import { update } from "./several.js";

const TIMES = [
  { value: "timeDuration", label: "After a time" },
  { value: "timeDate", label: "At a moment" },
  { value: "timeCycle", label: "Again and again" },
];
const TIME_HELP = {
  timeDuration: 'Like 7 days or 2 hours, or an expression that gives an ISO duration, like "P" + str(days) + "D"',
  timeDate: "Like 2027-01-31T09:00:00Z, or an expression that gives one. Without a zone: UTC.",
  timeCycle: "Like R3/P1D: three times, once a day. Where nothing is ended by it.",
};

export function eventGroups(element, object, tools) {
  const definition = object.eventDefinitions?.[0];
  const fields = [];
  if (is(object, "bpmn:BoundaryEvent")) {
    const set = (cancelActivity) => tools.modeling.updateProperties(element, { cancelActivity });
    fields.push({ key: "interrupting", label: "Ends what it is attached to", kind: "check", value: object.cancelActivity !== false, set });
  }
  if (is(object, "bpmn:StartEvent") && object.$parent?.triggeredByEvent) {
    const set = (isInterrupting) => tools.modeling.updateProperties(element, { isInterrupting });
    fields.push({ key: "interrupting", label: "Ends what runs in the process", kind: "check", value: object.isInterrupting !== false, set });
  }
  if (is(object, "bpmn:StartEvent") && !definition && is(object.$parent, "bpmn:Process")) return [start(element, object, tools)];
  fields.push(...what(element, object, definition, tools));
  const groups = [{ title: "Event", fields }];
  return is(object, "bpmn:Task") ? [...groups, tools.scriptsOf(element, object)] : groups; // events run no scripts
}

// How a case begins: with which form, by whom, and what it is about.
function start(element, object, { extensions, facts, addressOf }) {
  const property = (key, label, more) => ({
    key, label, value: extensions.property(object, key), ...more,
    set: (value) => extensions.setProperty(element, object, key, value.trim()),
  });
  const form = extensions.property(object, "form");
  const forms = [...new Set([...facts.forms, ...(form ? [form] : [])])].map((value) => ({ value, label: facts.forms.includes(value) ? value : `${value} (missing)` }));
  const link = facts.forms.includes(form) ? { label: "Edit this form", url: addressOf(form) } : undefined;
  return {
    title: "Start",
    fields: [
      property("form", "Start form", { kind: "select", options: [{ value: "", label: "None: a button" }, ...forms], link }),
      property("candidateStarterGroups", "Groups that may start it", { list: facts.groups, help: "Separated by commas. Without groups and roles no person starts it, only triggers and programs." }),
      property("candidateStarterRoles", "Roles that may start it", { list: facts.starterRoles, help: `Any of ${facts.starterRoles.join(", ")}; separated by commas.` }),
      property("startsAfter", "Starts by itself after", { kind: "select", options: followed(extensions.property(object, "startsAfter"), facts), help: "A case of this process begins each time the operator has done its work in a case of another process." }),
      property("businessKey", "What the case is about", { kind: "code", rows: 1, help: "An expression over the fields of the start form, like room; lists and messages name the case by it." }),
    ],
  };
}

// The operators that work outside the case: what comes after them may be a process of its own.
function followed(chosen, { operators }) {
  const known = operators.filter(({ effect }) => effect === "effect").map(({ name, title }) => ({ value: name, label: `${title} (${name})` }));
  const missing = chosen && !known.some(({ value }) => value === chosen) ? [{ value: chosen, label: `${chosen} (not known here)` }] : [];
  return [{ value: "", label: "Nothing: people or triggers start it" }, ...known, ...missing];
}

function what(element, object, definition, tools) {
  if (is(object, "bpmn:ReceiveTask") || is(object, "bpmn:SendTask")) return message(element, object, object, tools);
  switch (definition?.$type) {
    case "bpmn:TimerEventDefinition":
      return timer(element, object, definition, tools);
    case "bpmn:MessageEventDefinition":
      return message(element, object, definition, tools);
    case "bpmn:ErrorEventDefinition":
      return [named(element, definition, tools, { type: "bpmn:Error", reference: "errorRef", attribute: "errorCode", label: "Error code", help: "Empty: every error.", list: errorCodes(object, tools) })];
    case "bpmn:EscalationEventDefinition":
      return [named(element, definition, tools, { type: "bpmn:Escalation", reference: "escalationRef", attribute: "escalationCode", label: "Escalation code", help: "“cancel” at the edge of a user task lets staff cancel it with a reason.", list: ["cancel"] })];
    case "bpmn:SignalEventDefinition":
      return [named(element, definition, tools, { type: "bpmn:Signal", reference: "signalRef", attribute: "name", label: "Signal" })];
    case "bpmn:ConditionalEventDefinition":
      return [expression(element, definition, "condition", "When", "An expression; the event happens when it becomes true.", tools)];
    default:
      return [];
  }
}

const MISSED = [
  { value: "", label: "Made up for, one after the other" },
  { value: "skip", label: "Left out" },
];

function timer(element, object, definition, { modeling, moddle, extensions }) {
  const kind = TIMES.map(({ value }) => value).find((name) => definition[name]) ?? "timeDuration";
  const write = (name, body) => {
    const made = moddle.create("bpmn:FormalExpression", { body });
    made.$parent = definition;
    const nothing = { timeDuration: undefined, timeDate: undefined, timeCycle: undefined };
    modeling.updateModdleProperties(element, definition, { ...nothing, [name]: made });
  };
  const body = definition[kind]?.body ?? "";
  const missed = { key: "missed", label: "Times that passed while nothing ran", kind: "select", value: extensions.property(object, "missed"), options: MISSED, set: (value) => extensions.setProperty(element, object, "missed", value) };
  return [
    { key: "timer", label: "Kind of time", kind: "select", value: kind, options: TIMES, set: (name) => write(name, body) },
    { key: "time", label: TIMES.find(({ value }) => value === kind).label, kind: "code", rows: 1, value: body, set: (text) => write(kind, text.trim()), help: TIME_HELP[kind], duration: kind === "timeDuration" },
    ...(kind === "timeCycle" ? [missed] : []),
  ];
}

// A message is known by its name; what it brings enters the data under a name of its own.
function message(element, object, definition, tools) {
  const { extensions } = tools;
  const name = named(element, definition, tools, { type: "bpmn:Message", reference: "messageRef", attribute: "name", label: "Message", help: "Under this name it is sent or awaited." });
  const set = (value) => extensions.setProperty(element, object, "resultVariable", value.trim());
  const brings = { key: "resultVariable", label: "Name of what it brings", mono: true, placeholder: object.id, value: extensions.property(object, "resultVariable"), set, help: "Later expressions read the message under this name." };
  if (!is(object, "bpmn:ThrowEvent") && !is(object, "bpmn:SendTask")) return [name, brings];
  if (extensions.operator(object).id) return name.value ? [name] : []; // the operator sends it
  return [name, ...thrown(element, object, tools)];
}

// Whom a thrown message is for and what goes along.
function thrown(element, object, { extensions }) {
  const field = (key, label, help, more) => ({
    key, label, help, value: extensions.property(object, key), ...more,
    set: (value) => extensions.setProperty(element, object, key, value.trim()),
  });
  return [
    field("businessKey", "For the case about", "An expression for what the waiting case is about, like patient_id.", { kind: "code", rows: 1 }),
    field("contents", "Contents", "An expression for a record, like {\"sum\": total}; may be empty.", { kind: "code", rows: 2 }),
    field("resultVariable", "Name of what became of it", "Later expressions read under this name whether it was delivered.", { mono: true, placeholder: object.id }),
  ];
}

function expression(element, definition, name, label, help, { modeling, moddle }) {
  const set = (body) => {
    const made = body.trim() ? moddle.create("bpmn:FormalExpression", { body: body.trim() }) : undefined;
    if (made) made.$parent = definition;
    modeling.updateModdleProperties(element, definition, { [name]: made });
  };
  return { key: name, label, kind: "code", rows: 2, value: definition[name]?.body ?? "", set, help };
}

// A reference to a message, error, … of the whole file, by its name; created if there is none yet.
function named(element, definition, { modeler, moddle, several }, { type, reference, attribute, label, help, list = [] }) {
  const definitions = modeler.getDefinitions();
  const there = definitions.rootElements.filter((one) => one.$type === type);
  const known = there.map((one) => one[attribute]).filter(Boolean);
  const set = (text) => {
    const word = text.trim();
    const found = there.find((one) => (one[attribute] ?? "") === word);
    if (!word) return several([update(element, definition, { [reference]: undefined })]);
    if (found) return several([update(element, definition, { [reference]: found })]);
    const made = moddle.create(type, { [attribute]: word, name: word });
    made.id = moddle.ids.nextPrefixed(`${type.replace("bpmn:", "")}_`, made);
    made.$parent = definitions;
    several([
      update(element, definitions, { rootElements: [...definitions.rootElements, made] }),
      update(element, definition, { [reference]: made }),
    ]);
  };
  return { key: reference, label, value: definition[reference]?.[attribute] ?? "", list: [...new Set([...list, ...known])], set, help };
}

function errorCodes(object, { extensions, facts }) {
  const host = object.attachedToRef;
  const called = host ? extensions.operator(host).id : "";
  return facts.operators.find((one) => one.name === called)?.errors ?? [];
}
