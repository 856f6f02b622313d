// Where flows run: along a row that is free, else between rows and between columns, never over a step. A flow leaves its
// step at the right (or below or above, from an event at an edge) and enters the next one at its left. Flows of one source,
// or to one target, share a line; no others do.
//
// A channel is the room right of a column (-1: left of the first); a stretch is one vertical piece of a flow in a channel.

// Answers {routes: Map edge → {out, into, gap, through}, channels, gaps} with the lane each piece takes in its channel or gap.
export function routesOf(grid, edges) {
  const detours = new Set();
  for (;;) {
    const routes = chosen(grid, edges, detours);
    const channels = channelsOf(grid, routes);
    const knot = [...channels.values()].map(({ knot }) => knot).find(Boolean);
    if (!knot) return { routes, channels, gaps: gapsOf(routes) };
    detours.add(knot);
  }
}

function chosen(grid, edges, detours) {
  const lines = new Lines();
  const ends = countEnds(edges);
  const routes = new Map();
  const straightFirst = [...edges].sort((one, other) => steepness(grid, one) - steepness(grid, other));
  for (const edge of straightFirst) routes.set(edge, routed(grid, edge, lines, detours, ends));
  return routes;
}

function steepness({ place }, { source, target }) {
  const [from, to] = [place.get(source), place.get(target)];
  if (!from || !to) return Infinity;
  return Math.abs(from.band - to.band) * 1000 + Math.abs(to.column - from.column);
}

function routed(grid, edge, lines, detours, ends) {
  const from = grid.place.get(edge.source);
  const to = grid.place.get(edge.target);
  if (!from || !to) return half(grid, edge, from, to);
  const forward = to.column > from.column && !edge.side && !detours.has(edge);
  if (forward && from.band === to.band) {
    const whole = { band: from.band, first: from.column, last: to.column - 1 };
    if (isOpen(grid, from, to, from.band) && lines.take(edge, whole)) return { straight: true, from, to, through: whole };
  }
  if (forward && from.band !== to.band) {
    const onTarget = { at: "out", band: to.band, first: from.column + 1, last: to.column - 1, end: from.column };
    const onSource = { at: "into", band: from.band, first: from.column, last: to.column - 2, end: to.column - 1 };
    const joins = ends.into.get(edge.target) > 1 && ends.out.get(edge.source) === 1;
    for (const way of joins ? [onSource, onTarget] : [onTarget, onSource]) {
      if (!isOpen(grid, from, to, way.band) || !lines.take(edge, way)) continue;
      const channel = way.at === "out" ? from.column : to.column - 1;
      return { from, to, through: way, stretches: [{ channel, left: from.band, right: to.band, edge }] };
    }
  }
  return around(grid, edge, from, to);
}

// Into a gap beside the source's row, along it, and from the channel before the target in.
function around(grid, edge, from, to) {
  const up = edge.side ? edge.side === "top" : to.band < from.band;
  const gap = from.band + (up ? -1 : 1);
  const out = { channel: from.column, left: from.band, meets: gap, edge };
  const into = { channel: to.column - 1, right: to.band, meets: gap, edge };
  return { from, to, gap, out: edge.side ? null : out, into, stretches: edge.side ? [into] : [out, into] };
}

// The part of a message flow in one pool: from a step to the pool's edge or from there to a step.
function half(grid, edge, from, to) {
  const meets = edge.border === "top" ? -1 : grid.bands.length;
  if (from) return { from, border: meets, stretches: [{ channel: from.column, left: from.band, meets, edge }] };
  return { to, border: meets, stretches: [{ channel: to.column - 1, right: to.band, meets, edge }] };
}

// Whether no step stands between the two in that row.
function isOpen(grid, from, to, band) {
  for (let column = from.column + 1; column < to.column; column += 1) if (grid.at({ column, band })) return false;
  return true;
}

function countEnds(edges) {
  const [out, into] = [new Map(), new Map()];
  for (const { source, target } of edges) {
    out.set(source, (out.get(source) ?? 0) + 1);
    into.set(target, (into.get(target) ?? 0) + 1);
  }
  return { out, into };
}

// Which flows run along the middle of a row: only those of one source or to one target together. A line takes whole
// channels and ends within one, where others may end too (`inLanes` keeps them apart).
class Lines {
  constructor() {
    this.taken = new Map();
  }

  take(edge, { band, first, last, end = null }) {
    const whole = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => `${band} ${first + at}`);
    const part = end === null ? [] : [`${band} ${end}`];
    const at = (key) => this.taken.get(key) ?? [];
    const fits = ({ edge: other }) => (other.source === edge.source) !== (other.target === edge.target);
    const isFree = whole.every((key) => at(key).every(fits)) && part.every((key) => at(key).every((one) => !one.isWhole || fits(one)));
    if (!isFree) return false;
    for (const key of [...whole, ...part]) this.taken.set(key, [...at(key), { edge, isWhole: !part.includes(key) }]);
    return true;
  }
}

