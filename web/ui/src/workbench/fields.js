// The fields of the properties panel, made from a description: {key, label, kind, value, set, at, …}; `at` is the element. A field is written a
// moment after the last key and when it loses the focus; text being typed is never overwritten.
import { complete } from "./completion.js";
import { element } from "./draft-file.js";
import { durationProblem, durationWords, isoDuration } from "./durations.js";
import { straightened } from "./quotes.js";

const PAUSE_MS = 400;
const LETTERS_MS = 1200; // in a list; browsers take letters a second apart as one word

// How a kind of field stands in the input: `show` a value as people read it, `read` what they typed, `aside` what is stored
// in quiet letters below, `problem` why what they typed cannot be read.
const DURATION = { show: (value) => durationWords(value) || value, read: isoDuration, aside: (value) => (durationWords(value) ? value : ""), problem: durationProblem };
const EXPRESSION = { show: (value) => value, read: straightened, aside: () => "", problem: () => "" };
const PLAIN = { show: (value) => value, read: (text) => text, aside: () => "", problem: () => "" };

function codec(field) {
  if (field.duration) return DURATION;
  return field.kind === "code" ? EXPRESSION : PLAIN;
}

export function makeField(field) {
  const outer = element("div", `field${field.kind === "check" ? " check" : ""}`);
  outer.dataset.field = field.key;
  if (field.kind === "note") return note(outer, field);
  if (field.kind === "action") return action(outer, field);
  const id = `p-${field.key.replaceAll(/[^\w-]/g, "_")}`;
  const input = control(field);
  input.id = id;
  const label = element("label", "", field.kind === "check" ? "" : field.label);
  label.htmlFor = id;
  if (field.kind === "check") label.append(input, element("span", "", field.label));
  outer.append(label);
  if (field.kind !== "check") outer.append(input);
  const mode = field.complete ?? (field.kind === "code" ? "expression" : "");
  if (mode) complete(input, mode, () => ({ element: input.usherField.at, also: input.usherField.also, values: input.usherField.values }));
  if (field.list) outer.append(suggestions(input, field));
  if (field.duration) outer.append(element("code", "iso quiet"));
  help(outer, input, field);
  listen(input, field);
  write(input, field);
  return outer;
}

// Updates a field without disturbing the person typing in it, or losing what was typed in it a moment ago.
export function refresh(outer, field) {
  const input = outer.querySelector("input, textarea, select");
  if (!input || field.kind === "action") return;
  input.usherField = field;
  if ((document.activeElement !== input && !input.usherWaits) || field.kind === "select") write(input, field);
  const message = outer.querySelector(".msg");
  if (message && field.help) message.textContent = field.help;
}

// Writes at once any input that is still waiting for a pause.
export function flush(panel) {
  for (const input of panel.querySelectorAll("input, textarea, select")) commit(input);
}

function control(field) {
  if (field.kind === "select") {
    const select = document.createElement("select");
    select.append(...field.options.map(({ value, label }) => Object.assign(document.createElement("option"), { value, textContent: label })));
    return select;
  }
  if (field.kind === "area" || field.kind === "code") {
    const area = Object.assign(document.createElement("textarea"), { rows: field.rows ?? 2, spellcheck: field.kind === "area" });
    if (field.kind === "code") area.className = "mono";
    return area;
  }
  const input = document.createElement("input");
  input.type = field.kind === "check" ? "checkbox" : "text";
  input.autocomplete = "off";
  if (field.mono) input.className = "mono";
  if (field.placeholder) input.placeholder = field.placeholder;
  return input;
}

function suggestions(input, field) {
  const list = document.createElement("datalist");
  list.id = `${input.id}-list`;
  list.append(...field.list.map((value) => Object.assign(document.createElement("option"), { value })));
  input.setAttribute("list", list.id);
  return list;
}

