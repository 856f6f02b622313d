// The diagram of a draft: bpmn-js draws, our panel (panel.js) edits what the engine understands, the gate on the server
// judges while people type, and every change is saved automatically (draft-file.js).
import Modeler from "bpmn-js/lib/Modeler";
import minimap from "diagram-js-minimap";
import { ClipboardModule } from "./clipboard.js";
import { describer } from "./describe.js";
import { scripts } from "./describe-tasks.js";
import { DraftFile, actions, element, facts, styles } from "./draft-file.js";
import { drawn, isDrawn } from "./drawn.js";
import { exchange } from "./exchange.js";
import { Extensions } from "./extensions.js";
import { flush } from "./fields.js";
import { Findings } from "./findings.js";
import { Outline } from "./outline.js";
import { paintFindings, paintPath } from "./paint.js";
import { Panel } from "./panel.js";
import { keepReferences, showLosses, showUnreadable } from "./references.js";
import { changeFor } from "./remedies.js";
import { Room } from "./room.js";
import { SeveralModule } from "./several.js";
import { reveal } from "./sight.js";
import { Simulation } from "./simulation.js";
import { Sizes } from "./sizes.js";
import spiff from "./spiff.json";
import { TidyModule, tidier } from "./tidy.js";
import { WalkModule } from "./walk.js";
import { nameOf } from "./words.js";

export async function editDiagram(bench) {
  const known = facts();
  const host = bench.querySelector("[data-canvas]");
  await Promise.all([styles("modeler.css"), document.fonts.ready]); // names are measured while they are drawn
  const modeler = opened(host);
  let opening = ""; // what could not be drawn is saved as it was, not as nothing
  const read = async () => (isDrawn(modeler) ? (await modeler.saveXML({ format: true })).xml : opening);
  const properties = bench.querySelector("[data-properties]");
  const settle = () => (flush(properties), modeler.get("directEditing").complete());
  const reopen = async (text) => {
    const view = modeler.get("canvas").viewbox();
    await drawn(modeler, text);
    modeler.get("canvas").viewbox(view);
    findings.soon(read);
  };
  const file = new DraftFile(known, read, settle, reopen);
  const text = (opening = await file.recover(await stored(known, file)));
  const show = (id, { open = true } = {}) => reveal(modeler, id) && open && panel.focus();
  const outline = new Outline(bench.querySelector("[data-outline]"), modeler, show);
  const used = tools(modeler, known, show);
  const panel = new Panel(properties, modeler, describer(used), (element) => outline.focus(element?.id));
  const findings = new Findings(known, {
    about: (id) => aboutElement(modeler, id, used),
    painted: (mine) => (paintPath(modeler, []), paintFindings(modeler, mine), outline.mark(mine)),
  });
  const changed = () => {
    file.changed();
    findings.soon(read);
  };
  const sizes = new Sizes(host, modeler);
  await open(modeler, sizes, text, known);
  modeler.on("commandStack.changed", changed);
  findings.begin();
  outline.show();
  const commands = modeler.get("commandStack");
  const simulation = new Simulation(bench, modeler);
  const tidy = tidier(modeler, sizes, file);
  const { exportDiagram, exportPicture, importDiagram } = exchange(modeler, sizes, file, { changed, settle });
  actions({
    undo: () => commands.canUndo() && commands.undo(),
    redo: () => commands.canRedo() && commands.redo(),
    save: () => file.save(),
    export: exportDiagram,
    svg: exportPicture,
    import: importDiagram,
    simulate: () => simulation.toggle(),
    tidy,
  });
  shortcuts(modeler);
  const asked = decodeURIComponent(location.hash.slice(1));
  if (asked) show(asked);
}

function opened(host) {
  const sheet = element("div", "guest");
  host.replaceChildren(sheet);
  return new Modeler({
    container: sheet,
    additionalModules: [minimap, ClipboardModule, SeveralModule, TidyModule, WalkModule],
    moddleExtensions: { spiffworkflow: spiff },
    bpmnRenderer: { defaultFillColor: "var(--dg-shape)", defaultStrokeColor: "var(--dg-stroke)", defaultLabelColor: "var(--ink)" },
    // Inter is wider than the Arial that labels are measured for in most files.
    textRenderer: { defaultStyle: { fontFamily: getComputedStyle(host).fontFamily }, externalStyle: { fontSize: 10 } },
    minimap: { open: false },
  });
}

async function open(modeler, sizes, text, known) {
  keepReferences(modeler);
  try {
    showLosses(await drawn(modeler, text));
  } catch (problem) {
    const ways = element("p");
    const mend = Object.assign(element("a", "", "Mend its text"), { href: known.urls.text });
    ways.append(mend, ", import another file over it (File), or discard the draft and begin again. Nothing was changed.");
    showUnreadable(known.file, problem, ways);
  }
  sizes.show();
}

// The file as the server has it; its ETag is the one the next save names.
async function stored(known, file) {
  const answer = await fetch(known.urls.file);
  if (!answer.ok) throw new Error(`The file's address answered ${answer.status}.`);
  const etag = (answer.headers.get("ETag") ?? "").replaceAll('"', "");
  if (etag) file.etag = known.etag = etag;
  return answer.text();
}

function tools(modeler, known, show) {
  const modeling = modeler.get("modeling");
  const registry = modeler.get("elementRegistry");
  const found = {
    modeler,
    modeling,
    show,
    nameOf,
    facts: known,
    moddle: modeler.get("moddle"),
    extensions: new Extensions(modeler),
    room: new Room(modeler),
    together: (act) => modeler.get("commandStack").execute("usher.together", { act }),
    several: (commands) => modeler.get("commandStack").execute("usher.several", { commands }),
    addressOf: (path) => known.urls.editor.replace("PATH", path),
    lanes: () => registry.filter((one) => one.type === "bpmn:Lane").map((one) => one.businessObject.name).filter(Boolean),
    nodes: () => registry.filter((one) => !one.labelTarget && one.businessObject?.$instanceOf?.("bpmn:FlowNode")),
  };
  found.scriptsOf = (element, object) => scripts(element, object, found);
  return found;
}

function aboutElement(modeler, id, used) {
  const registry = modeler.get("elementRegistry");
  const element = registry.get(id) ?? registry.find((one) => one.businessObject?.processRef?.id === id);
  if (!element) return null;
  const mend = (remedy) => changeFor(used, element, remedy);
  const look = (one) => one && used.show(one.id, { open: false });
  return { label: nameOf(element), show: (path) => (used.show(element.id), paintPath(modeler, path)), mend, look };
}

// Ctrl+F and Ctrl+Z work wherever the focus is, but not while typing.
function shortcuts(modeler) {
  const act = modeler.get("editorActions");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], .djs-container, dialog");
    if (typing || !(event.ctrlKey || event.metaKey)) return;
    const name = { f: "find", z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
    if (!name) return;
    event.preventDefault();
    act.trigger(name);
  });
}
