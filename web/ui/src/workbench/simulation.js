// The token simulation beside the diagram: what can happen next as buttons, the tokens painted, each move in a sentence.
// It ends as soon as a person edits the diagram. `walk.js` knows what a token does.
import { element as made } from "./draft-file.js";
import { intoSight } from "./sight.js";
import { Walk } from "./walk.js";
import { kindOf, nameOf } from "./words.js";

const KIND = "sim-token";
const FIRST = 5000; // before whatever draws

export class Simulation {
  // `bench` holds `[data-simulation]`, which takes the place of the properties while it is on.
  constructor(bench, modeler) {
    this.bench = bench;
    this.modeler = modeler;
    this.host = bench.querySelector("[data-simulation]");
    this.said = this.host.querySelector("[data-said]");
    this.next = this.host.querySelector("[data-next]");
    this.moves = this.host.querySelector("[data-moves]");
    this.button = document.querySelector("[data-do=simulate]");
    const events = modeler.get("eventBus");
    events.on(["commandStack.changed", "import.done"], () => this.end());
    events.on("selection.changed", ({ newSelection }) => newSelection.length > 0 && this.end());
    events.on(["element.mousedown", "element.dblclick", "element.contextmenu"], FIRST, (event) => this.#hold(event));
    events.on("element.click", FIRST, (event) => this.#click(event));
    this.host.addEventListener("keydown", (event) => event.key === "Escape" && this.end());
    for (const [name, act] of [["again", () => this.#move(() => this.walk.begin())], ["back", () => this.#move(() => this.walk.back())], ["end", () => this.end()]]) {
      this.host.querySelector(`[data-sim=${name}]`).addEventListener("click", act);
    }
  }

  toggle() {
    if (this.isOn) return this.end();
    this.modeler.get("selection").select(null);
    this.#turn(true);
    this.lines = [];
    this.walk ??= new Walk(this.modeler);
    this.#move(() => this.walk.begin());
  }

  end() {
    if (!this.isOn) return;
    const focused = this.host.contains(document.activeElement);
    this.#turn(false);
    this.walk.begin();
    this.#unpaint();
    if (focused) this.button.focus();
  }

  get isOn() {
    return !this.host.hidden;
  }

  #turn(on) {
    this.host.hidden = !on;
    this.bench.querySelector("[data-properties]").hidden = on;
    this.bench.classList.toggle("simulating", on);
    this.button.setAttribute("aria-pressed", String(on));
  }

  // Carries out one move and shows where it led.
  #move(act, sentence = "") {
    act();
    const { taken, tokens, choices } = this.walk;
    this.lines = [...this.lines.slice(0, taken.length - (sentence ? 1 : 0)), ...(sentence ? [sentence] : [])];
    const where = this.#where([...tokens.keys()], choices);
    this.said.textContent = [sentence, where].filter(Boolean).join(" ");
    this.moves.replaceChildren(...this.lines.map((line) => made("li", "", line)));
    this.next.replaceChildren(...this.#asked(choices));
    this.host.querySelector("[data-sim=back]").disabled = taken.length === 0;
    this.#paint(tokens);
    if (tokens.size > 0) intoSight(this.modeler, [...tokens.keys()].at(-1));
    (this.next.querySelector("button, input") ?? this.host.querySelector("[data-sim=again]")).focus({ preventScroll: true });
  }

  #choose(choice, flows) {
    const chosen = flows.map(nameOf).join("” and “");
    const did = {
      start: `Begun at “${nameOf(choice.element)}”.`,
      done: `“${nameOf(choice.element)}” is done.`,
      event: `“${nameOf(choice.element)}” has happened.`,
    }[choice.kind] ?? `“${nameOf(choice.element)}”: “${chosen}”.`;
    this.walk.choose(choice, flows);
    const at = new Set([choice.element, ...this.walk.tokens.keys()]);
    const by = this.walk.passed.filter((one) => !at.has(one) && one.businessObject.name).map((one) => `“${nameOf(one)}”`);
    this.#move(() => {}, by.length > 0 ? `${did} Then ${by.join(", ")}.` : did);
  }

  #where(elements, choices) {
    const names = elements.map((one) => `“${nameOf(one)}”`).join(" and ");
    if (elements.length === 0) return this.walk.taken.length > 0 ? "No token is left: the run is over." : "Choose where it begins.";
    if (choices.every((one) => one.kind === "start")) return `Nothing can happen any more, and a token is left at ${names}: the run never ends.`;
    return `${elements.length > 1 ? "Tokens are" : "The token is"} at ${names}.`;
  }

  // One group for each element that waits; a gateway asks, everything else is a button.
  #asked(choices) {
    return grouped(choices).map(([element, here]) => {
      const outer = made("fieldset");
      outer.append(made("legend", "", here[0].flows.length > 0 ? `Which way: “${nameOf(element)}”` : kindOf(element)));
      outer.append(...here.flatMap((choice) => (choice.kind === "ways" ? this.#several(choice) : this.#one(choice))));
      return outer;
    });
  }

  #one(choice) {
    const [flow] = choice.flows;
    const button = made("button", "btn small", flow ? nameOf(flow) : WORDS[choice.kind](nameOf(choice.element)));
    button.type = "button";
    if (flow?.businessObject.name) button.append(made("span", "quiet", ` → ${nameOf(flow.target)}`));
    button.addEventListener("click", () => this.#choose(choice, choice.flows));
    return button;
  }

  // An inclusive gateway: any of its ways, at least one.
  #several(choice) {
    const boxes = choice.flows.map((flow) => {
      const label = made("label", "check");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: flow.id });
      label.append(box, made("span", "", nameOf(flow)));
      return label;
    });
    const go = Object.assign(made("button", "btn small", "Take the ways that are ticked"), { type: "button" });
    go.addEventListener("click", () => {
      const ticked = choice.flows.filter((_, place) => boxes[place].firstChild.checked);
      if (ticked.length > 0) this.#choose(choice, ticked);
      else boxes[0].firstChild.focus();
    });
    return [...boxes, go];
  }

