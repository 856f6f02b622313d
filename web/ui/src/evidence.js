// The evidence bundle: one file, opened from a disk. Everything is in the page; this draws the diagrams and moves over its steps.
// Without it the page shows every step one below the other, as it is printed.
import { draw } from "./diagram.js";
import { Follow } from "./drawings-follow.js";
import { wayOf } from "./replay-steps.js";

const STEP_MS = 2000; // at speed 1×

class Bundle {
  #timer = 0;

  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.root = root;
    this.steps = JSON.parse(document.getElementById("ways").textContent);
    this.range = find("input[type=range]");
    this.said = find("[data-said]");
    this.playing = find("[data-move=play]");
    this.speed = find("[data-speed]");
    this.marks = [...root.querySelectorAll(".track li")];
    this.panels = [...root.querySelectorAll("[data-panel]")];
    this.rows = [...document.querySelectorAll("[data-steps] tr")];
    this.now = this.steps.length;
  }

  async start() {
    for (const control of this.root.querySelectorAll(".time [hidden]")) control.hidden = false;
    this.root.classList.add("live");
    this.range.addEventListener("input", () => this.#byHand(Number(this.range.value), false));
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    this.speed.addEventListener("change", () => this.#timer && this.#play());
    await this.#diagram();
    this.show(Number(/^#step-(\d+)$/.exec(location.hash)?.[1] ?? this.steps.length));
  }

  async #diagram() {
    const host = this.root.querySelector("[data-sheet]");
    if (!host) return;
    try {
      this.versions = JSON.parse(document.getElementById("bpmn").textContent);
      this.drawn = this.#step.drawn;
      this.drawings = await draw(host, this.versions[this.drawn], this.way());
      this.follow = new Follow(this.drawings);
      await this.#onPaper();
    } catch (problem) {
      host.replaceChildren("The diagram could not be drawn. The steps below say the same in words.");
      console.error(problem);
    }
  }

  // On paper nothing can be chosen: every diagram stands there, with its whole way.
  async #onPaper() {
    const list = this.versions[this.drawn];
    if (list.length === 1) return;
    const sheets = list.map((one) => {
      const [figure, caption, canvas] = ["figure", "figcaption", "div"].map((tag) => document.createElement(tag));
      caption.textContent = one.name;
      canvas.className = "canvas";
      figure.append(caption, canvas);
      return { one, figure, canvas };
    });
    this.root.querySelector("[data-on-paper]").append(...sheets.map(({ figure }) => figure));
    for (const { one, canvas } of sheets) await draw(canvas, [{ ...one, calls: {} }], this.way());
    this.root.classList.add("several");
  }

  show(step) {
    this.now = Math.min(Math.max(step, 1), this.steps.length);
    this.range.value = this.now;
    this.range.setAttribute("aria-valuetext", this.#words());
    const mark = (list, act) => list.forEach((one, n) => act(one, n + 1));
    mark(this.panels, (panel, n) => panel.classList.toggle("cur", n === this.now));
    mark(this.rows, (row, n) => (n === this.now ? row.setAttribute("aria-current", "step") : row.removeAttribute("aria-current")));
    mark(this.marks, (one, n) => {
      one.classList.toggle("past", n <= this.now);
      one.classList.toggle("cur", n === this.now);
    });
    this.#draw();
  }

  way() {
    return wayOf({ visits: {}, flows: {}, calls: [] }, this.steps.slice(0, this.now));
  }

  async #draw() {
    if (!this.follow) return;
    const { drawn, lies } = this.#step;
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      await this.drawings.replace(this.versions[drawn], this.way());
      if (this.#step.drawn !== drawn) return;
    }
    await this.follow.to(lies, this.way());
  }

  get #step() {
    return this.steps[this.now - 1];
  }

  #words() {
    return this.panels[this.now - 1].dataset.panel;
  }

  #byHand(step, aloud = true) {
    this.#stop();
    this.show(step);
    if (aloud) this.said.textContent = this.#words();
  }

  #click(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const link = event.target.closest("[data-step]");
    if (link) {
      event.preventDefault();
      this.#byHand(Number(link.dataset.step));
      if (this.root.getBoundingClientRect().bottom < 120) this.root.scrollIntoView({ block: "start" });
      return;
    }
    const move = event.target.closest("[data-move]")?.dataset.move;
    if (move === "play") this.#toggle();
    else if (move) this.#byHand({ first: 1, back: this.now - 1, next: this.now + 1 }[move]);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const { target, key } = event;
    if (key === " " && !target.closest("a, button, summary, select")) this.#toggle();
    else if (key === "f" && !target.closest("select")) this.follow?.toggle();
    else if (target.closest("input, select")) return; // the slider has its own keys
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
    this.#timer = setInterval(() => {
      this.show(this.now + 1);
      if (this.now === this.steps.length) this.#stop();
    }, STEP_MS / Number(this.speed.value));
    this.#label("Pause", "pause");
  }

  #stop() {
    clearInterval(this.#timer);
    if (this.#timer) this.#label("Play", "play");
    this.#timer = 0;
  }

  #label(words, icon) {
    this.playing.setAttribute("aria-label", words);
    this.playing.title = `${words} (space)`;
    this.playing.querySelector("use").setAttribute("href", `#${icon}`);
  }
}

const root = document.querySelector("[data-bundle]");
if (root) await new Bundle(root).start();
document.body.dataset.ready = "1";
