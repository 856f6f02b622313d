// Draws a BPMN file and, where there is one, the way a case took through it. Read-only; the text next to it has the same content.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { Tools } from "./diagram-tools.js";
import { paintHeat } from "./diagram-heat.js";
import { asWay, paintParting } from "./diagram-parting.js";
import { forgetWay, paintWay } from "./diagram-way.js";

const viewers = new WeakMap();

// The viewer that drew into *host*; none where that did not work.
export function viewerOf(host) {
  return viewers.get(host);
}

export async function drawDiagram(host) {
  try {
    const [xml, way] = await Promise.all([text(host.dataset.diagramUrl), wayOf(host), styles()]);
    await draw(host, xml, way);
  } catch (problem) {
    host.replaceChildren(paragraph("The diagram could not be drawn. The list of steps says the same in words."));
    console.error(problem);
  }
  host.dataset.drawn = "1";
}

export async function draw(host, xml, way) {
  const sheet = Object.assign(document.createElement("div"), { className: "sheet guest" });
  host.replaceChildren(sheet);
  host.setAttribute("role", "region");
  host.setAttribute("aria-label", host.dataset.diagramLabel ?? "Process diagram");
  await document.fonts.ready; // names are measured while they are drawn
  const fontFamily = getComputedStyle(host).fontFamily;
  const viewer = new NavigatedViewer({
    container: sheet,
    bpmnRenderer: {
      defaultFillColor: "var(--dg-shape)",
      defaultStrokeColor: way ? "var(--dg-faint)" : "var(--dg-stroke)",
      defaultLabelColor: way ? "var(--dg-faint-ink)" : "var(--ink)",
    },
    textRenderer: { defaultStyle: { fontFamily } },
  });
  viewer.on("import.render.start", ({ definitions }) => prepare(definitions));
  const { warnings } = await viewer.importXML(xml);
  host.dataset.warnings = warnings.length; // what bpmn-js did not understand; nothing of what Usher itself has written
  if (way?.shared) paintParting(viewer, way);
  else if (way) paintWay(viewer, way);
  if (host.dataset.heat) paintHeat(viewer, JSON.parse(document.getElementById(host.dataset.heat).textContent));
  const tools = new Tools(host, viewer, way?.shared ? asWay(way) : way);
  tools.show();
  viewers.set(host, Object.assign(viewer, { tools }));
}

// Another version of the diagram in place of the one *host* shows: its address with *query*.
export async function redraw(host, query) {
  const viewer = viewerOf(host);
  forgetWay(viewer);
  await viewer.importXML(await text(`${host.dataset.diagramUrl.split("?")[0]}?${query}`));
  viewer.tools.fit();
}

// The file as this page shows it: no colours of its own (they would fight with the way taken and with the dark theme),
// lanes fainter than what happens in them, labels wide enough that no word breaks.
function prepare(definitions) {
  for (const part of definitions.diagrams.flatMap(({ plane }) => plane.planeElement)) {
    for (const name of ["color:background-color", "bioc:fill", "bioc:stroke"]) part.set(name, undefined);
    const frame = ["bpmn:Participant", "bpmn:Lane"].includes(part.bpmnElement?.$type);
    part.set("color:border-color", frame ? "var(--dg-lane)" : undefined);
    part.label?.set("color:color", undefined);
    widen(part.label?.bounds, part.bpmnElement?.name ?? "");
  }
}

const LETTER = 7; // diagram units: a wide letter of a label

function widen(bounds, name) {
  if (!bounds) return;
  const missing = Math.max(...name.split(/\s+/).map((word) => word.length)) * LETTER - bounds.width;
  if (missing <= 0) return;
  bounds.x -= missing / 2;
  bounds.width += missing;
}

async function text(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`The diagram's address answered ${answer.status}.`);
  return answer.text();
}

async function wayOf(host) {
  const { path, pathUrl } = host.dataset;
  if (path) return JSON.parse(document.getElementById(path).textContent);
  return pathUrl ? JSON.parse(await text(pathUrl)) : null;
}

// Only pages with a diagram load its styles; resolved relative to the entry script, wherever that is served from.
function styles() {
  const entry = document.querySelector('script[src*="main.js"]').src;
  const link = Object.assign(document.createElement("link"), {
    rel: "stylesheet",
    href: entry.replace("main.js", "diagram.css"),
  });
  return new Promise((resolve) => {
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}

function paragraph(words) {
  return Object.assign(document.createElement("p"), { className: "loading s", textContent: words });
}