  // While it is on, pressing an element chooses what can happen there; nothing is drawn.
  #hold(event) {
    if (this.isOn && event.element.parent) return event.stopPropagation(), false;
  }

  #click(event) {
    if (!this.isOn || !event.element.parent) return;
    event.stopPropagation();
    const element = event.element.labelTarget ?? event.element;
    const here = this.walk.choices.filter((one) => one.element === element || (one.kind === "way" && one.flows[0] === element));
    if (here.length === 1 && here[0].kind !== "ways") this.#choose(here[0], here[0].flows);
    return false;
  }

  #paint(tokens) {
    this.#unpaint();
    const canvas = this.modeler.get("canvas");
    for (const id of this.walk.flows) canvas.addMarker(id, "sim-taken");
    for (const [element, count] of tokens) {
      canvas.addMarker(element, "sim-here");
      const mark = made("div", "sim-token", count > 1 ? String(count) : "");
      mark.title = count > 1 ? `${count} tokens` : "token";
      this.modeler.get("overlays").add(element, KIND, { position: { bottom: 9, left: -9 }, html: mark });
    }
  }

  #unpaint() {
    const canvas = this.modeler.get("canvas");
    this.modeler.get("overlays").remove({ type: KIND });
    this.modeler.get("elementRegistry").forEach((one) => ["sim-taken", "sim-here"].forEach((marker) => canvas.removeMarker(one, marker)));
  }
}

const WORDS = {
  start: (name) => `Begin at “${name}”`,
  done: (name) => `“${name}” is done`,
  event: (name) => `“${name}” happens`,
};

function grouped(choices) {
  const found = new Map();
  for (const one of choices) found.set(one.element, [...(found.get(one.element) ?? []), one]);
  return [...found];
}
