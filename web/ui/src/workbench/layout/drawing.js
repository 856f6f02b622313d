// A whole drawing laid out: pools below one another, lanes in them, sub-processes around what they hold, each laid out on
// its own (scope.js). Reads shapes of bpmn-js and answers where they go; tidy.js moves them.
import { isExpanded } from "bpmn-js/lib/util/DiUtil";
import { is } from "bpmn-js/lib/util/ModelUtil";
import { besides, groupsAround, linesOf, loose } from "./artifacts.js";
import { atEdge } from "./edges.js";
import { Messages } from "./messages.js";
import { laidOut } from "./scope.js";

const HEAD = 30; // what a pool or lane has its name in
const PAD = 20; // between a sub-process and what it holds
const TITLE = 30; // above what a sub-process holds
const POOLS = 40; // between pools
const LEAST = { pool: { width: 600, height: 120 }, sub: { width: 140, height: 100 } };
const ORIGIN = { x: 160, y: 80 };

// Answers {shapes: Map shape → {x, y, width, height}, connections: Map connection → waypoints} for what is on the plane
// *root*; names are shapes too.
export function drawingOf(root) {
  const found = { shapes: new Map(), connections: new Map() };
  const pools = root.children.filter((one) => is(one, "bpmn:Participant"));
  if (pools.length > 0) pooled(root, pools, found);
  else put(inside(root, []), ORIGIN, found);
  linesOf(root, found);
  groupsAround(root, found);
  return found;
}

function pooled(root, pools, found) {
  const sorted = [...pools].sort((one, other) => one.y - other.y);
  const messages = new Messages(root, sorted);
  const parts = sorted.map((pool) => partOf(pool, messages.edgesOf(pool)));
  const width = Math.max(LEAST.pool.width, ...parts.map((part) => part.width));
  let { y } = ORIGIN;
  parts.forEach((part, at) => {
    y += at > 0 ? POOLS + messages.room(at - 1) : 0;
    const box = { x: ORIGIN.x, y, width, height: part.height };
    found.shapes.set(sorted[at], box);
    part.draw(box, found);
    y += part.height;
  });
  messages.draw(found);
  loose(root).put({ x: ORIGIN.x, y: y + POOLS }, found);
}

// One pool: its size, and how it is drawn into a box as wide as all pools.
function partOf(pool, edges) {
  const lanes = innermost(pool, 1);
  const scope = inside(pool, lanes.map(({ lane }) => lane), edges);
  if (scope.steps.length === 0 && lanes.length === 0) return { width: 0, height: Math.min(pool.height, LEAST.pool.height), draw: () => {} };
  const head = HEAD * Math.max(1, ...lanes.map(({ depth }) => depth + 1));
  const heights = scope.lanes.map((height, at) => height + (at === scope.lanes.length - 1 ? scope.height - scope.inHeight : 0));
  const draw = (box, found) => {
    framed(pool, box, heights.values(), found);
    put(scope, { x: box.x + head + PAD / 2, y: box.y }, found);
  };
  return { width: head + scope.width + PAD, height: scope.height, draw };
}

function lanesIn(parent) {
  return parent.children.filter((one) => is(one, "bpmn:Lane")).sort((one, other) => one.y - other.y);
}

// The lanes that hold steps themselves, from top to bottom, and how deep each lies.
function innermost(parent, depth) {
  return lanesIn(parent).flatMap((lane) => {
    const inner = innermost(lane, depth + 1);
    return inner.length > 0 ? inner : [{ lane, depth }];
  });
}

// The lanes of *parent* within *box*, the innermost as tall as *heights* says next; answers how tall all of them are.
function framed(parent, box, heights, found) {
  let { y } = box;
  for (const lane of lanesIn(parent)) {
    const frame = { x: box.x + HEAD, y, width: box.width - HEAD, height: 0 };
    found.shapes.set(lane, frame);
    frame.height = framed(lane, frame, heights, found) || heights.next().value;
    y += frame.height;
  }
  return y - box.y;
}

