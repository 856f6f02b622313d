// The steps of a case as the server gives them: whole, or in windows, each fetched when it is first looked at.

const KEPT = 40; // windows

export class Steps {
  #windows = new Map(); // number of the window → promise of it

  constructor(url, first) {
    this.url = url;
    this.size = first.size;
    this.total = first.total;
    this.#windows.set(this.#number(first.first), Promise.resolve(first));
  }

  // The case that opens at *step*; none where the server does not answer.
  static async open(url, step) {
    const first = await ask(url, step);
    return first && new Steps(url, first);
  }

  // The window with *step* in it; none where the server does not answer.
  async around(step) {
    const number = this.#number(step);
    if (!this.#windows.has(number)) this.#windows.set(number, ask(this.url, step));
    const found = await this.#windows.get(number);
    if (!found) this.#windows.delete(number); // another try may work
    if (this.#windows.size > KEPT) this.#windows.delete(this.#windows.keys().next().value);
    return found;
  }

  #number(step) {
    return Math.floor((step - 1) / this.size);
  }
}

// The sums of all steps until *step* of its window; what the server does in `way_until`.
export function wayUntil(window, step) {
  return wayOf(window.before, window.steps.slice(0, step - window.first + 1));
}

// The way after *steps*, which began at *before*: {visits, flows, calls}; the last of them apart.
export function wayOf(before, steps) {
  const visits = new Map(Object.entries(before.visits));
  const flows = { ...before.flows };
  const calls = new Map(before.calls.map((one) => [one.place, one]));
  for (const one of steps) {
    for (const [id, count] of Object.entries(one.visits)) visits.set(id, (visits.get(id) ?? 0) + count);
    for (const [id, count] of Object.entries(one.flows)) flows[id] = (flows[id] ?? 0) + count;
    for (const call of one.calls) calls.set(call.place, call);
  }
  const { at, incident, passed, flows: taken, inside } = steps.at(-1);
  const visited = [...visits].map(([element, count]) => ({ element, visits: count }));
  const step = { elements: passed, flows: Object.keys(taken) };
  const each = [...calls.values()].map((one) => ({ ...one, at: [], incident: [], ...inside[one.place] }));
  return { visited, flows, at, incident, step, calls: each };
}

async function ask(url, step) {
  const answer = await fetch(`${url}?step=${step}`).catch(() => null);
  return answer?.ok ? answer.json() : null;
}
