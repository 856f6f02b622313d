// What can go in where the caret stands in an expression: fields after a point, values after a comparison with one, names
// and functions otherwise. Only looks; completion.js shows and writes.
import { found, namesAt, namesElsewhere, wordsKnown } from "./names.js";

const PATH = /((?:[A-Za-z_]\w*\.)+)(\w*)$/;
const WORD = /(?<![\w."'])[A-Za-z_]\w*$/;
const COMPARED = /((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)\s*(?:==|!=|(?:not\s+)?in\s*\[(?:[^\]]*,)?)\s*("?)([^"\]]*)$/;
const OPENING_LETTERS = 2;
const METHODS = { record: ["method of a record"], text: ["method of a text"], list: ["method of a list"] };

// Answers {from, what, options: [{insert, label, kind, note, perhaps}]}, or nothing. *asked* counts how often it was asked
// for by key: at the second time functions and operators come along, and names that are not set yet at *element*.
// *values* are those the whole expression may be: {value, note}.
export function completions(text, caret, { mode = "expression", asked = 0, element = "", also = [], values: whole = [] } = {}) {
  const names = namesAt(element, also);
  const chosen = wholeValues(text, caret, { whole, asked });
  if (chosen) return chosen;
  const before = expressionBefore(text.slice(0, caret), mode);
  if (before === null) return null;
  const values = valuesFor(before, caret, names);
  if (values) return values;
  if (insideText(before)) return null;
  const path = PATH.exec(before);
  if (path) return fieldsOf(path, caret, { mode, asked, names });
  const typed = WORD.exec(before)?.[0] ?? "";
  if (!asked && typed.length < OPENING_LETTERS) return null;
  const words = typed || asked > 1 ? wordsKnown().filter(({ kind }) => ["function", "operator", "value"].includes(kind)) : [];
  const later = asked > 1 ? namesElsewhere(element).filter(({ name }) => !also.includes(name)) : [];
  const unset = later.map((one) => ({ ...asName(one), note: `not set before this step · ${one.title}` }));
  const options = [...names.map(asName), ...words.map(asWord), ...unset].filter(({ label }) => fits(label, typed));
  return answer(caret - typed.length, options, typed, "name");
}

// A message holds expressions in braces only.
function expressionBefore(text, mode) {
  if (mode !== "template") return text;
  const open = text.lastIndexOf("{{");
  return open < 0 || text.indexOf("}}", open) >= 0 ? null : text.slice(open + 2);
}

function fieldsOf([, path, typed], caret, { mode, asked, names }) {
  const owner = found(path.slice(0, -1).split("."), names);
  const fields = (owner?.fields ?? []).map(asName);
  const kinds = METHODS[owner?.kind] ?? Object.values(METHODS).flat(); // of what is not known: a record first
  const methods = asked > 1 || fields.length === 0 || typed ? kinds.flatMap((kind) => wordsKnown().filter((word) => word.kind === kind && (mode === "script" || !word.script_only))) : [];
  const once = new Map(methods.map((word) => [word.name, asWord(word)]));
  const options = [...fields, ...once.values()].filter(({ label }) => fits(label, typed));
  return answer(caret - typed.length, options, typed, "field");
}

function valuesFor(before, caret, names) {
  const compared = COMPARED.exec(before);
  const values = compared && found(compared[1].split("."), names)?.enum;
  if (!values) return null;
  const [, , quote, typed] = compared;
  const options = values.filter((value) => fits(String(value), typed)).map((value) => ({ insert: JSON.stringify(value), label: String(value), kind: "value", note: "" }));
  return answer(caret - typed.length - quote.length, options, typed, "value");
}

// Where nothing but the beginning of a value stands in the field.
function wholeValues(text, caret, { whole, asked }) {
  const begun = /^\s*"?([^"]*)"?\s*$/.exec(text);
  if (whole.length === 0 || !begun || (!asked && !text.trim()) || asked > 1) return null;
  const typed = asked && whole.some(({ value }) => JSON.stringify(value) === text.trim()) ? "" : begun[1]; // all, to choose again
  const options = whole.filter(({ value }) => fits(String(value), typed)).map(({ value, note }) => ({ insert: JSON.stringify(value), label: String(value), kind: "value", note, to: text.length }));
  const only = options.length === 1 && options[0].insert === text.trim();
  return options.length === 0 || only || caret < text.trimEnd().length ? null : { from: 0, what: "value", options };
}

function answer(from, options, typed, what) {
  const begins = (one) => (one.label.toLowerCase().startsWith(typed.toLowerCase()) ? 0 : 1);
  const only = options.length === 1 && options[0].insert === typed;
  return options.length === 0 || only ? null : { from, what, options: options.sort((one, other) => begins(one) - begins(other)) };
}

function asName({ name, title = "", kind, perhaps }) {
  return { insert: name, label: name, kind: kind === "any" ? "" : kind, note: title, perhaps: Boolean(perhaps) };
}

function asWord({ usage, kind, note }) {
  // The caret goes where something is put in.
  return { insert: usage.replace("…", ""), inside: usage.includes("…)"), label: usage, kind: kind.startsWith("method") ? "" : kind, note };
}

function fits(label, typed) {
  return label.toLowerCase().includes(typed.toLowerCase());
}

function insideText(before) {
  let quote = "";
  for (let at = 0; at < before.length; at += 1) {
    if (before[at] === "\\") at += 1;
    else if (quote) quote = before[at] === quote ? "" : quote;
    else if (before[at] === '"' || before[at] === "'") quote = before[at];
  }
  return quote !== "";
}
