// What tasks have: the form and who gets it, the service operator with its parameters, scripts, decisions, repetition.
import { is } from "bpmn-js/lib/util/ModelUtil";

const DURATION = "Like 2 days, 4 hours or 1 day 12 hours.";
const DUE = "Like 2 days, 4 hours, or 3 working days of the practice.";
const DUES = ["1 day", "2 days", "1 week", "1 working day", "2 working days", "3 working days", "5 working days"];

export function work(element, object, { extensions, facts, addressOf, lanes }) {
  const property = (name, label, more = {}) => ({
    key: name,
    label,
    value: extensions.property(object, name),
    set: (value) => extensions.setProperty(element, object, name, value.trim()),
    ...more,
  });
  const form = extensions.property(object, "form");
  const forms = [...new Set([...facts.forms, ...(form ? [form] : [])])];
  const options = [{ value: "", label: "None: a message and a button" }, ...forms.map((value) => ({ value, label: facts.forms.includes(value) ? value : `${value} (missing)` }))];
  const link = form && facts.forms.includes(form) ? { label: "Edit this form", url: addressOf(form) } : undefined;
  return {
    title: "Work",
    fields: [
      { key: "message", label: "Message to staff", kind: "area", rows: 5, complete: "template", value: extensions.text(object, "InstructionsForEndUser"), set: (text) => extensions.setText(element, object, "InstructionsForEndUser", text), help: "The first line is the headline. {{ … }} holds an expression." },
      property("form", "Form", { kind: "select", options, link }),
      property("candidateGroups", "Group", { list: [...new Set([...facts.groups, ...lanes()])], help: groupHelp(extensions.property(object, "candidateGroups"), [...facts.groups, ...lanes()]) }),
      property("dueIn", "Due in", { placeholder: "2 days", help: DUE, list: DUES, duration: true }),
      ...(facts.followUp ? [property("followUp", "Follow up in", { placeholder: "1 day", help: DURATION, duration: true })] : []),
      property("priority", "Priority", { placeholder: "50", help: "0 to 100, higher first." }),
      property("initialValues", "What the form begins with", { kind: "code", help: "An expression that gives a record, like {\"reason\": patient.status}" }),
      property("resultVariable", "Name of the answer", { mono: true, placeholder: object.id, help: "Later expressions read the answer under this name." }),
    ],
  };
}

// Groups are separated by commas. Warns of a group without members, since nobody reads its inbox.
function groupHelp(text, known) {
  const strangers = text.split(",").map((name) => name.trim()).filter((name) => name && !known.includes(name));
  if (strangers.length > 0) return `Nobody is in “${strangers.join("”, “")}” yet. Several groups stand between commas.`;
  return "Whose inbox it comes to; several between commas. Empty: the group named like the lane.";
}

// *without* says what it does where no operator is chosen.
export function service(element, object, { extensions, facts }, without = "Choose…") {
  const call = extensions.operator(object);
  const operator = facts.operators.find((one) => one.name === call.id);
  const write = (changes) => extensions.setOperator(element, object, { ...extensions.operator(object), ...changes });
  const known = facts.operators.map(({ name, title }) => ({ value: name, label: `${title} (${name})` }));
  const options = [{ value: "", label: without }, ...known, ...(call.id && !operator ? [{ value: call.id, label: `${call.id} (not known here)` }] : [])];
  const parameter = (name, { kind = "any", required = false, help = "", unknown = false, values = [] } = {}) => ({
    key: `parameter:${name}`,
    values: [...values.map(asValue), ...(operator?.mails ? mailValues(name, facts.templates) : [])],
    label: `${name}${required ? " *" : ""}`,
    kind: "code",
    rows: 1,
    value: call.parameters[name] ?? "",
    set: (value) => write({ parameters: { ...extensions.operator(object).parameters, [name]: value.trim() } }),
    help: unknown ? "The operator does not know this; empty it to remove it." : `${help ? `${help} ` : ""}An expression that gives ${KINDS[kind] ?? kind}${required ? "" : "; may be empty"}.`,
  });
  const declared = operator?.parameters ?? [];
  const others = Object.keys(call.parameters).filter((name) => !declared.some((one) => one.name === name));
  const refusals = operator?.errors.length ? [{ key: "errors", kind: "note", label: `It may answer no with: ${operator.errors.join(", ")}. An error event at the edge with that code takes over then.` }] : [];
  return {
    title: "Service",
    fields: [
      { key: "operator", label: "What it does", kind: "select", value: call.id, options, set: (id) => write({ id }) },
      ...declared.map((one) => parameter(one.name, one)),
      ...others.map((name) => parameter(name, { unknown: true })),
      ...(call.id || is(object, "bpmn:ServiceTask") ? [{ key: "result", label: "Name of the result", mono: true, value: call.resultVariable, set: (value) => write({ resultVariable: value.trim() }), help: "Later expressions read the answer under this name." }] : []),
      ...refusals,
    ],
  };
}

// What a parameter may be, to choose from: {value, note}.
function asValue(value, note = "") {
  return { value, note };
}

// The mails of the package, and the languages that any of them has.
function mailValues(parameter, templates) {
  const languages = Object.entries(Object.assign({}, ...templates.map((one) => one.languages)));
  if (parameter === "template") return templates.map(({ name, languages: own }) => asValue(name, Object.values(own).join(", ")));
  return parameter === "language" ? languages.map(([tag, word]) => asValue(tag, word)) : [];
}

const KINDS = { text: "text", number: "a number", boolean: "yes or no (True, False)", record: "a record", list: "a list", any: "any value" };

