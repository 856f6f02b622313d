// The replay of a case: a slider, buttons and keys move over its steps; diagram, words, marks and address follow.
// The page came with one step drawn; all steps are fetched once, then nothing is asked of the server any more.
import { viewerOf } from "./diagram.js";
import { paintWay } from "./diagram-way.js";

const STEP_MS = 2000; // at speed 1×

export async function watchReplay(root) {
  const answer = await fetch(root.dataset.replay).catch(() => null);
  if (!answer?.ok) return; // links and table still lead to every step
  new Replay(root, (await answer.json()).steps).start();
}

class Replay {
  #timer = 0;

  constructor(root, steps) {
    const find = (selector) => root.querySelector(selector);
    this.root = root;
    this.steps = steps;
    this.now = Number(root.dataset.replayStep);
    this.range = find("input[type=range]");
    this.panel = find("[data-panel]");
    this.said = find("[data-said]");
    this.playing = find("[data-move=play]");
    this.speed = find("[data-speed]");
    this.marks = [...root.querySelectorAll(".track li")];
    this.rows = [...document.querySelectorAll("[data-steps] tr")];
    this.viewer = viewerOf(find("[data-diagram]"));
    this.title = document.title;
  }

  start() {
    for (const control of this.root.querySelectorAll(".time [hidden]")) control.hidden = false;
    this.range.value = this.now;
    this.#links();
    this.range.addEventListener("input", () => this.#byHand(Number(this.range.value), false));
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    this.speed.addEventListener("change", () => this.#timer && this.#play());
    this.root.dataset.ready = "1";
  }

  show(step) {
    this.now = Math.min(Math.max(step, 1), this.steps.length);
    const { html, said } = this.steps[this.now - 1];
    this.panel.innerHTML = html; // the server's own template, escaped there
    this.range.value = this.now;
    this.range.setAttribute("aria-valuetext", said);
    this.marks.forEach((mark, n) => {
      mark.classList.toggle("past", n < this.now);
      mark.classList.toggle("cur", n === this.now - 1);
    });
    this.rows.forEach((row, n) => (n === this.now - 1 ? row.setAttribute("aria-current", "step") : row.removeAttribute("aria-current")));
    document.title = this.title.replace(/step \d+/, `step ${this.now}`);
    if (!this.#timer) this.#remember();
    this.#links();
    this.#draw();
  }

  // The sums of all steps until now; what the server does in `way_until`.
  way() {
    const [visits, flows] = [new Map(), {}];
    for (const step of this.steps.slice(0, this.now)) {
      for (const [id, count] of Object.entries(step.visits)) visits.set(id, (visits.get(id) ?? 0) + count);
      for (const [id, count] of Object.entries(step.flows)) flows[id] = (flows[id] ?? 0) + count;
    }
    const { at, incident, passed, flows: taken } = this.steps[this.now - 1];
    const visited = [...visits].map(([element, count]) => ({ element, visits: count }));
    return { visited, flows, at, incident, step: { elements: passed, flows: Object.keys(taken) } };
  }

  #draw() {
    if (!this.viewer) return;
    const way = this.way();
    paintWay(this.viewer, way);
    const shown = [...way.incident, ...way.at, ...way.step.elements.slice(-1)].find((id) => this.viewer.get("elementRegistry").get(id));
    if (shown) reveal(this.viewer, shown);
  }

  #byHand(step, aloud = true) {
    this.#stop();
    this.show(step);
    if (aloud) this.said.textContent = this.steps[this.now - 1].said;
  }

  #click(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const link = event.target.closest("[data-step]");
    if (link) {
      event.preventDefault();
      this.#byHand(Number(link.dataset.step));
      if (this.panel.getBoundingClientRect().bottom < 0) this.root.scrollIntoView({ block: "start" });
      return;
    }
    const move = event.target.closest("[data-move]")?.dataset.move;
    if (!move) return;
    event.preventDefault();
    if (move === "play") this.#toggle();
    else this.#byHand({ first: 1, back: this.now - 1, next: this.now + 1 }[move]);
  }

  // The slider has its own keys; these are for the rest of the page. Up and down go on scrolling it.
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    const onRange = target === this.range;
    if (!onRange && target.closest("input, select, textarea, [contenteditable]")) return;
    if (key === " " && !target.closest("a, button, summary")) this.#toggle();
    else if (onRange) return;
    else if (key === "ArrowLeft") this.#byHand(this.now - 1);
    else if (key === "ArrowRight") this.#byHand(this.now + 1);
    else if (key === "Home") this.#byHand(1);
    else if (key === "End") this.#byHand(this.steps.length);
    else return;
    event.preventDefault();
  }

  #toggle() {
    if (this.#timer) return this.#stop();
    this.#play();
    if (this.now === this.steps.length) this.show(1);
  }

  #play() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(), STEP_MS / Number(this.speed.value));
    this.#label("Pause", "pause");
  }

  #tick() {
    this.show(this.now + 1);
    if (this.now < this.steps.length) return;
    this.#stop();
    this.said.textContent = this.steps[this.now - 1].said;
  }

  #stop() {
    clearInterval(this.#timer);
    if (this.#timer) this.#label("Play", "play");
    this.#timer = 0;
    this.#remember();
  }

  // Not while playing: browsers refuse many changes in a short time.
  #remember() {
    if (location.search !== `?step=${this.now}`) history.replaceState(null, "", address(this.now));
  }

  #label(words, icon) {
    this.playing.setAttribute("aria-label", words);
    this.playing.title = `${words} (space)`;
    this.playing.querySelector("use").setAttribute("href", `#${icon}`);
  }

  // Without this script they are how one moves; with it they can still be opened in a window of their own.
  #links() {
    const ends = { first: 1, back: Math.max(this.now - 1, 1), next: Math.min(this.now + 1, this.steps.length) };
    for (const [move, step] of Object.entries(ends)) {
      const link = this.root.querySelector(`[data-move=${move}]`);
      link.href = address(step);
      link.toggleAttribute("data-end", step === this.now);
    }
  }
}

function address(step) {
  return `${location.pathname}?step=${step}`;
}

// Moves the diagram only when the element lies outside of what is seen of it.
function reveal(viewer, id) {
  const canvas = viewer.get("canvas");
  const element = viewer.get("elementRegistry").get(id);
  const view = canvas.viewbox();
  const inside = (axis, size) => element[axis] >= view[axis] && element[axis] + element[size] <= view[axis] + view[size];
  if (element.waypoints || (inside("x", "width") && inside("y", "height"))) return;
  canvas.viewbox({ ...view, x: element.x + element.width / 2 - view.width / 2, y: clamp(element.y + element.height / 2 - view.height / 2, view) });
}

// Never further down or up than the drawing goes, where all of it fits.
function clamp(y, view) {
  const { inner } = view;
  return inner.height <= view.height ? inner.y - (view.height - inner.height) / 2 : Math.min(Math.max(y, inner.y), inner.y + inner.height - view.height);
}
