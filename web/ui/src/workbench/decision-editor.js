// A decision table: dmn-js draws and edits, the server checks and keeps it.
import DmnModeler from "dmn-js/lib/Modeler";
import { DraftFile, actions, element, facts, styles } from "./draft-file.js";
import { Findings } from "./findings.js";
import { found, namesAtAll } from "./names.js";
import { Pauses } from "./pauses.js";

export async function editDecision(host) {
  const known = facts();
  let modeler = null;
  const read = async () => (await modeler.saveXML({ format: true })).xml;
  const pauses = new Pauses();
  const reopen = async (merged) => {
    await modeler.importXML(merged);
    await openTable(modeler);
    findings.soon(read);
  };
  const file = new DraftFile(known, read, () => pauses.settle(), reopen);
  const findings = new Findings(known);
  await styles("decision-editor.css");
  const text = await file.recover(facts("text"));
  modeler = new DmnModeler({ container: host, common: { dataTypes: known.types, feelLanguageContext: language(known) }, ...pausing(pauses) });
  const changed = () => {
    file.changed();
    findings.soon(read);
  };
  const watched = new WeakSet();
  modeler.on("views.changed", ({ activeView, views }) => {
    tabs(modeler, views, activeView);
    requestAnimationFrame(() => nameHeaders(host));
    const viewer = modeler.getActiveViewer();
    if (!viewer || watched.has(viewer)) return;
    watched.add(viewer);
    viewer.on("commandStack.changed", changed);
  });
  try {
    await modeler.importXML(text);
    await openTable(modeler);
  } catch (problem) {
    host.textContent = `This table cannot be opened here: ${problem.message}. Download it from the list of files and repair it.`;
  }
  const commands = () => modeler.getActiveViewer().get("commandStack");
  actions({ save: () => file.save(), undo: () => commands().undo(), redo: () => commands().redo() });
  findings.begin();
}

// What cells are completed with: the functions of Usher's language, in place of FEEL's.
function language({ words }) {
  const functions = words.filter((one) => one.kind === "function");
  const builtins = functions.map(({ name, usage, note }) => ({ name, type: "function", detail: note, params: usage.includes("…") ? [{ name: "…" }] : [] }));
  return { builtins };
}

// The names that are set where the decision is taken, in cells and in the expressions of columns; in a cell of an input
// the values that it can have too.
class CellNames {
  static $inject = ["injector"];

  constructor(injector) {
    const getVariables = (others, cell) => [...values(cell), ...known().map(variable), ...others];
    injector.get("variableResolver", false)?.registerProvider({ getVariables });
  }
}

function known() {
  return namesAtAll(facts().callers);
}

function values(cell) {
  const place = cell?.$parent?.inputEntry?.indexOf(cell) ?? -1;
  const column = place < 0 ? null : cell.$parent.$parent?.input?.[place];
  const path = column?.inputExpression?.text?.trim().split(".") ?? [];
  return (found(path, known())?.enum ?? []).map((value) => ({ name: JSON.stringify(value), detail: "value" }));
}

function variable({ name, title, fields }) {
  return { name, detail: title, entries: (fields ?? []).map(variable) };
}

// Each kind of view has modules of its own.
function pausing(pauses) {
  const names = { __init__: ["usherNames"], usherNames: ["type", CellNames] };
  const options = { additionalModules: [{ debounceInput: ["value", pauses.later] }, names] };
  return Object.fromEntries(["drd", "decisionTable", "literalExpression", "boxedExpression"].map((view) => [view, options]));
}

// A file with one decision opens at its table, not at the drawing of all decisions.
async function openTable(modeler) {
  const tables = modeler.getViews().filter((view) => view.type === "decisionTable");
  if (tables.length === 1) await modeler.open(tables[0]);
}

function tabs(modeler, views, active) {
  const links = views.map((view) => {
    const link = element("a", "", view.type === "drd" ? "All decisions" : view.name || view.id);
    link.href = "#";
    if (view.element === active?.element && view.type === active?.type) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      modeler.open(view);
    });
    return link;
  });
  document.querySelector("[data-views]").replaceChildren(...(views.length > 1 ? links : []));
}

// The header above the numbers of the rules has no words; it must not count as one.
function nameHeaders(host) {
  for (const header of host.querySelectorAll("th.index-column:empty")) header.setAttribute("role", "presentation");
}
