// Room for a step that is added without a mouse: what follows moves on, lanes, pools and sub-processes grow with it, and
// no shape comes to lie on another. One call is one change (several.js): one Ctrl+Z takes all of it back.
import { isExpanded } from "bpmn-js/lib/util/DiUtil";
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { selfAndAllChildren } from "diagram-js/lib/util/Elements";

const NEAR = 20; // free around a shape
const FAR = 50; // between a step and the next
const SIZES = { x: "width", y: "height" };
const ACROSS = { x: "y", y: "x" };
const TOWARDS = { x: "e", y: "s" };
const FRAMES = ["bpmn:Participant", "bpmn:Lane", "bpmn:Group"];

export class Room {
  constructor(modeler) {
    this.canvas = modeler.get("canvas");
    this.modeling = modeler.get("modeling");
    this.space = modeler.get("spaceTool");
  }

  // *shape* in the middle of *flow*'s longest stretch; what comes before keeps the flow with its name and condition.
  insert(shape, flow) {
    const { parent, target } = flow;
    const { axis, middle, length } = this.#stretch(flow, shape);
    const size = SIZES[axis];
    const here = this.#box(parent, middle);
    const wished = around(middle, shape);
    const fits = length >= shape[size] + 2 * FAR && this.#isFree(wished, parent, flow.label) && within(here, wished);
    const place = fits ? middle : this.#made(axis, shape, parent, middle, { margin: Math.max(NEAR, FAR - length / 2) });
    this.modeling.createShape(shape, place, parent);
    this.modeling.reconnectEnd(flow, shape, center(shape));
    this.modeling.connect(shape, target, { type: "bpmn:SequenceFlow" });
    return shape;
  }

  // *shape* as a step after *source*: to its right, or on the other side of the edge an event sits on.
  append(shape, source) {
    const host = source.host;
    const axis = host ? "y" : "x";
    const back = host && center(source).y < center(host).y ? -1 : 1;
    const parent = (host ?? source).parent;
    const from = center(source);
    const box = this.#box(parent, from);
    const first = { ...from, [axis]: from[axis] + back * (source[SIZES[axis]] / 2 + FAR + shape[SIZES[axis]] / 2) };
    const free = beside(first, axis, shape).find((place) => {
      const wished = around(place, shape);
      return within(box, wished) && this.#isFree(wished, parent) && !this.#isCrossed(wished);
    });
    const place = free ?? this.#after(axis, back, shape, source, parent, box);
    this.modeling.createShape(shape, place, parent);
    this.modeling.connect(source, shape, { type: "bpmn:SequenceFlow" });
    return shape;
  }

  // An event at the edge of *host*, beside those that are there: below from the right, then above.
  attach(event, host) {
    const taken = host.attachers ?? [];
    const steps = Math.max(1, Math.floor((host.width - 24) / 40));
    const edges = [host.y + host.height, host.y];
    const spots = edges.flatMap((y) => Array.from({ length: steps }, (_, step) => ({ x: host.x + host.width - 24 - step * 40, y })));
    const spot = spots.find((one) => !taken.some((other) => overlap(around(one, event), other))) ?? spots[0];
    return this.modeling.createShape(event, spot, host, { attach: true });
  }

