// The way a case took: weight and colour for what was visited, a number for repeated visits, a token where it is now.
// Colours go through the diagram interchange, so that arrowheads follow; weights through classes in diagram.css.

const painted = new WeakMap(); // viewer → what the last way left, to take it away before the next

// way: {visited: [{element, visits}], flows: {id: count}, at: [id], incident: [id], step?: {elements: [id], flows: [id]}}
export function paintWay(viewer, way) {
  const registry = viewer.get("elementRegistry");
  const canvas = viewer.get("canvas");
  const left = clear(viewer);
  const done = { colours: new Map(), markers: [], overlays: [] };
  const paint = (id, marker, colours) => {
    const element = registry.get(id);
    if (!element) return null;
    for (const [part, name] of [[element, marker], ...[element, ...element.labels].map((one) => [one, `${marker}-name`])]) {
      canvas.addMarker(part.id, name);
      done.markers.push([part.id, name]);
    }
    if (!done.colours.has(element)) done.colours.set(element, COLOURS.map((name) => [name, element.di.get(name)]));
    for (const [name, colour] of Object.entries(colours)) element.di.set(name, colour);
    return element;
  };
  const visited = new Map((way.visited ?? []).map(({ element, visits }) => [element, visits]));
  const at = new Set(way.at ?? []);
  const incident = new Set(way.incident ?? []);
  const step = [...(way.step?.flows ?? []), ...(way.step?.elements ?? [])];
  const changed = [
    ...[...Object.keys(way.flows ?? {}), ...visited.keys()].map((id) => paint(id, "way-taken", TAKEN)),
    ...step.map((id) => paint(id, "way-step", TAKEN)),
    ...[...at].map((id) => paint(id, "way-here", HERE)),
    ...[...incident].map((id) => paint(id, "way-incident", INCIDENT)),
  ].filter(Boolean);
  viewer.get("eventBus").fire("elements.changed", { elements: [...new Set([...left, ...changed])] });
  for (const id of way.step?.flows ?? []) keepArrow(registry.getGraphics(id));
  const put = (...badge) => done.overlays.push(place(registry, viewer.get("overlays"), ...badge));
  for (const [id, visits] of visited) {
    if (visits > 1) put(id, badge("visits", String(visits), `visited ${visits} times`), "corner");
  }
  for (const id of at) if (!incident.has(id)) put(id, badge("token", "", "the case is here"), "foot");
  for (const id of incident) put(id, badge("incident", "!", "incident"), "foot");
  painted.set(viewer, done);
}

const COLOURS = ["color:border-color", "color:background-color"];
const TAKEN = { "color:border-color": "var(--accent)" };
const HERE = { "color:border-color": "var(--accent)", "color:background-color": "var(--accent-soft)" };
const INCIDENT = { "color:border-color": "var(--alarm)", "color:background-color": "var(--alarm-soft)" };

// Removes the last way from the diagram; returns the elements to redraw.
function clear(viewer) {
  const before = painted.get(viewer);
  if (!before) return [];
  for (const [id, marker] of before.markers) viewer.get("canvas").removeMarker(id, marker);
  for (const [element, colours] of before.colours) for (const [name, colour] of colours) element.di.set(name, colour);
  for (const id of before.overlays) if (id) viewer.get("overlays").remove(id);
  return [...before.colours.keys()];
}

// An arrowhead grows with its line; on a heavy line it would hide what it points at.
function keepArrow(drawn) {
  for (const marker of drawn?.querySelectorAll("marker") ?? []) {
    marker.setAttribute("markerUnits", "userSpaceOnUse");
    for (const size of ["markerWidth", "markerHeight"]) marker.setAttribute(size, "26");
  }
}

// What was painted went with the diagram it was painted on.
export function forgetWay(viewer) {
  painted.delete(viewer);
}

function place(registry, overlays, id, html, where) {
  const element = registry.get(id);
  if (!element || element.waypoints) return null;
  const corner = element.type.endsWith("Gateway") ? { bottom: 12, left: -8 } : { top: -9, right: 9 };
  const foot = { bottom: 8, left: element.width > 60 ? 12 : element.width / 2 - 8 }; // beside events on a task's edge
  const position = where === "corner" ? corner : foot;
  return overlays.add(id, { position, html });
}

function badge(kind, words, title) {
  return Object.assign(document.createElement("span"), { className: `way-${kind}-mark`, textContent: words, title });
}
