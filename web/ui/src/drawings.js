// The diagrams of a package on one canvas: one is shown, the others are a name, or a call, away.
// A diagram: {key, name, url or xml, page, calls: {activity: key}, elements: [id], problem}. The first is the main one.
import { paintHeat } from "./diagram-heat.js";
import { asWay, paintParting } from "./diagram-parting.js";
import { Tools, reveal } from "./diagram-tools.js";
import { forgetWay, paintWay } from "./diagram-way.js";
import { DrawingsBar } from "./drawings-bar.js";
import { openings } from "./diagram-calls.js";

export class Drawings {
  #texts = new Map(); // address → promise of the file
  #turn = 0;

  constructor(host, viewer, list, way) {
    Object.assign(this, { host, viewer, list, way });
    this.shown = list[0];
    this.call = ""; // the place of the call whose way is shown; empty: the ways of all calls together
    this.heat = host.dataset.heat ? JSON.parse(document.getElementById(host.dataset.heat).textContent) : null;
    this.tools = new Tools(host, viewer);
    this.bar = list.length > 1 ? new DrawingsBar(this) : null;
    this.tools.steady = this.bar !== null;
  }

  async start() {
    const asked = this.bar && new URLSearchParams(location.hash.slice(1)).get("diagram");
    const parted = [this.way?.first, ...(this.host.dataset.diagramFocus ?? "").split(" ")]; // where ways part
    this.shown = this.find(asked) ?? parted.map((id) => id && this.with(id)).find(Boolean) ?? this.list[0];
    await this.#import();
    this.tools.show(this.#start());
    this.bar?.update();
  }

  find(key) {
    return this.list.find((one) => one.key === key);
  }

  // The diagram that draws an element.
  with(element) {
    return this.list.find((one) => one.elements?.includes(element));
  }

  // The calls of a diagram that the way knows, oldest first.
  calls(key) {
    return (this.way?.calls ?? []).filter((one) => one.key === key);
  }

  // Shows another diagram, of all calls or of one; `at` is an element to have in sight.
  async open(key, { call = "", at = "" } = {}) {
    const turn = ++this.#turn;
    const wanted = this.find(key);
    const other = wanted !== this.shown;
    Object.assign(this, { shown: wanted, call });
    if (other) await this.#import();
    else this.#paint();
    if (turn !== this.#turn) return; // another one was asked for meanwhile
    if (other) this.tools.fitTo(this.#start());
    if (at) reveal(this.viewer, at);
    this.bar?.update();
  }

  look(element) {
    reveal(this.viewer, element);
  }

  // The same diagrams with another way: the next step of a case.
  update(way) {
    this.way = way;
    this.#paint();
    this.bar?.update();
  }

  // The diagrams of another version in place of these, with *way*; the diagram shown stays, if there is one of its key.
  async replace(list, way) {
    Object.assign(this, { list, way, call: "" });
    this.shown = this.find(this.shown.key) ?? list[0];
    this.bar ??= list.length > 1 ? new DrawingsBar(this) : null;
    this.tools.steady = this.bar !== null;
    this.bar?.list();
    await this.#import();
    this.tools.fitTo(this.#start());
    this.bar?.update();
  }

  async #import() {
    const { shown } = this;
    this.host.querySelector(".undrawn")?.remove();
    try {
      const text = await this.#text(shown);
      if (shown !== this.shown) return;
      forgetWay(this.viewer);
      const { warnings } = await this.viewer.importXML(text, shown.page || undefined);
      this.host.dataset.warnings = warnings.length; // what bpmn-js did not understand; nothing of what Usher has written
    } catch (problem) {
      if (this.list.length === 1) throw problem;
      this.#excuse(shown);
      return;
    }
    this.#paint();
    if (this.heat) paintHeat(this.viewer, this.heat);
    openings(this);
    this.host.dataset.shown = shown.key ?? "";
  }

  #text({ url, xml }) {
    if (xml !== undefined) return xml;
    if (!this.#texts.has(url)) this.#texts.set(url, fetched(url));
    return this.#texts.get(url);
  }

  #excuse({ name, problem }) {
    this.viewer.clear();
    const words = `“${name}” cannot be drawn. ${problem ?? ""}`;
    this.host.append(Object.assign(document.createElement("p"), { className: "undrawn", textContent: words }));
  }

  #paint() {
    const { viewer, way } = this;
    if (way?.shared) paintParting(viewer, way);
    else if (way) paintWay(viewer, this.#wayOfCall() ?? way);
  }

  // The way of the call that was chosen; before that call began, none.
  #wayOfCall() {
    return this.call ? (this.way.calls?.find((one) => one.place === this.call) ?? {}) : null;
  }

  #start() {
    return this.way?.shared ? asWay(this.way) : this.way && (this.#wayOfCall() ?? this.way);
  }
}

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`The diagram's address answered ${answer.status}.`);
  return answer.text();
}
