// Messages between pools: out of a step beside its column, along the room between two pools, and into the other pool in the
// same way. Past a pool in between they go on the right of all.
import { is } from "bpmn-js/lib/util/ModelUtil";

const APART = 20;

export class Messages {
  constructor(root, pools) {
    this.pools = pools;
    const flows = root.children.filter((one) => is(one, "bpmn:MessageFlow") && one.source && one.target);
    this.all = flows.map((flow) => this.#planned(flow)).filter(Boolean);
    this.lines = new Map(); // room between two pools → messages in it
    for (const { rooms } of this.all) for (const room of new Set(rooms)) this.lines.set(room, (this.lines.get(room) ?? 0) + 1);
  }

  // What scope.js lays out in *pool* for them.
  edgesOf(pool) {
    return this.all.flatMap(({ ends }) => ends.filter((end) => end.pool === pool && end.edge).map(({ edge }) => edge));
  }

  room(between) {
    return (this.lines.get(between) ?? 0) * APART;
  }

  // Once the pools and what is in them have their places.
  draw(found) {
    const used = new Map();
    const right = Math.max(...this.pools.map((pool) => found.shapes.get(pool)).map(({ x, width }) => x + width));
    const line = (room) => {
      used.set(room, (used.get(room) ?? 0) + 1);
      const box = found.shapes.get(this.pools[room]);
      return box.y + box.height + used.get(room) * APART;
    };
    this.all.forEach(({ flow, ends, rooms }, at) => {
      const [from, to] = this.#ways(ends, found);
      const [first, last] = [line(rooms[0]), rooms[0] === rooms[1] ? null : line(rooms[1])];
      const [out, into] = [from.at(-1).x, to[0].x];
      const aside = right + (at + 1) * APART;
      const between = last === null ? [{ x: out, y: first }, { x: into, y: first }] : [{ x: out, y: first }, { x: aside, y: first }, { x: aside, y: last }, { x: into, y: last }];
      found.connections.set(flow, [...from, ...between, ...to].filter(isTurn));
      const { label } = flow;
      if (label) found.shapes.set(label, { x: out + 8, y: first - label.height - 2, width: label.width, height: label.height });
    });
  }

  // The way from each end to the edge of its pool; a pool itself is left right above or below the other end.
  #ways(ends, found) {
    const drawn = ends.map(({ edge }) => edge?.drawn);
    return ends.map(({ pool, border }, at) => {
      if (drawn[at]) return drawn[at];
      const box = found.shapes.get(pool);
      const other = drawn[1 - at];
      const x = other ? (at === 0 ? other[0].x : other.at(-1).x) : box.x + box.width / 2;
      return [{ x, y: border === "top" ? box.y : box.y + box.height }];
    });
  }

  #planned(flow) {
    const [one, other] = [flow.source, flow.target].map((end) => this.#place(end));
    if (one.at < 0 || other.at < 0 || one.at === other.at) return null;
    const down = one.at < other.at;
    const end = ({ at, step }, border, name) => ({
      pool: this.pools[at],
      border,
      edge: step && { id: `${flow.id} ${name}`, [name]: step.id, border },
    });
    const ends = [end(one, down ? "bottom" : "top", "source"), end(other, down ? "top" : "bottom", "target")];
    return { flow, ends, rooms: down ? [one.at, other.at - 1] : [one.at - 1, other.at] };
  }

  // The pool of an end, and the step in it that stands directly in the pool.
  #place(end) {
    let step = end.host ?? end;
    while (step.parent && !this.pools.includes(step) && !this.pools.includes(step.parent)) step = step.parent.host ?? step.parent;
    if (this.pools.includes(step)) return { at: this.pools.indexOf(step), step: null };
    return { at: this.pools.indexOf(step.parent), step };
  }
}

function isTurn({ x, y }, at, points) {
  const [before, after] = [points[at - 1], points[at + 1]];
  if (before && before.x === x && before.y === y) return false;
  if (!before || !after) return true;
  return !((before.x === x && after.x === x) || (before.y === y && after.y === y));
}
