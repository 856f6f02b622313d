// Findings on their elements: a mark at the corner with their number, the messages on hover; the list has the same messages.
import { element } from "./draft-file.js";

const KIND = "finding";

export function paintFindings(modeler, findings) {
  const overlays = modeler.get("overlays");
  const canvas = modeler.get("canvas");
  const registry = modeler.get("elementRegistry");
  overlays.remove({ type: KIND });
  for (const shape of registry.filter((one) => one.usherFindings)) {
    canvas.removeMarker(shape, "has-error");
    canvas.removeMarker(shape, "has-warning");
    shape.usherFindings = false;
  }
  const counted = findings.filter((one) => one.severity !== "info");
  for (const id of new Set(counted.map((one) => one.element))) {
    const shape = registry.get(id);
    if (!shape?.parent) continue;
    const here = counted.filter((one) => one.element === id);
    const severity = here.some((one) => one.severity === "error") ? "error" : "warning";
    canvas.addMarker(shape, `has-${severity}`);
    shape.usherFindings = true;
    overlays.add(shape, KIND, { position: place(shape), html: flag(severity, here) });
  }
}

// The elements and flows that lead to a fault; until another way is shown, or none.
export function paintPath(modeler, path) {
  const canvas = modeler.get("canvas");
  const registry = modeler.get("elementRegistry");
  for (const one of registry.filter((found) => found.usherPath)) {
    canvas.removeMarker(one, "on-path");
    one.usherPath = false;
  }
  for (const one of path.map((id) => registry.get(id)).filter(Boolean)) {
    canvas.addMarker(one, "on-path");
    one.usherPath = true;
  }
}

function flag(severity, here) {
  const mark = element("div", `flag flag-${severity}`, String(here.length));
  mark.title = here.map((one) => one.message).join("\n");
  return mark;
}

function place(shape) {
  if (!shape.waypoints) return { top: -9, right: 9 };
  const middle = shape.waypoints[Math.floor(shape.waypoints.length / 2)];
  const left = Math.min(...shape.waypoints.map((point) => point.x));
  const top = Math.min(...shape.waypoints.map((point) => point.y));
  return { left: middle.x - left - 9, top: middle.y - top - 9 };
}
