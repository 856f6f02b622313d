// Where the ways of many cases part: the shared way as a way taken, what lies beyond in three weights, with how many cases.
// Colours go through the diagram interchange, so that arrowheads follow; weights through classes in diagram.css.

const SHARED = { "color:border-color": "var(--accent)" };
const PARTED = { "color:border-color": "var(--refuse)", "color:background-color": "var(--refuse-soft)" };

// parting: {shared: [id], parted: {id: {cases, heat: 1..3}}, at?: [id], first?: id}
export function paintParting(viewer, parting) {
  const registry = viewer.get("elementRegistry");
  const canvas = viewer.get("canvas");
  const changed = [];
  const paint = (id, markers, colours) => {
    const element = registry.get(id);
    if (!element) return;
    for (const marker of markers) {
      canvas.addMarker(id, marker);
      for (const label of element.labels) canvas.addMarker(label.id, `${marker}-name`);
    }
    for (const [name, colour] of Object.entries(colours)) element.di.set(name, colour);
    changed.push(element);
  };
  for (const id of parting.shared ?? []) paint(id, ["way-taken"], SHARED);
  for (const [id, { heat: degree }] of Object.entries(parting.parted ?? {})) paint(id, ["parts", `parts-${degree}`], PARTED);
  viewer.get("eventBus").fire("elements.changed", { elements: [...new Set(changed)] });
  for (const [id, { cases }] of Object.entries(parting.parted ?? {})) count(registry, viewer.get("overlays"), id, cases);
}

// What a diagram opens at: the first element beyond the shared way, as far as it is drawn.
export function asWay(parting) {
  const first = Object.keys(parting.parted ?? {});
  return { at: [...(parting.first ? [parting.first] : []), ...first, ...(parting.shared ?? []).slice(-1)] };
}

function count(registry, overlays, id, cases) {
  const element = registry.get(id);
  if (!element || element.waypoints || cases < 2) return;
  const html = Object.assign(document.createElement("span"), {
    className: "way-parts-mark",
    textContent: cases.toLocaleString("en"),
    title: `${cases} cases`,
  });
  overlays.add(id, { position: { top: -9, right: 9 }, html });
}
