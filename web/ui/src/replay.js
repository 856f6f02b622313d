// The replay of a case: a slider, buttons and keys move over its steps; diagram, words, marks and address follow.
// The page came with one step drawn; the others come in windows, fetched when they are needed.
import { viewerOf } from "./diagram.js";
import { Follow } from "./drawings-follow.js";
import { Verdict } from "./replay-proof.js";
import { Steps, wayUntil } from "./replay-steps.js";

const STEP_MS = 2000; // at speed 1×
const SOON = 20; // so many steps before the end of a window the next one is fetched

export async function watchReplay(root) {
  const verdict = new Verdict(document.querySelector("[data-proof]"), document.querySelector("[data-check]"));
  verdict.start();
  const steps = await Steps.open(root.dataset.replay, Number(root.dataset.replayStep));
  if (!steps) return; // links and table still lead to every step
  await new Replay(root, steps, verdict).start();
}

class Replay {
  #timer = 0;

  constructor(root, steps, verdict) {
    const find = (selector) => root.querySelector(selector);
    this.root = root;
    this.steps = steps;
    this.verdict = verdict;
    this.now = Number(root.dataset.replayStep);
    this.range = find("input[type=range]");
    this.panel = find("[data-panel]");
    this.said = find("[data-said]");
    this.playing = find("[data-move=play]");
    this.speed = find("[data-speed]");
    this.marks = [...root.querySelectorAll(".track li")];
    this.table = document.querySelector("[data-steps]");
    const diagram = find("[data-diagram]");
    this.drawings = diagram && viewerOf(diagram)?.drawings;
    this.follow = this.drawings && new Follow(this.drawings);
    this.drawn = Number(root.dataset.replayDrawn); // the step that put the case on the diagram that is shown
    this.title = document.title;
  }

  async start() {
    for (const control of this.root.querySelectorAll(".time [hidden]")) control.hidden = false;
    this.range.value = this.now;
    this.#links();
    this.window = await this.steps.around(this.now);
    this.follow?.to(this.#step.lies, wayUntil(this.window, this.now));
    this.range.addEventListener("input", () => this.#byHand(Number(this.range.value), false));
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    this.speed.addEventListener("change", () => this.#timer && this.#play());
    this.verdict.section.addEventListener("verdict", () => this.verdict.mark(this.panel, this.now));
    this.verdict.mark(this.panel, this.now);
    this.root.dataset.ready = "1";
  }

  async show(step) {
    this.now = Math.min(Math.max(step, 1), this.steps.total);
    this.range.value = this.now;
    const wanted = this.now;
    const found = await this.steps.around(wanted);
    if (!found || wanted !== this.now) return; // the user has moved on meanwhile
    if (wanted > found.last - SOON && found.last < this.steps.total) this.steps.around(found.last + 1);
    this.#fill(found);
    const { html, said } = this.#step;
    this.panel.innerHTML = html; // the server's own template, escaped there
    this.verdict.mark(this.panel, this.now);
    this.range.setAttribute("aria-valuetext", said);
    this.marks.forEach((mark, n) => {
      mark.classList.toggle("past", Number(mark.dataset.from) <= this.now);
      mark.classList.toggle("cur", n === this.#mark);
    });
    [...this.table.rows].forEach((row, n) => (found.first + n === this.now ? row.setAttribute("aria-current", "step") : row.removeAttribute("aria-current")));
    document.title = this.title.replace(/step \d+/, `step ${this.now}`);
    if (!this.#timer) this.#remember();
    this.#links();
    this.#draw();
  }

  get #step() {
    return this.window.steps[this.now - this.window.first];
  }

  get #mark() {
    return this.marks.findLastIndex((mark) => Number(mark.dataset.from) <= this.now);
  }

  // The table shows the steps of one window.
  #fill(found) {
    if (found.first === this.window.first) return void (this.window = found);
    this.window = found;
    this.table.innerHTML = found.rows; // the server's own template, escaped there
    document.querySelector("[data-range]").textContent = `Steps ${found.first} to ${found.last} of ${found.total} in words`;
    const pages = [[found.first - 1, "Steps before"], [found.last + 1, "Steps after"]];
    document.querySelector("[data-pages]").replaceChildren(...pages.filter(([step]) => step >= 1 && step <= found.total).map(([step, words]) => page(step, words)));
  }

  async #draw() {
    if (!this.drawings) return;
    const { drawn, lies } = this.#step;
    const way = wayUntil(this.window, this.now);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      await this.drawings.replace(this.window.drawings[drawn], way);
      if (this.#step?.drawn !== this.drawn) return; // the user has moved on meanwhile
    }
    await this.follow.to(lies, way);
  }

  async #byHand(step, aloud = true) {
    this.#stop();
    await this.show(step);
    if (aloud) this.#say();
  }

  #say() {
    const said = this.#step?.said;
    if (said) this.said.textContent = said;
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
    else if (key === "f" && this.follow) this.follow.toggle();
    else if (onRange) return;
    else if (key === "ArrowLeft") this.#byHand(this.now - 1);
    else if (key === "ArrowRight") this.#byHand(this.now + 1);
    else if (key === "Home") this.#byHand(1);
    else if (key === "End") this.#byHand(this.steps.total);
    else return;
    event.preventDefault();
  }

  #toggle() {
    if (this.#timer) return this.#stop();
    this.#play();
    if (this.now === this.steps.total) this.show(1);
  }

  #play() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(), STEP_MS / Number(this.speed.value));
    this.#label("Pause", "pause");
  }

  async #tick() {
    await this.show(this.now + 1);
    if (this.now < this.steps.total || !this.#timer) return;
    this.#stop();
    this.#say();
  }

  #stop() {
    clearInterval(this.#timer);
    if (this.#timer) this.#label("Play", "play");
    this.#timer = 0;
    this.#remember();
  }

  // Not while playing: browsers refuse many changes in a short time.
  #remember() {
    if (location.search !== `?step=${this.now}`) history.replaceState(null, "", address(this.now) + location.hash);
  }

  #label(words, icon) {
    this.playing.setAttribute("aria-label", words);
    this.playing.title = `${words} (space)`;
    this.playing.querySelector("use").setAttribute("href", `#${icon}`);
  }

  // Without this script these links are how people move; with it they can still be opened in another window.
  #links() {
    const ends = { first: 1, back: Math.max(this.now - 1, 1), next: Math.min(this.now + 1, this.steps.total) };
    for (const [move, step] of Object.entries(ends)) {
      const link = this.root.querySelector(`[data-move=${move}]`);
      link.href = address(step);
      link.toggleAttribute("data-end", step === this.now);
    }
  }
}

function page(step, words) {
  const link = Object.assign(document.createElement("a"), { className: "btn", href: address(step), textContent: words });
  link.dataset.step = step;
  return link;
}

function address(step) {
  return `${location.pathname}?step=${step}`;
}