  // Where nothing was free: makes room right behind *source*, beside the steps that already follow it.
  #after(axis, back, shape, source, parent, box) {
    const edge = back > 0 ? end(source, axis) + NEAR / 2 : source[axis] - NEAR / 2;
    const [least, most] = box ? [box[axis] + 1, end(box, axis) - 1] : [-Infinity, Infinity];
    const from = { ...center(source), [axis]: Math.max(least, Math.min(edge, most)) };
    const aside = (source.outgoing ?? []).length > 0 ? shape[SIZES[ACROSS[axis]]] + 2 * NEAR : 0;
    return this.#made(axis, shape, parent, from, { margin: FAR, aside });
  }

  // Makes room for *shape* along *axis* from *point* on, *aside* of it; answers the middle of the place.
  #made(axis, shape, parent, point, { margin, aside = 0 }) {
    const [across, size] = [ACROSS[axis], SIZES[axis]];
    point = this.#behindGrowing(axis, point, parent, around({ ...point, [across]: point[across] + aside }, shape));
    const others = this.#shapes(parent).filter((one) => one[axis] <= point[axis] && end(one, axis) > point[axis]);
    const over = Math.max(0, ...others.map((one) => end(one, axis) - point[axis]));
    this.#shift(axis, point[axis], over + shape[size] + margin + Math.max(margin, NEAR));
    const place = { ...point, [axis]: point[axis] + over + margin + shape[size] / 2, [across]: point[across] + aside };
    const box = this.#box(parent, point);
    if (!box) return place;
    const half = shape[SIZES[across]] / 2 + NEAR;
    const missing = Math.max(2 * half - box[SIZES[across]], aside ? place[across] + half - end(box, across) : 0);
    if (missing > 0) this.#shift(across, end(box, across) - 1, missing);
    const most = end(this.#box(parent, point), across) - half;
    return { ...place, [across]: Math.max(box[across] + half, Math.min(place[across], most)) };
  }

  // A sub-process across the place would grow into it: the place moves behind.
  #behindGrowing(axis, point, parent, wished) {
    const across = ACROSS[axis];
    const beside = (one) => one[across] < end(wished, across) + NEAR && end(one, across) > wished[across] - NEAR;
    const grows = (one) => is(one, "bpmn:SubProcess") && isExpanded(one) && one[axis] < point[axis] && end(one, axis) > point[axis];
    const found = this.#shapes(parent).filter((one) => one.parent === parent && grows(one) && beside(one));
    return { ...point, [axis]: Math.max(point[axis], ...found.map((one) => end(one, axis))) };
  }

  // As the space tool does it: what begins after *start* moves, what spans it grows.
  #shift(axis, start, by) {
    const all = selfAndAllChildren([this.canvas.getRootElement()], true);
    const { movingShapes, resizingShapes } = this.space.calculateAdjustments(all, axis, by, start);
    this.space.makeSpace(movingShapes, resizingShapes, { x: 0, y: 0, [axis]: by }, TOWARDS[axis], start);
  }

  // What may not lie on a step in *parent*: everything drawn but what holds the step, and events at an edge.
  #shapes(parent) {
    const around = new Set();
    for (let one = parent; one; one = one.parent) around.add(one);
    const all = selfAndAllChildren([this.canvas.getRootElement()], true);
    return all.filter((one) => one.parent && !one.waypoints && !one.host && !one.hidden && !around.has(one) && !isAny(one, FRAMES));
  }

  #isFree(wished, parent, but = null) {
    const grown = { x: wished.x - NEAR, y: wished.y - NEAR, width: wished.width + 2 * NEAR, height: wished.height + 2 * NEAR };
    return !this.#shapes(parent).some((one) => one !== but && overlap(grown, one));
  }

  // The longest stretch of *flow* where no other flow runs; if there is none, the longest.
  #stretch(flow, shape) {
    const all = stretches(flow).sort((one, other) => other.length - one.length);
    return all.find(({ middle }) => !this.#isCrossed(around(middle, shape), flow)) ?? all[0];
  }

  #isCrossed(wished, but = null) {
    const flows = selfAndAllChildren([this.canvas.getRootElement()], true).filter((one) => one.waypoints && one !== but);
    return flows.some(({ waypoints }) => waypoints.slice(1).some((point, index) => overlap(wished, span(waypoints[index], point))));
  }

  // What a step at *point* must stay inside: the innermost lane there, the pool or sub-process; nothing on an open plane.
  #box(parent, point) {
    const lanes = selfAndAllChildren([parent], true).filter((one) => is(one, "bpmn:Lane") && contains(one, point));
    if (lanes.length > 0) return lanes.reduce((inner, one) => (one.height * one.width < inner.height * inner.width ? one : inner));
    return parent.parent ? parent : null; // a plane has no edges
  }
}

// The straight stretches of a line: which way each runs, its middle and its length.
function stretches({ waypoints }) {
  return waypoints.slice(1).map((to, index) => {
    const from = waypoints[index];
    const axis = Math.abs(to.x - from.x) >= Math.abs(to.y - from.y) ? "x" : "y";
    return { axis, middle: { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }, length: Math.hypot(to.x - from.x, to.y - from.y) };
  });
}

// The place itself, then further and further to both sides of it.
function beside(place, axis, shape) {
  const across = ACROSS[axis];
  const step = shape[SIZES[across]] + 2 * NEAR;
  return [0, 1, -1, 2, -2].map((times) => ({ ...place, [across]: place[across] + times * step }));
}

function around({ x, y }, { width, height }) {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function center({ x, y, width, height }) {
  return { x: x + width / 2, y: y + height / 2 };
}

function end(shape, axis) {
  return shape[axis] + shape[SIZES[axis]];
}

function span(one, other) {
  return { x: Math.min(one.x, other.x), y: Math.min(one.y, other.y), width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) };
}

function overlap(one, other) {
  return one.x < end(other, "x") && other.x < end(one, "x") && one.y < end(other, "y") && other.y < end(one, "y");
}

function contains(shape, { x, y }) {
  return x >= shape.x && x <= end(shape, "x") && y >= shape.y && y <= end(shape, "y");
}

function within(box, { x, y, width, height }) {
  return !box || (x >= box.x + NEAR && y >= box.y + NEAR && x + width <= end(box, "x") - NEAR && y + height <= end(box, "y") - NEAR);
}
