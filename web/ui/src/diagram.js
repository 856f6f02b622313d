// Draws BPMN files and, where there is one, the way a case took through them. Read-only; the text next to it has the same content.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { watchCalls } from "./diagram-calls.js";
import { Drawings } from "./drawings.js";
import { firstDrawn, moveTogether } from "./diagram-parting.js";

const viewers = new WeakMap();

// The viewer that drew into *host*; none where that did not work.
export function viewerOf(host) {
  return viewers.get(host);
}

export async function drawDiagram(host) {
  try {
    const [way] = await Promise.all([wayOf(host), styles()]);
    await draw(host, drawingsOf(host), way);
  } catch (problem) {
    host.replaceChildren(paragraph("The diagram could not be drawn. The list of steps says the same in words."));
    console.error(problem);
  }
  host.dataset.drawn = "1";
}

// *list* is what drawings.js calls diagrams; answers with its Drawings.
export async function draw(host, list, way) {
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
  const drawings = new Drawings(host, viewer, list, way);
  viewers.set(host, Object.assign(viewer, { drawings }));
  watchCalls(drawings);
  await drawings.start();
  viewer.drawn = true;
  if (host.dataset.diagramPair !== undefined) pair(host, viewer);
  return drawings;
}

function pair(host, viewer) {
  const others = [...(host.closest(".pair, .sides")?.querySelectorAll("[data-diagram-pair]") ?? [])].filter((one) => one !== host);
  const other = others.map(viewerOf).find((one) => one?.drawn);
  if (!other) return;
  const ids = (host.dataset.diagramFocus ?? "").split(" ");
  moveTogether(other, viewer, host.dataset.diagramFirst === undefined ? ids : firstDrawn([other, viewer], ids));
}

// All diagrams of the package, or the one that the page shows.
function drawingsOf(host) {
  const several = document.getElementById(`${host.id}-drawings`);
  if (several) return JSON.parse(several.textContent);
  return [{ key: "", name: "", url: host.dataset.diagramUrl, page: host.dataset.diagramPage, calls: {}, elements: [] }];
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
