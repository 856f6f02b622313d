// How large the diagram is drawn: fits at first, then as people zoom. The tools sit bottom left; bottom right is the
// bpmn.io mark's.
import { element } from "./draft-file.js";

const STEP = 1.25;
const PALETTE = 52; // pixels at the left
const ROOM = 16; // pixels around the drawing
const FOOT = 36; // pixels for the tools and the mark

export class Sizes {
  constructor(host, modeler) {
    this.host = host;
    this.canvas = modeler.get("canvas");
    modeler.on("canvas.viewbox.changed", () => this.#say());
    // A plain wheel scrolls the page; with Ctrl it zooms the diagram.
    host.addEventListener("wheel", (event) => event.ctrlKey || event.metaKey || event.stopPropagation(), { capture: true });
  }

  show() {
    const bar = element("div", "zoom");
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Size of the diagram");
    this.middle = this.#button("Fit", "Fit to the window", () => this.fit());
    bar.append(this.#button("−", "Smaller", () => this.#zoom(1 / STEP)), this.middle, this.#button("+", "Larger", () => this.#zoom(STEP)));
    this.host.append(bar);
    this.fit();
  }

  // The whole drawing in what the palette leaves free.
  fit() {
    const { inner, outer } = this.canvas.viewbox();
    const free = { width: outer.width - PALETTE - 2 * ROOM, height: outer.height - 2 * ROOM - FOOT };
    const scale = Math.min(1, free.width / inner.width, free.height / inner.height);
    const left = (PALETTE + ROOM + (free.width - inner.width * scale) / 2) / scale;
    const top = (ROOM + (free.height - inner.height * scale) / 2) / scale;
    this.canvas.viewbox({ x: inner.x - left, y: inner.y - top, width: outer.width / scale, height: outer.height / scale });
  }

  #zoom(by) {
    this.canvas.zoom(Math.min(4, Math.max(0.2, this.canvas.zoom() * by)));
  }

  #say() {
    if (this.middle) this.middle.textContent = `${Math.round(this.canvas.zoom() * 100)}%`;
  }

  #button(words, label, act) {
    const button = element("button", "", words);
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    return button;
  }
}
