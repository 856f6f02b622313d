// Events at the edge of a step: which side each sits on and how far along, so that their flows leave without crossing.
const INSET = 24; // from a corner to the middle of an event
const APART = 50; // between the middles of two events
const WORD = 6; // between a line and the name beside it

// Answers [{event, side, dx, name: {dx, dy} | null}] for the events at a step *width* wide, as they are from right to left,
// and what they need around the step.
export function atEdge(events, width) {
  const sorted = [...events].sort((one, other) => other.x - one.x);
  const places = width >= 200 ? along(sorted, width) : corners(sorted, width);
  const around = { left: 0, right: 0, above: 0, below: 0 };
  for (const { event, side, dx, name } of places) {
    const label = event.label;
    const reach = event.height / 2 + (label ? label.height + WORD : 0);
    const way = side === "top" ? "above" : "below";
    around[way] = Math.max(around[way], reach);
    if (!label) continue;
    around.left = Math.max(around.left, -(dx + name.dx));
    around.right = Math.max(around.right, dx + name.dx + label.width - width);
  }
  return { places, around };
}

// Narrow steps: the corners below, then those above, then between.
function corners(events, width) {
  const spots = [
    { side: "bottom", dx: width - INSET, right: true },
    { side: "bottom", dx: INSET, right: false },
    { side: "top", dx: width - INSET, right: true },
    { side: "top", dx: INSET, right: false },
  ];
  return events.map((event, at) => {
    const { side, dx, right } = spots[at] ?? { side: at % 2 ? "top" : "bottom", dx: width / 2, right: true };
    return { event, side, dx, name: beside(event, side, right) };
  });
}

// Wide ones: along the bottom from the right.
function along(events, width) {
  let dx = width - INSET - 6;
  return events.map((event) => {
    const place = { event, side: "bottom", dx: Math.max(INSET, dx), name: beside(event, "bottom", true) };
    dx -= Math.max(APART, (event.label?.width ?? 0) + 3 * WORD);
    return place;
  });
}

// The corner of the name from where the event's middle is.
function beside(event, side, right) {
  if (!event.label) return null;
  const { width, height } = event.label;
  const dy = event.height / 2 + 2;
  return { dx: right ? WORD : -WORD - width, dy: side === "top" ? -dy - height : dy };
}
