// One pool, sub-process or plane laid out: where each step stands, where each flow runs, how tall each lane is. Knows
// numbers only; tidy.js asks for it and draws.
import { gridOf } from "./grid.js";
import { routesOf } from "./routes.js";

const NEAR = 20; // between a line and the next, or a shape
const WIDE = 50; // the least room between columns
const HIGH = 40; // the least room between rows
const WORD = 8; // around the name of a flow

// scope: {lanes: how many, nodes: [{id, width, height, lane, middle, around: {left, right, above, below}}],
// edges: [{id, source, target, label?: {width, height}, side?: bottom or top, dx?, border?: bottom or top}]}, sizes in pixels.
// `around` is what a step needs beyond its box; an edge with a `side` leaves there, dx from the left; with a `border` it
// leads from a step to the edge of the scope, or from there to a step.
// Answers {width, height, lanes: [height], nodes: Map id → {x, y}, edges: Map id → {waypoints, label?: {x, y}}} from 0, 0.
export function laidOut(scope) {
  const grid = gridOf(scope);
  const plan = routesOf(grid, scope.edges);
  const outs = countOf(scope.edges, "source");
  const across = acrossOf(scope, grid, plan, outs);
  const down = downOf(scope, grid, plan);
  const nodes = new Map();
  for (const node of scope.nodes) {
    const { column, band } = grid.place.get(node.id);
    nodes.set(node.id, { x: across.column[column] - node.width / 2, y: down.row[band] - node.height / 2 });
  }
  const drawing = { scope, nodes: new Map(scope.nodes.map((node) => [node.id, { ...node, ...nodes.get(node.id) }])), plan, across, down, outs };
  const taken = [];
  const edges = new Map(scope.edges.map((edge) => [edge.id, drawnEdge(edge, drawing, taken)]));
  return { width: across.width, height: down.height, lanes: down.lanes, nodes, edges };
}

function countOf(edges, end) {
  const found = new Map();
  for (const edge of edges) if (!edge.side && edge.source) found.set(edge[end], (found.get(edge[end]) ?? 0) + 1);
  return found;
}

// The middle of each column and the left lane of each channel.
function acrossOf({ nodes }, grid, { routes, channels }, outs) {
  const sides = Array.from({ length: grid.columns }, () => ({ left: 0, right: 0 }));
  for (const { id, width, around } of nodes) {
    const side = sides[grid.place.get(id).column];
    side.left = Math.max(side.left, width / 2 + around.left);
    side.right = Math.max(side.right, width / 2 + around.right);
  }
  const words = wordsIn(routes, outs);
  const [column, channel] = [[], new Map()];
  let x = 0;
  for (let at = -1; at < grid.columns; at += 1) {
    if (at >= 0) {
      column.push(x + sides[at].left);
      x += sides[at].left + sides[at].right;
    }
    const { lanes } = channels.get(at);
    const { before = 0, after = 0 } = words.get(at) ?? {};
    const isInside = at >= 0 && at < grid.columns - 1;
    const left = before ? before + 2 * WORD : NEAR;
    const right = after ? after + 2 * WORD : NEAR;
    const bare = isInside ? Math.max(WIDE, before + after + 2 * WORD) : before + after ? before + after + 2 * WORD : 0;
    const width = lanes > 0 ? left + (lanes - 1) * NEAR + right : bare;
    channel.set(at, { first: x + left, last: x + left + Math.max(0, lanes - 1) * NEAR, end: x + Math.max(width, bare) });
    x += Math.max(width, bare);
  }
  return { column, channel, width: x, lane: (stretch) => channel.get(stretch.channel).first + channels.get(stretch.channel).lane.get(stretch) * NEAR };
}

// The widest name before and after the lanes of each channel.
function wordsIn(routes, outs) {
  const found = new Map();
  for (const [edge, route] of routes) {
    const spot = edge.label && spotOf(edge, route, outs);
    if (!spot || spot.channel === undefined) continue;
    const widest = found.get(spot.channel) ?? { before: 0, after: 0 };
    widest[spot.side] = Math.max(widest[spot.side], edge.label.width);
    found.set(spot.channel, widest);
  }
  return found;
}

// Where a flow's name stands: at what is its own alone. In a channel it is above the line of a row, else in a gap.
function spotOf(edge, { from, to, through, gap, border }, outs) {
  if (border !== undefined || !from) return { channel: (from ?? to).column - (from ? 0 : 1), side: from ? "before" : "after", band: (from ?? to).band };
  if (edge.side) return { gap };
  if (outs.get(edge.source) === 1) return { channel: from.column, side: "before", band: from.band };
  if (gap !== undefined) return { gap };
  const last = through.at === "into" ? to.column - 1 : from.column;
  return { channel: last, side: "after", band: to.band };
}

