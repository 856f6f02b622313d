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

const ROOM = 60; // diagram units left free around what differs
const FOOT = 44; // pixels for the tools and the mark
const SCALES = { least: 0.45, most: 0.9 };

// Two diagrams side by side open at one spot, where the elements *ids* of both are seen, and move as one.
export function moveTogether(one, other, ids) {
  let moving = false;
  const elements = () => [one, other].flatMap((viewer) => ids.map((id) => viewer.get("elementRegistry").get(id)));
  const show = () => {
    const found = elements().filter((each) => each?.width);
    if (found.length) showBoth([one, other], found);
  };
  for (const viewer of [one, other]) viewer.drawings.tools.together = show; // also in a window of another size
  show();
  const follow = (leader, follower) =>
    leader.on("canvas.viewbox.changed", ({ viewbox: { x, y, width, height } }) => {
      if (moving) return;
      moving = true;
      follower.get("canvas").viewbox({ x, y, width, height });
      moving = false;
    });
  follow(one, other);
  follow(other, one);
}

// Of elements that differ, the first to look at: for a flow the steps it leads from and to, for a pool or lane the next.
export function firstDrawn(viewers, ids) {
  const frames = ["bpmn:Participant", "bpmn:Lane", "bpmn:Process", "bpmn:Collaboration"];
  for (const id of ids) {
    const found = viewers.map((viewer) => viewer.get("elementRegistry").get(id)).filter((one) => one?.parent && !frames.includes(one.type));
    if (found.length > 0) return found.flatMap((one) => (one.waypoints ? [one.source.id, one.target.id] : [one.id]));
  }
  return [];
}

function showBoth(viewers, found) {
  const [left, top] = ["x", "y"].map((axis) => Math.min(...found.map((each) => each[axis])) - ROOM);
  const right = Math.max(...found.map((each) => each.x + each.width)) + ROOM;
  const bottom = Math.max(...found.map((each) => each.y + each.height)) + ROOM;
  const sizes = viewers.map((viewer) => viewer.get("canvas").getSize());
  const wide = Math.min(...sizes.map((size) => size.width));
  const high = Math.min(...sizes.map((size) => size.height)) - FOOT;
  const scale = Math.max(SCALES.least, Math.min(SCALES.most, wide / (right - left), high / (bottom - top)));
  const [width, height] = [wide / scale, high / scale];
  // Where not all of it fits, the first of them: there the ways part.
  const x = width < right - left ? found[0].x - ROOM : (left + right - width) / 2;
  const y = height < bottom - top ? found[0].y + found[0].height / 2 - height / 2 : (top + bottom - height) / 2;
  for (const viewer of viewers) viewer.get("canvas").viewbox({ x, y, width, height: height + FOOT / scale });
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
