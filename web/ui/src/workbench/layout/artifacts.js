// Notes, data and groups: a note stands above the step it is about, one about nothing below everything, a group around what
// it was around before.
import { isAny } from "bpmn-js/lib/util/ModelUtil";
import { selfAndAllChildren } from "diagram-js/lib/util/Elements";

const ARTIFACTS = ["bpmn:TextAnnotation", "bpmn:DataObjectReference", "bpmn:DataStoreReference"];
const APART = 20;

// The artifacts above *step*: {width, height, put(box, found)}; the box reaches up to where they may begin.
export function besides(step) {
  const about = [step, ...(step.attachers ?? []), ...(step.outgoing ?? []).filter((one) => one.type === "bpmn:SequenceFlow")];
  const all = [...new Set(about.flatMap(artifactsOf))].filter((one) => stepOf(one) === step);
  const put = (box, found) => {
    let { y } = box;
    for (const one of all) {
      y -= APART + tall(one);
      place(one, { x: box.x + (box.width - one.width) / 2, y }, found);
    }
  };
  return { width: Math.max(0, ...all.map(({ width }) => width)), height: all.reduce((sum, one) => sum + tall(one) + APART, 0), put };
}

// The artifacts of *parent* that no step has: in one row.
export function loose(parent) {
  const all = parent.children.filter((one) => isAny(one, ARTIFACTS) && !one.labelTarget && !stepOf(one));
  const put = ({ x, y }, found) => {
    for (const one of all) {
      place(one, { x, y }, found);
      x += one.width + APART;
    }
  };
  return { width: all.reduce((sum, one) => sum + one.width + APART, 0), height: Math.max(0, ...all.map(tall)), put };
}

function artifactsOf(one) {
  return linesAt(one).map(({ source, target }) => (source === one ? target : source)).filter((other) => other && isAny(other, ARTIFACTS));
}

function linesAt(one) {
  return [...(one.incoming ?? []), ...(one.outgoing ?? [])].filter((line) => line.type !== "bpmn:SequenceFlow" && line.type !== "bpmn:MessageFlow");
}

// The step an artifact is about: the first that a line leads to.
function stepOf(artifact) {
  const ends = linesAt(artifact).map(({ source, target }) => (source === artifact ? target : source));
  const steps = ends.map((one) => (one?.waypoints ? one.source : one)).map((one) => one?.host ?? one);
  return steps.find((one) => one && isAny(one, ["bpmn:FlowNode"]));
}

function tall({ height, label }) {
  return height + (label ? label.height + 5 : 0);
}

function place(one, { x, y }, found) {
  found.shapes.set(one, { x, y, width: one.width, height: one.height });
  const { label } = one;
  if (label) found.shapes.set(label, { x: x + (one.width - label.width) / 2, y: y + one.height + 5, width: label.width, height: label.height });
}

// Lines to notes and data: straight, from side to side.
export function linesOf(root, found) {
  for (const line of selfAndAllChildren([root], true)) {
    if (!isAny(line, ["bpmn:Association", "bpmn:DataAssociation"]) || !line.waypoints) continue;
    const [one, other] = [line.source, line.target].map((end) => boxOf(end, found));
    if (one && other) found.connections.set(line, [towards(one, other), towards(other, one)]);
  }
}

function boxOf(end, found) {
  const points = found.connections.get(end);
  if (!points) return found.shapes.get(end);
  const middle = points[Math.floor((points.length - 1) / 2)];
  return { ...middle, width: 0, height: 0 };
}

// The middle of the side of *box* that looks to *other*.
function towards(box, other) {
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  if (other.y + other.height <= box.y) return { x, y: box.y };
  if (other.y >= box.y + box.height) return { x, y: box.y + box.height };
  return { x: other.x > box.x ? box.x + box.width : box.x, y };
}

// Groups go around the steps that stood in them.
export function groupsAround(root, found) {
  const all = selfAndAllChildren([root], true);
  for (const group of all.filter((one) => isAny(one, ["bpmn:Group"]) && !one.labelTarget)) {
    const held = all.filter((one) => isAny(one, ["bpmn:FlowNode"]) && !one.labelTarget && one.parent === group.parent && isWithin(one, group));
    const boxes = held.map((one) => found.shapes.get(one)).filter(Boolean);
    if (boxes.length === 0) continue;
    const [x, y] = [Math.min(...boxes.map((one) => one.x)) - APART, Math.min(...boxes.map((one) => one.y)) - APART];
    const right = Math.max(...boxes.map((one) => one.x + one.width)) + APART;
    const bottom = Math.max(...boxes.map((one) => one.y + one.height)) + APART;
    found.shapes.set(group, { x, y, width: right - x, height: bottom - y });
    if (group.label) found.shapes.set(group.label, { x: x + (right - x - group.label.width) / 2, y: y - group.label.height / 2, width: group.label.width, height: group.label.height });
  }
}

function isWithin(one, box) {
  return one.x >= box.x && one.y >= box.y && one.x + one.width <= box.x + box.width && one.y + one.height <= box.y + box.height;
}