export function script(element, object, { modeling }) {
  const set = (text) => modeling.updateModdleProperties(element, object, { script: text || undefined });
  return { title: "Script", fields: [{ key: "script", label: "Script", kind: "code", complete: "script", rows: 8, value: object.script ?? "", set, help: "One assignment a line, like total = price * 2" }] };
}

export function scripts(element, object, { extensions }) {
  const field = (type, label, also = []) => ({
    also,
    key: type,
    label,
    kind: "code",
    complete: "script",
    rows: 2,
    value: extensions.text(object, type),
    set: (text) => extensions.setText(element, object, type, text),
  });
  const own = [extensions.property(object, "resultVariable") || object.id, extensions.operator(object).resultVariable];
  return { title: "Scripts", fields: [field("PreScript", "Script before"), field("PostScript", "Script after", own)] };
}

export function deciding(element, object, { extensions, facts }) {
  const value = extensions.text(object, "CalledDecisionId");
  const known = facts.decisions.map(({ id, name }) => ({ value: id, label: name ? `${name} (${id})` : id }));
  const missing = value && !facts.decisions.some((one) => one.id === value) ? [{ value, label: `${value} (missing)` }] : [];
  const set = (id) => extensions.setText(element, object, "CalledDecisionId", id);
  return {
    title: "Decision",
    fields: [
      { key: "decision", label: "Decision table", kind: "select", value, options: [{ value: "", label: "Choose…" }, ...known, ...missing], set, help: "The tables are the .dmn files of the package." },
      { key: "resultVariable", label: "Name of the result", mono: true, value: extensions.property(object, "resultVariable"), set: (name) => extensions.setProperty(element, object, "resultVariable", name.trim()), help: "Later expressions read the answer under this name. Empty: each output under its own name." },
    ],
  };
}

// The processes of the package, those of this drawing as they stand now; a process cannot call itself.
export function calling(element, object, { modeling, facts, addressOf, modeler }) {
  const value = object.calledElement ?? "";
  const set = (calledElement) => modeling.updateModdleProperties(element, object, { calledElement: calledElement || undefined });
  const own = modeler.getDefinitions().rootElements.filter((one) => is(one, "bpmn:Process") && one.isExecutable);
  const drawn = own.map(({ id, name }) => ({ id, name, file: facts.file }));
  const known = [...drawn, ...facts.processes.filter(({ file }) => file !== facts.file)].filter(({ id }) => id !== processOf(object)?.id);
  const called = known.find(({ id }) => id === value);
  const options = [
    { value: "", label: "Choose…" },
    ...known.map(({ id, name }) => ({ value: id, label: name ? `${name} (${id})` : id })),
    ...(value && !called ? [{ value, label: `${value} (missing)` }] : []),
  ];
  const link = called && called.file !== facts.file ? { label: "Open its diagram", url: addressOf(called.file) } : undefined;
  const help = known.length > 0 ? undefined : "None yet: add another .bpmn file under “Forms, tables, mails”, and set “Can be run” there.";
  return { title: "Called process", fields: [{ key: "called", label: "Process", kind: "select", options, value, set, link, help }] };
}

function processOf(object) {
  return is(object, "bpmn:Process") ? object : object.$parent && processOf(object.$parent);
}

export function repeating(element, object, { modeling, moddle }) {
  const loop = object.loopCharacteristics;
  if (!loop) return null;
  const update = (changes) => modeling.updateModdleProperties(element, loop, changes);
  const child = (type, attributes) => Object.assign(moddle.create(type, attributes), { $parent: loop });
  const expression = (key, label, help) => ({
    key,
    label,
    kind: "code",
    rows: 1,
    value: loop[key]?.body ?? "",
    set: (body) => update({ [key]: body.trim() ? child("bpmn:FormalExpression", { body: body.trim() }) : undefined }),
    help,
  });
  const reference = (key, label, help) => ({
    key,
    label,
    mono: true,
    value: loop[key]?.id ?? "",
    set: (id) => update({ [key]: id.trim() ? moddle.create("bpmn:ItemAwareElement", { id: id.trim() }) : undefined }),
    help,
  });
  const item = (key, type, label) => ({
    key,
    label,
    mono: true,
    value: loop[key]?.name ?? loop[key]?.id ?? "",
    set: (name) => update({ [key]: name.trim() ? child(type, { id: `${object.id}_${key}`, name: name.trim() }) : undefined }),
  });
  if (loop.$type === "bpmn:StandardLoopCharacteristics") return { title: "Repetition", fields: rounds(loop, update, expression) };
  return {
    title: "Repetition",
    fields: [
      { key: "isSequential", label: "One after the other", kind: "check", value: Boolean(loop.isSequential), set: (isSequential) => update({ isSequential }) },
      expression("loopCardinality", "How many times", "A number or an expression; or give a list."),
      reference("loopDataInputRef", "List", "Name of the list in the data."),
      item("inputDataItem", "bpmn:DataInput", "Name of one item"),
      reference("loopDataOutputRef", "List of results", "Name under which the results are collected."),
      item("outputDataItem", "bpmn:DataOutput", "Name of one result"),
      expression("completionCondition", "Done early when", "An expression that is true when the rest need not be done."),
    ],
  };
}

// A loop: repeats while a condition holds.
function rounds(loop, update, expression) {
  const set = (text) => update({ loopMaximum: /^\d+$/.test(text.trim()) ? Number(text) : undefined });
  return [
    expression("loopCondition", "Again while", "An expression; loopCounter counts the rounds from 1."),
    { key: "testBefore", label: "Ask before the first round", kind: "check", value: Boolean(loop.testBefore), set: (testBefore) => update({ testBefore }) },
    { key: "loopMaximum", label: "At most so many rounds", value: loop.loopMaximum === undefined ? "" : String(loop.loopMaximum), set },
  ];
}
