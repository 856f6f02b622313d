// Where steps stand: a column for how far along the flow a step is, a row for which branch it is on. Rows belong to lanes.
// What is there already decides the order: steps of a column stay one above the other as they were.

// A scope is {lanes, nodes: [{id, lane, middle: {x, y}, …}], edges: [{id, source, target, …}]}: one pool, sub-process or plane.
export function gridOf({ lanes, nodes, edges }) {
  const graph = graphOf(nodes, edges);
  const column = columnsOf(graph);
  const row = rowsOf(graph, column);
  const bands = bandsOf(Math.max(1, lanes), nodes, row);
  const place = new Map(nodes.map((node) => [node.id, { column: column.get(node.id), band: bands.of.get(node.id) }]));
  const cells = new Map(nodes.map((node) => [cell(place.get(node.id)), node]));
  return { place, bands: bands.list, columns: Math.max(0, ...column.values()) + 1, at: (where) => cells.get(cell(where)) };
}

function cell({ column, band }) {
  return `${column} ${band}`;
}

// The steps with what leads in and out, those that come first in front; edges that lead back are left out.
function graphOf(nodes, edges) {
  const by = new Map(nodes.map((node, index) => [node.id, { node, index, into: [], out: [] }]));
  const drawn = edges.filter(({ source, target }) => by.has(source) && by.has(target) && source !== target);
  const leads = new Map([...by.keys()].map((id) => [id, new Set()]));
  const entered = new Set(drawn.map(({ target }) => target));
  for (const { source, target } of drawn) leads.get(source).add(target);
  const back = new Set();
  const state = new Map();
  const visit = (first) => {
    const open = [[first, [...leads.get(first)].values()]];
    state.set(first, "open");
    while (open.length > 0) {
      const [id, rest] = open.at(-1);
      const { value: next, done } = rest.next();
      if (done) state.set(open.pop()[0], "done");
      else if (state.get(next) === "open") back.add(`${id} ${next}`);
      else if (!state.has(next)) (state.set(next, "open"), open.push([next, [...leads.get(next)].values()]));
    }
  };
  const fromLeft = [...by.values()].sort((one, other) => one.node.middle.x - other.node.middle.x || one.index - other.index);
  const begins = fromLeft.filter(({ node }) => !entered.has(node.id));
  for (const { node } of [...begins, ...fromLeft]) if (!state.has(node.id)) visit(node.id);
  for (const [source, targets] of leads) {
    for (const target of targets) {
      if (back.has(`${source} ${target}`)) continue;
      by.get(source).out.push(by.get(target));
      by.get(target).into.push(by.get(source));
    }
  }
  return [...by.values()];
}

// The longest way from a beginning; what nothing leads to stands right before what it leads to.
function columnsOf(graph) {
  const waiting = new Map(graph.map((one) => [one, one.into.length]));
  const ready = graph.filter((one) => one.into.length === 0);
  const found = new Map(ready.map((one) => [one.node.id, 0]));
  for (const one of ready) {
    for (const next of one.out) {
      found.set(next.node.id, Math.max(found.get(next.node.id) ?? 0, found.get(one.node.id) + 1));
      waiting.set(next, waiting.get(next) - 1);
      if (waiting.get(next) === 0) ready.push(next);
    }
  }
  for (const one of graph) {
    if (one.into.length > 0 || one.out.length === 0) continue;
    found.set(one.node.id, Math.max(0, Math.min(...one.out.map(({ node }) => found.get(node.id))) - 1));
  }
  return found;
}

const ON_THE_MAIN_WAY = 8; // how much harder it is to move off a step's row than off the middle of several

// A row within its lane for each step: that of the step before, as far as the order in the column leaves it free.
function rowsOf(graph, column) {
  const lengths = lengthsOf(graph, column);
  const main = new Map(graph.map((one) => [one, mainWay(one, lengths)]));
  const row = new Map();
  const groups = new Map();
  for (const one of graph) {
    const key = `${column.get(one.node.id)} ${one.node.lane}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const ordered = [...groups.values()].sort(([one], [other]) => column.get(one.node.id) - column.get(other.node.id));
  for (const group of ordered) {
    const wish = (one) => wished(one, main, row);
    const wishes = new Map(group.map((one) => [one, wish(one)]));
    group.sort((one, other) => one.node.middle.y - other.node.middle.y || wishes.get(one).at - wishes.get(other).at || one.index - other.index);
    settle(group.map((one) => wishes.get(one))).forEach((at, index) => row.set(group[index].node.id, at));
  }
  return row;
}

// How many steps the longest way on has.
function lengthsOf(graph, column) {
  const found = new Map();
  for (const one of [...graph].sort((a, b) => column.get(b.node.id) - column.get(a.node.id))) {
    found.set(one, 1 + Math.max(0, ...one.out.map((next) => found.get(next) ?? 0)));
  }
  return found;
}

// The step that goes on in the same row: the one drawn nearest to it, of several the one with the longest way on.
function mainWay(one, lengths) {
  const inLane = one.out.filter(({ node }) => node.lane === one.node.lane);
  const away = ({ node }) => Math.round(Math.abs(node.middle.y - one.node.middle.y) / 20);
  return inLane.sort((a, b) => away(a) - away(b) || lengths.get(b) - lengths.get(a) || a.index - b.index)[0];
}

function wished(one, main, row) {
  const before = one.into.filter(({ node }) => node.lane === one.node.lane);
  const straight = before.find((other) => main.get(other) === one);
  if (straight) return { at: row.get(straight.node.id), weight: ON_THE_MAIN_WAY };
  if (before.length === 0) return { at: 0, weight: 0.1 };
  return { at: before.reduce((sum, other) => sum + row.get(other.node.id), 0) / before.length, weight: 1 };
}

// Whole numbers, each more than the one before, as near to what is wished as that allows (pool adjacent violators).
function settle(wishes) {
  const blocks = [];
  wishes.forEach(({ at, weight }, index) => {
    blocks.push({ at: at - index, weight, count: 1 });
    while (blocks.length > 1 && blocks.at(-2).at > blocks.at(-1).at) {
      const [one, other] = blocks.splice(-2);
      const all = one.weight + other.weight;
      blocks.push({ at: (one.at * one.weight + other.at * other.weight) / all, weight: all, count: one.count + other.count });
    }
  });
  const rows = blocks.flatMap(({ at, count }) => Array(count).fill(Math.round(at)));
  return rows.map((at, index) => at + index);
}

// Gaps and rows from top to bottom, a gap at both sides of each row. A node's band is its row's place in this list.
function bandsOf(lanes, nodes, row) {
  const list = [];
  const of = new Map();
  for (let lane = 0; lane < lanes; lane += 1) {
    const inside = nodes.filter((node) => node.lane === lane);
    const used = [...new Set(inside.map(({ id }) => row.get(id)))].sort((a, b) => a - b);
    const first = list.length;
    list.push({ lane });
    for (const _ of used.length > 0 ? used : [0]) list.push({ lane, isRow: true }, { lane });
    for (const { id } of inside) of.set(id, first + 1 + 2 * used.indexOf(row.get(id)));
  }
  return { list, of };
}
