// Size and zoom of a diagram. Its tools sit bottom left: the bottom right corner is the bpmn.io mark's.

const ROOM = 24; // diagram units left free around the drawing, for tokens and numbers
const READABLE = { narrow: 0.75, wide: 0.6 }; // below this scale names cannot be read: show a part, the token first
const OVERVIEW = 480; // pixels of width below which an overview of the whole shows nothing
const FOOT = 44; // pixels for the tools and the mark
const STEP = 1.25;
const PAIRED = 0.9; // scale of two diagrams side by side
const PAIR_HEIGHT = 380; // pixels

export class Tools {
  constructor(host, viewer) {
    this.host = host;
    this.canvas = viewer.get("canvas");
    this.registry = viewer.get("elementRegistry");
    this.start = []; // elements to have in sight, the most important first
    this.together = null; // shows both of a pair at one spot, once both are drawn
    this.paired = host.dataset.diagramPair !== undefined;
    this.touched = false; // once somebody zoomed, a new window size no longer refits
    this.steady = false; // several diagrams follow each other: the page below does not move with each of them
    this.tallest = 0;
  }

  show(way) {
    this.#begin(way);
    this.host.append(this.#bar());
    // A plain wheel scrolls the page; with Ctrl it zooms the diagram.
    this.host.addEventListener("wheel", (event) => event.ctrlKey || event.metaKey || event.stopPropagation(), { capture: true });
    this.fit();
    let width = this.host.clientWidth;
    new ResizeObserver(() => {
      if (width === this.host.clientWidth || this.host.clientWidth === 0) return; // 0: hidden, on paper
      width = this.host.clientWidth;
      this.canvas.resized();
      this.tallest = 0;
      if (!this.touched) this.fit();
    }).observe(this.host);
  }

  // Another diagram: fitted as if nobody had zoomed, to what *way* is at.
  fitTo(way) {
    this.touched = false;
    this.#begin(way);
    this.fit();
  }

  #begin(way) {
    this.start = [...(way?.incident ?? []), ...(way?.at ?? []), ...(way?.visited ?? []).map((v) => v.element).reverse()];
  }

  fit() {
    if (this.host.clientWidth === 0) return; // hidden, or no longer on the page; fitted once it has a size
    const { inner } = this.canvas.viewbox();
    if (this.paired) return this.#atFocus(inner);
    const width = this.host.clientWidth;
    const tallest = Math.max(320, window.innerHeight * 0.85);
    const whole = Math.min(1, width / (inner.width + 2 * ROOM), (tallest - FOOT) / (inner.height + 2 * ROOM));
    const least = Number(this.host.dataset.diagramLeast) || READABLE.wide;
    const overview = this.host.dataset.diagramWhole !== undefined && width >= OVERVIEW;
    const scale = overview ? whole : Math.max(whole, width < 700 ? READABLE.narrow : least);
    const wanted = Math.min((inner.height + 2 * ROOM) * scale + FOOT, tallest);
    const height = this.steady ? Math.max(wanted, this.tallest) : wanted;
    this.tallest = height;
    this.host.style.height = `${Math.round(height)}px`;
    this.canvas.resized();
    const shown = { width: width / scale, height: (height - FOOT) / scale };
    const middle = this.#middle(inner, shown);
    const corner = { x: middle.x - shown.width / 2, y: middle.y - shown.height / 2 };
    this.#look({ ...corner, width: width / scale, height: height / scale });
  }

  // One of two diagrams side by side: both at one scale and spot, so that what differs is beside its counterpart.
  #atFocus(inner) {
    const wished = [...(this.host.dataset.diagramFocus ?? "").split(" "), ...this.start];
    const goal = wished.map((id) => this.registry.get(id)).find((one) => one?.width && !one.waypoints) ?? inner;
    const scale = this.host.clientWidth < OVERVIEW ? READABLE.narrow : PAIRED;
    this.host.style.height = `${PAIR_HEIGHT}px`;
    this.canvas.resized();
    if (this.together) return this.together();
    const [width, height] = [this.host.clientWidth / scale, PAIR_HEIGHT / scale];
    const x = goal.x + goal.width / 2 - width / 3; // what follows is to the right
    this.#look({ x, y: goal.y + goal.height / 2 - height / 2, width, height });
  }

  // A page that is being left, or has nothing drawn on it, gives no place to look at.
  #look(box) {
    const { width, height } = this.canvas.getSize();
    if ([...Object.values(box), width / box.width, height / box.height].every(Number.isFinite)) this.canvas.viewbox(box);
  }

  // Where everything fits, the middle of the drawing; otherwise as near to the token as the drawing's edges allow.
  #middle(inner, shown) {
    const element = this.start.map((id) => this.registry.get(id)).find((found) => found?.width && !found.waypoints);
    const first = this.registry.find((found) => found.type === "bpmn:StartEvent");
    const goal = element ?? first;
    const along = (axis, size) => {
      const [from, to] = [inner[axis] - ROOM, inner[axis] + inner[size] + ROOM];
      if (to - from <= shown[size] || !goal) return (from + to) / 2;
      const wish = goal[axis] + goal[size] / 2;
      return Math.min(Math.max(wish, from + shown[size] / 2), to - shown[size] / 2);
    };
    return { x: along("x", "width"), y: along("y", "height") };
  }

  #bar() {
    const bar = Object.assign(document.createElement("div"), { className: "zoom" });
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Size of the diagram");
    bar.append(
      this.#button("−", "Smaller", () => this.#zoom(1 / STEP)),
      this.#button("+", "Larger", () => this.#zoom(STEP)),
      this.paired
        ? this.#button("Whole diagram", "Whole diagram", () => this.#whole())
        : this.#button("Fit", "Fit", () => this.#whole()),
    );
    return bar;
  }

  #zoom(by) {
    this.touched = true;
    this.canvas.zoom(Math.min(4, Math.max(0.2, this.canvas.zoom() * by)));
  }

  #whole() {
    this.touched = this.paired;
    this.canvas.zoom("fit-viewport", "auto");
  }

  #button(words, label, act) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    return button;
  }
}

// Moves the diagram only when the element lies outside of what is seen of it.
export function reveal(viewer, id) {
  const canvas = viewer.get("canvas");
  const element = viewer.get("elementRegistry").get(id);
  if (!element || element.waypoints) return;
  const view = canvas.viewbox();
  if (!(view.width > 0 && view.height > 0)) return; // the canvas has no size
  const inside = (axis, size) => element[axis] >= view[axis] && element[axis] + element[size] <= view[axis] + view[size];
  if (inside("x", "width") && inside("y", "height")) return;
  canvas.viewbox({ ...view, x: element.x + element.width / 2 - view.width / 2, y: clamp(element.y + element.height / 2 - view.height / 2, view) });
}

// Never further down or up than the drawing goes, where all of it fits.
function clamp(y, view) {
  const { inner } = view;
  return inner.height <= view.height ? inner.y - (view.height - inner.height) / 2 : Math.min(Math.max(y, inner.y), inner.y + inner.height - view.height);
}