// The middle of each row, the top lane of each gap, the height of each lane.
function downOf({ nodes, lanes: count }, grid, { gaps }) {
  const rows = grid.bands.map(() => ({ up: 0, down: 0 }));
  for (const { id, height, around } of nodes) {
    const row = rows[grid.place.get(id).band];
    row.up = Math.max(row.up, height / 2 + around.above);
    row.down = Math.max(row.down, height / 2 + around.below);
  }
  const [row, gap, lanes] = [[], new Map(), Array(Math.max(1, count)).fill(0)];
  let y = 0;
  grid.bands.forEach(({ lane, isRow }, at) => {
    const begins = y;
    if (isRow) {
      const isOnly = grid.bands.filter((one) => one.isRow && one.lane === lane).length === 1;
      const least = count > 0 && isOnly ? HIGH : 0;
      const { up, down } = { up: Math.max(least, rows[at].up), down: Math.max(least, rows[at].down) };
      row[at] = y + up;
      y += up + down;
    } else {
      const isInside = grid.bands[at - 1]?.lane === lane && grid.bands[at + 1]?.lane === lane;
      const { high = [] } = gaps.get(at) ?? {};
      const lines = [];
      y += NEAR;
      for (const one of high) lines.push((y += one + (one ? WORD : 0))) && (y += NEAR);
      y = Math.max(y, begins + (isInside ? HIGH : NEAR));
      gap.set(at, lines);
    }
    lanes[lane] += y - begins;
  });
  return { row, gap, lanes, height: y };
}

function drawnEdge(edge, drawing, taken) {
  const { nodes, plan, across, down, outs } = drawing;
  const route = plan.routes.get(edge);
  const [source, target] = [nodes.get(edge.source), nodes.get(edge.target)];
  const waypoints = plain(pointsOf(edge, route, { source, target, across, down, gaps: plan.gaps }));
  const label = edge.label && free(labelAt(edge, spotOf(edge, route, outs), { source, route, waypoints, ...drawing }), edge.label, taken);
  return label ? { waypoints, label } : { waypoints };
}

function pointsOf(edge, { straight, stretches, gap, out, into, border }, { source, target, across, down, gaps }) {
  const leaves = source && { x: source.x + source.width, y: source.y + source.height / 2 };
  const enters = target && { x: target.x, y: target.y + target.height / 2 };
  if (straight) return [leaves, enters];
  if (border !== undefined) {
    const x = across.lane(stretches[0]);
    const end = { x, y: border < 0 ? 0 : down.height };
    return source ? [leaves, { x, y: leaves.y }, end] : [end, { x, y: enters.y }, enters];
  }
  if (gap === undefined) {
    const x = across.lane(stretches[0]);
    return [leaves, { x, y: leaves.y }, { x, y: enters.y }, enters];
  }
  const y = down.gap.get(gap)[gaps.get(gap).lane.get(edge)];
  const goes = across.lane(into);
  const last = [{ x: goes, y }, { x: goes, y: enters.y }, enters];
  if (out) return [leaves, { x: across.lane(out), y: leaves.y }, { x: across.lane(out), y }, ...last];
  const x = source.x + edge.dx;
  return [{ x, y: edge.side === "top" ? source.y - edge.reach : source.y + source.height + edge.reach }, { x, y }, ...last];
}

function labelAt(edge, { gap, channel, side, band }, { source, waypoints, across, down, plan }) {
  const { width, height } = edge.label;
  if (gap !== undefined) {
    const y = down.gap.get(gap)[plan.gaps.get(gap).lane.get(edge)];
    const at = waypoints.findIndex((point) => point.y === y);
    const [one, other] = [waypoints[at], waypoints[at + 1] ?? waypoints[at]];
    return { x: other.x < one.x ? one.x - WORD - width : one.x + WORD, y: y - height - WORD / 2 };
  }
  const { first, last, end } = across.channel.get(channel);
  const lanes = plan.channels.get(channel).lanes;
  const begins = source ? source.x + source.width : first - width - WORD;
  const x = side === "before" ? begins + WORD : lanes > 0 ? last + WORD : end - WORD - width;
  return { x, y: down.row[band] - height - WORD / 2 };
}

// Names at one place stand one above the other.
function free(at, { width, height }, taken) {
  const meets = (one) => at.x < one.x + one.width && one.x < at.x + width && at.y < one.y + one.height && one.y < at.y + height;
  while (taken.some(meets)) at = { x: at.x, y: at.y - height - 2 };
  taken.push({ ...at, width, height });
  return at;
}

// Without the points in the middle of a straight line.
function plain(points) {
  return points.filter((point, at) => {
    const [before, after] = [points[at - 1], points[at + 1]];
    if (before && before.x === point.x && before.y === point.y) return false;
    if (!before || !after) return true;
    return !((before.x === point.x && point.x === after.x) || (before.y === point.y && point.y === after.y));
  });
}
