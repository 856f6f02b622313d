// Keeps the diagram in sight in which a step lies, until somebody holds another one.

import { remember } from "./drawings-bar.js";

export class Follow {
  #box;
  #last = null;

  constructor(drawings) {
    this.drawings = drawings;
    this.on = !location.hash.includes("diagram="); // an address with a diagram in it holds that one
    drawings.opened = () => this.#set(false);
  }

  // Shows a step: *lies* is {element, call}, where it lies; *way* the way up to it.
  async to(lies, way) {
    this.#last = lies;
    this.#offer();
    const there = this.on && this.drawings.with(lies.element);
    this.drawings.way = way;
    if (there) await this.drawings.open(there.key, { call: lies.call, at: lies.element });
    else this.drawings.update(way);
    if (!this.drawings.bar && lies.element) this.drawings.look(lies.element);
  }

  toggle() {
    if (!this.#box) return;
    this.#set(!this.on);
    if (!this.on) return;
    remember("");
    if (this.#last) this.to(this.#last, this.drawings.way);
  }

  #set(on) {
    this.on = on;
    if (this.#box) this.#box.checked = on;
  }

  // Only where there are several diagrams.
  #offer() {
    if (this.#box || !this.drawings.bar) return;
    this.#box = Object.assign(document.createElement("input"), { type: "checkbox", checked: this.on });
    this.#box.addEventListener("change", () => this.toggle());
    const label = document.createElement("label");
    label.className = "follow";
    label.title = "Show the diagram in which the step lies (F)";
    label.append(this.#box, "Follow the steps");
    this.drawings.bar.names.after(label);
  }
}