// For each channel its bundles in lanes from left to right: {lanes, lane: Map stretch → number, knot?}. A knot is a flow
// that must go around, since what leaves a row must run left of what enters it.
function channelsOf(grid, routes) {
  const all = new Map();
  for (let channel = -1; channel < grid.columns; channel += 1) all.set(channel, []);
  for (const { stretches = [] } of routes.values()) for (const one of stretches) all.get(one.channel).push(one);
  return new Map([...all].map(([channel, stretches]) => [channel, inLanes(stretches)]));
}

function inLanes(stretches) {
  const bundles = bundled(stretches, (one) => (one.left === undefined ? null : one.edge.source), (one) => (one.right === undefined ? null : one.edge.target));
  const order = new Map(bundles.map((one) => [one, new Set()])); // bundle → those left of it
  for (const one of bundles) {
    for (const other of bundles) {
      if (one === other) continue;
      const meets = one.stretches.some(({ left }) => left !== undefined && other.stretches.some(({ right }) => right === left));
      if (meets) order.get(other).add(one);
    }
  }
  return packed(bundles, order, (one) => reach(one.stretches.flatMap(({ left, right, meets }) => [left, right, meets])));
}

// What shares a line: pieces with the same key, of the first kind of key if there are several of it, else of the second.
function bundled(pieces, ...keysOf) {
  const counts = keysOf.map((keyOf) => counted(pieces.map(keyOf)));
  const found = new Map();
  for (const piece of pieces) {
    const kind = keysOf.findIndex((keyOf, index) => keyOf(piece) !== null && counts[index].get(keyOf(piece)) > 1);
    let key = kind < 0 ? piece : `${kind} ${keysOf[kind](piece)}`;
    while (found.get(key)?.stretches.some((one) => isTwin(one.edge, piece.edge))) key += "+"; // two flows between the same steps
    if (!found.has(key)) found.set(key, { stretches: [] });
    found.get(key).stretches.push(piece);
  }
  return [...found.values()];
}

function isTwin(one, other) {
  return one !== other && one.source === other.source && one.target === other.target;
}

function counted(keys) {
  const found = new Map();
  for (const key of keys) found.set(key, (found.get(key) ?? 0) + 1);
  return found;
}

function reach(ordinals) {
  const known = ordinals.filter((one) => one !== undefined);
  return [Math.min(...known), Math.max(...known)];
}

// Bundles that reach over the same rows get lanes of their own.
function packed(bundles, order, reachOf) {
  const lanes = [];
  const lane = new Map();
  const open = new Set(bundles);
  while (open.size > 0) {
    const next = [...open].find((one) => [...order.get(one)].every((other) => !open.has(other)));
    if (!next) return { lanes: lanes.length, lane, knot: knotIn(open) };
    const [low, high] = reachOf(next);
    let at = Math.max(-1, ...[...order.get(next)].map((other) => lane.get(other.stretches[0]))) + 1;
    while ((lanes[at] ?? []).some(([from, to]) => from <= high && low <= to)) at += 1;
    (lanes[at] ??= []).push([low, high]);
    for (const stretch of next.stretches) lane.set(stretch, at);
    open.delete(next);
  }
  return { lanes: lanes.length, lane };
}

// One flow that both leaves a row and enters another here: with it around, the rest can be put in order.
function knotIn(bundles) {
  const all = [...bundles].flatMap(({ stretches }) => stretches);
  return all.find(({ left, right }) => left !== undefined && right !== undefined).edge;
}

// For each gap between rows its flows in lanes from top to bottom.
function gapsOf(routes) {
  const pieces = new Map();
  for (const [edge, { gap, from, to, out }] of routes) {
    if (gap === undefined) continue;
    const begins = out ? 2 * out.channel + 2 : 2 * from.column + 1;
    const ends = 2 * (to.column - 1) + 2;
    pieces.set(gap, [...(pieces.get(gap) ?? []), { edge, begins, ends }]);
  }
  return new Map([...pieces].map(([gap, list]) => [gap, stacked(list)]));
}

function stacked(list) {
  list.sort((one, other) => (other.edge.dx ?? -1) - (one.edge.dx ?? -1)); // lines from an edge cross fewest so
  const bundles = bundled(list, ({ edge }) => edge.target, ({ edge }) => (edge.side ? null : edge.source));
  const are = (side) => (one) => one.stretches.every(({ edge }) => edge.side === side);
  const fromAbove = bundles.filter(are("bottom"));
  const order = new Map(bundles.map((one) => [one, new Set(are("top")(one) ? fromAbove : [])]));
  const { lanes, lane } = packed(bundles, order, (one) => reach(one.stretches.flatMap(({ begins, ends }) => [begins, ends])));
  const high = Array(lanes).fill(0);
  for (const [{ edge }, at] of lane) high[at] = Math.max(high[at], edge.label?.height ?? 0);
  return { lanes, lane: new Map([...lane].map(([{ edge }, at]) => [edge, at])), high };
}
