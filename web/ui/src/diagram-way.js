// The way a case took: weight and colour for what was visited, a number for repeated visits, a token where it is now.
// Colours go through the diagram interchange, so that arrowheads follow; weights through classes in diagram.css.

export function paintWay(viewer, way) {
  const registry = viewer.get("elementRegistry");
  const canvas = viewer.get("canvas");
  const paint = (id, marker, colours) => {
    const element = registry.get(id);
    if (!element) return null;
    canvas.addMarker(id, marker);
    for (const part of [element, ...element.labels]) canvas.addMarker(part.id, `${marker}-name`);
    for (const [name, colour] of Object.entries(colours)) element.di.set(name, colour);
    return element;
  };
  const visited = new Map((way.visited ?? []).map(({ element, visits }) => [element, visits]));
  const at = new Set(way.at ?? []);
  const incident = new Set(way.incident ?? []);
  const changed = [
    ...Object.keys(way.flows ?? {}).map((id) => paint(id, "way-taken", { "color:border-color": "var(--accent)" })),
    ...[...visited.keys()].map((id) => paint(id, "way-taken", { "color:border-color": "var(--accent)" })),
    ...[...at].map((id) => paint(id, "way-here", HERE)),
    ...[...incident].map((id) => paint(id, "way-incident", INCIDENT)),
  ].filter(Boolean);
  viewer.get("eventBus").fire("elements.changed", { elements: [...new Set(changed)] });
  const overlays = viewer.get("overlays");
  for (const [id, visits] of visited) {
    if (visits > 1) put(registry, overlays, id, badge("visits", String(visits), `visited ${visits} times`), "corner");
  }
  for (const id of at) if (!incident.has(id)) put(registry, overlays, id, badge("token", "", "the case is here"), "foot");
  for (const id of incident) put(registry, overlays, id, badge("incident", "!", "incident"), "foot");
}

const HERE = { "color:border-color": "var(--accent)", "color:background-color": "var(--accent-soft)" };
const INCIDENT = { "color:border-color": "var(--alarm)", "color:background-color": "var(--alarm-soft)" };

function put(registry, overlays, id, html, where) {
  const element = registry.get(id);
  if (!element || element.waypoints) return;
  const corner = element.type.endsWith("Gateway") ? { bottom: 12, left: -8 } : { top: -9, right: 9 };
  const position = where === "corner" ? corner : { bottom: 8, left: element.width / 2 - 8 };
  overlays.add(id, { position, html });
}

function badge(kind, words, title) {
  return Object.assign(document.createElement("span"), { className: `way-${kind}-mark`, textContent: words, title });
}
