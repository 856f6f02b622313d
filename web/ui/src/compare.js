// Two versions of a diagram side by side: what changed is marked in both, they move together, a change in the list
// leads to its element, and an element to its change.
import { viewerOf } from "./diagram.js";
import { paintChanges } from "./diagram-changes.js";

const READABLE = 0.8; // below this scale an element that is looked at cannot be read

export function watchComparison(root) {
  const marks = JSON.parse(document.getElementById("comparison-marks").textContent);
  const sides = [...root.querySelectorAll("[data-diagram]")]
    .map((host) => ({ host, viewer: viewerOf(host), label: host.dataset.diagramLabel, marks: marks[host.dataset.side] }))
    .filter(({ viewer }) => viewer);
  for (const side of sides) {
    paintChanges(side.viewer, side.marks);
    side.viewer.on("element.click", ({ element }) => lead(root, element));
  }
  const asked = decodeURIComponent(location.hash.replace(/^#at-/, ""));
  for (const { viewer } of sides) if (viewer.get("elementRegistry").get(asked)) look(viewer, asked);
  const said = root.querySelector("[data-said]");
  root.addEventListener("click", (event) => {
    const link = event.target.closest("[data-show]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const shown = sides.filter(({ viewer }) => viewer.get("elementRegistry").get(link.dataset.show));
    if (shown.length === 0) return; // the link still leads to the diagrams
    event.preventDefault();
    for (const { viewer } of shown) look(viewer, link.dataset.show);
    shown.at(-1).host.scrollIntoView({ block: "nearest" });
    said.textContent = `${link.textContent} is shown: ${shown.map(({ label }) => label).join(" and ")}.`;
  });
}

function look(viewer, id) {
  const canvas = viewer.get("canvas");
  const element = viewer.get("elementRegistry").get(id);
  canvas.setRootElement(canvas.findRoot(element)); // a closed sub-process is drawn on a plane of its own
  centre(canvas, element, Math.max(canvas.zoom(), READABLE));
  for (const shown of viewer.get("elementRegistry").filter(({ id }) => canvas.hasMarker(id, "change-here"))) canvas.removeMarker(shown.id, "change-here");
  canvas.addMarker(id, "change-here");
}

function centre(canvas, element, scale) {
  const { outer } = canvas.viewbox();
  const size = { width: outer.width / scale, height: outer.height / scale };
  const middle = middleOf(element);
  canvas.viewbox({ x: middle.x - size.width / 2, y: middle.y - size.height / 2, ...size });
}

function middleOf({ x, y, width, height, waypoints }) {
  if (!waypoints) return { x: x + width / 2, y: y + height / 2 };
  const [from, to] = [waypoints[0], waypoints.at(-1)];
  return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
}

function lead(root, element) {
  const id = element.labelTarget?.id ?? element.id;
  const change = [...root.querySelectorAll("[data-change]")].find((one) => one.dataset.change === id);
  if (!change) return;
  const closed = change.closest("details");
  if (closed) closed.open = true;
  change.focus();
  change.scrollIntoView({ block: "center" });
}
