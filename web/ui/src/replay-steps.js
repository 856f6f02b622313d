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
  const visits = new Map(Object.entries(window.before.visits));
  const flows = { ...window.before.flows };
  const until = window.steps.slice(0, step - window.first + 1);
  for (const one of until) {
    for (const [id, count] of Object.entries(one.visits)) visits.set(id, (visits.get(id) ?? 0) + count);
    for (const [id, count] of Object.entries(one.flows)) flows[id] = (flows[id] ?? 0) + count;
  }
  const { at, incident, passed, flows: taken } = until.at(-1);
  const visited = [...visits].map(([element, count]) => ({ element, visits: count }));
  return { visited, flows, at, incident, step: { elements: passed, flows: Object.keys(taken) } };
}

async function ask(url, step) {
  const answer = await fetch(`${url}?step=${step}`).catch(() => null);
  return answer?.ok ? answer.json() : null;
}