function help(outer, input, field) {
  if (!field.help && !field.link) return;
  const message = element("p", "msg", field.help ?? "");
  message.id = `${input.id}-m`;
  input.setAttribute("aria-describedby", message.id);
  if (field.link) {
    const link = element("a", "", field.link.label);
    link.href = field.link.url;
    message.append(field.help ? " " : "", link);
  }
  outer.append(message);
}

function note(outer, field) {
  outer.append(element("p", "msg", field.label));
  return outer;
}

// A choice and a button that does it: the next step, a connection, an event.
function action(outer, field) {
  const id = `p-${field.key}`;
  const button = element("button", `btn small${field.danger ? " danger" : ""}`, field.button);
  button.type = "button";
  if (!field.options) {
    button.addEventListener("click", () => field.act());
    outer.append(button);
    return outer;
  }
  const select = control({ kind: "select", options: field.options });
  select.id = id;
  const label = element("label", "", field.label);
  label.htmlFor = id;
  const row = element("div", "row");
  button.addEventListener("click", () => field.act(select.value));
  row.append(select, button);
  outer.append(label, row);
  return outer;
}

function listen(input, field) {
  input.usherField = field;
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    input.usherWaits = true; // what stands in it is not written yet
    timer = setTimeout(() => commit(input), input.matches("select") ? LETTERS_MS : PAUSE_MS);
  };
  const now = () => {
    clearTimeout(timer);
    commit(input);
  };
  if (input.matches("select")) return listenToChoice(input, soon, now);
  if (input.matches("[type=checkbox]")) return input.addEventListener("change", now);
  input.addEventListener("input", soon);
  input.addEventListener("change", now);
}

// Letters and arrows go through the options one by one: to draw the panel again after each would forget the letters.
function listenToChoice(select, soon, now) {
  let byKeys = false;
  select.addEventListener("pointerdown", () => (byKeys = false));
  select.addEventListener("keydown", ({ key }) => (key === "Tab" || key === "Enter" ? now() : (byKeys = true)));
  select.addEventListener("change", () => (byKeys ? soon() : now()));
}

function commit(input) {
  const field = input.usherField;
  if (!field) return;
  input.usherWaits = false;
  const typed = read(input);
  const { read: meant, problem: unreadable } = codec(field);
  const value = typeof typed === "string" ? meant(typed) : typed;
  const problem = (typeof typed === "string" && unreadable(typed)) || field.check?.(value) || "";
  if (value === field.value && !problem && !input.hasAttribute("aria-invalid")) return write(input, field, { typing: true });
  input.toggleAttribute("aria-invalid", Boolean(problem));
  input.closest(".field").classList.toggle("bad", Boolean(problem));
  if (problem) return showMessage(input, problem);
  showMessage(input, field.help ?? "");
  if (value === field.value) return write(input, field, { typing: true });
  field.value = value;
  write(input, field, { typing: true });
  field.set(value);
}

function showMessage(input, words) {
  let place = input.closest(".field").querySelector(".msg");
  if (!place && words) {
    place = element("p", "msg");
    place.id = `${input.id}-m`;
    input.setAttribute("aria-describedby", place.id);
    input.closest(".field").append(place);
  }
  if (place && !place.querySelector("a")) place.textContent = words;
}

function read(input) {
  return input.type === "checkbox" ? input.checked : input.value;
}

// While somebody types, only letters are put right, one for one, so that the caret stays.
function write(input, field, { typing = false } = {}) {
  if (input.type === "checkbox") return void (input.checked = Boolean(field.value));
  const { show, aside } = codec(field);
  const text = show(field.value);
  const stored = input.closest(".field")?.querySelector(".iso");
  if (stored) stored.textContent = aside(field.value);
  if (input.value === text || (typing && input.value.length !== text.length)) return;
  const { selectionStart } = input;
  input.value = text;
  if (typing && document.activeElement === input) input.setSelectionRange(selectionStart, selectionStart);
}