// What a pool, sub-process or plane holds, laid out from 0, 0.
function inside(parent, lanes, further = []) {
  const steps = parent.children.filter((one) => is(one, "bpmn:FlowNode") && !one.labelTarget && !one.host);
  const inner = new Map(steps.filter(shows).map((one) => [one, inside(one, [])]));
  const plans = new Map(steps.map((one) => [one, planOf(one, inner.get(one), lanes)]));
  const spots = new Map([...plans.values()].flatMap(({ edge }) => edge.places.map((place) => [place.event, place])));
  const flows = parent.children.filter((one) => is(one, "bpmn:SequenceFlow") && one.source && one.target);
  const nodes = [...plans.values()].map(({ node }) => node);
  const whole = laidOut({ lanes: lanes.length, nodes, edges: [...flows.map((flow) => edgeOf(flow, spots)), ...further] });
  const rest = loose(parent);
  const height = whole.height + (rest.height > 0 ? rest.height + PAD : 0);
  return { ...whole, inHeight: whole.height, height, width: Math.max(whole.width, rest.width), steps, plans, inner, flows, further, rest };
}

// Whether a step shows what it holds.
function shows(step) {
  return is(step, "bpmn:SubProcess") && isExpanded(step);
}

function planOf(step, held, lanes) {
  const width = held ? Math.max(LEAST.sub.width, held.width + 2 * PAD) : step.width;
  const height = held ? Math.max(LEAST.sub.height, held.height + TITLE + PAD) : step.height;
  const edge = atEdge(step.attachers ?? [], width);
  const beside = besides(step);
  const aside = Math.max((beside.width - width) / 2, step.label ? (step.label.width - width) / 2 : 0);
  const around = {
    left: Math.max(edge.around.left, aside),
    right: Math.max(edge.around.right, aside),
    above: edge.around.above + beside.height,
    below: edge.around.below + (step.label ? step.label.height + 5 : 0),
  };
  const middle = { x: step.x + step.width / 2, y: step.y + step.height / 2 };
  return { edge, beside, node: { id: step.id, width, height, lane: laneOf(step, lanes), middle, around } };
}

function laneOf(step, lanes) {
  const named = lanes.findIndex((lane) => lane.businessObject.flowNodeRef?.includes(step.businessObject));
  if (named >= 0 || lanes.length === 0) return Math.max(0, named);
  const there = lanes.findIndex((lane) => step.y + step.height / 2 < lane.y + lane.height);
  return there < 0 ? lanes.length - 1 : there;
}

function edgeOf(flow, spots) {
  const spot = spots.get(flow.source);
  const label = flow.label && { label: { width: flow.label.width, height: flow.label.height } };
  const from = spot ? { source: flow.source.host.id, side: spot.side, dx: spot.dx, reach: flow.source.height / 2 } : { source: flow.source.id };
  return { id: flow.id, ...from, target: flow.target.id, ...label };
}

// Puts a laid out scope at a place, and all that is in it.
function put(scope, { x, y }, found) {
  const moved = (points) => points.map((point) => ({ x: x + point.x, y: y + point.y }));
  for (const [step, { node, edge, beside }] of scope.plans) {
    const [at] = moved([scope.nodes.get(node.id)]);
    const box = { ...at, width: node.width, height: node.height };
    found.shapes.set(step, box);
    if (step.label) found.shapes.set(step.label, { ...sizeOf(step.label), x: box.x + (box.width - step.label.width) / 2, y: box.y + box.height + edge.around.below + 5 });
    for (const place of edge.places) onEdge(place, box, found);
    beside.put({ ...box, y: box.y - edge.around.above }, found);
    const held = scope.inner.get(step);
    if (held) put(held, { x: box.x + (box.width - held.width) / 2, y: box.y + TITLE }, found);
  }
  for (const flow of scope.flows) {
    const { waypoints, label } = scope.edges.get(flow.id);
    found.connections.set(flow, moved(waypoints));
    if (label) found.shapes.set(flow.label, { ...sizeOf(flow.label), ...moved([label])[0] });
  }
  for (const edge of scope.further) edge.drawn = moved(scope.edges.get(edge.id).waypoints);
  scope.rest.put({ x, y: y + scope.inHeight }, found);
}

function sizeOf({ width, height }) {
  return { width, height };
}

function onEdge({ event, side, dx, name }, box, found) {
  const middle = { x: box.x + dx, y: side === "top" ? box.y : box.y + box.height };
  found.shapes.set(event, { ...sizeOf(event), x: middle.x - event.width / 2, y: middle.y - event.height / 2 });
  if (name) found.shapes.set(event.label, { ...sizeOf(event.label), x: middle.x + name.dx, y: middle.y + name.dy });
}
