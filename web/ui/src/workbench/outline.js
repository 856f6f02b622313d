// The diagram as a list, for keyboards and screen readers: elements in flow order, each with its kind, where it leads
// and its findings. Enter opens its properties.
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { element } from "./draft-file.js";
import { mark } from "./findings.js";
import { kindOf, nameOf } from "./words.js";

const PAUSE_MS = 250;

export class Outline {
  constructor(host, modeler, open) {
    this.host = host;
    this.open = open;
    this.registry = modeler.get("elementRegistry");
    this.canvas = modeler.get("canvas");
    this.selection = modeler.get("selection");
    this.findings = new Map();
    const events = modeler.get("eventBus");
    events.on(["elements.changed", "import.done", "shape.added", "shape.removed", "connection.added", "connection.removed"], () => this.#soon());
    events.on("selection.changed", () => this.#point());
    host.addEventListener("keydown", (event) => this.#key(event));
    host.addEventListener("click", (event) => {
      const button = event.target.closest("[data-element]");
      if (button) open(button.dataset.element);
    });
  }

  mark(findings) {
    this.findings = Map.groupBy ? Map.groupBy(findings, (one) => one.element) : grouped(findings);
    this.show();
  }

  show() {
    clearTimeout(this.timer);
    const here = this.host.contains(document.activeElement) ? document.activeElement.dataset.element : null;
    this.host.replaceChildren(...this.#lines());
    this.#point();
    if (here) this.#button(here)?.focus();
  }

  focus(id) {
    if (id && !this.#button(id)) this.show(); // drawn a moment ago
    (this.#button(id) ?? this.host.querySelector("button"))?.focus();
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(), PAUSE_MS);
  }

  #lines() {
    const processes = this.registry.filter((one) => !one.labelTarget && isAny(one, ["bpmn:Process", "bpmn:Participant"]));
    return processes.flatMap((one) => {
      const object = one.businessObject.processRef ?? one.businessObject;
      return [this.#line(one), ...this.#scope(object)];
    });
  }

  // Flow nodes of a process or sub-process: from its starts along the flows, then what nothing leads to.
  #scope(scope) {
    const nodes = (scope.flowElements ?? []).filter((one) => is(one, "bpmn:FlowNode"));
    return inOrder(nodes, (node) => this.#outgoing(node)).flatMap((node) => {
      const shape = this.registry.get(node.id);
      if (!shape) return [];
      const line = this.#line(shape);
      const inside = is(node, "bpmn:SubProcess") ? this.#scope(node) : [];
      const ways = this.#ways(node);
      if (inside.length + ways.length > 0) {
        const nested = document.createElement("ol");
        nested.append(...ways, ...inside);
        line.append(nested);
      }
      return [line];
    });
  }

  // The flows out of a node, each in a line of its own; a plain single one stands in the node's line instead.
  #ways(node) {
    const all = this.#outgoing(node);
    if (this.#plainWay(node)) return [];
    return all.map((flow) => this.registry.get(flow.id)).filter(Boolean).map((one) => this.#line(one));
  }

  // The only flow out of a node where it says nothing of its own.
  #plainWay(node) {
    const [flow, ...more] = this.#outgoing(node);
    const says = !flow || more.length > 0 || flow.name || flow.conditionExpression || this.findings.has(flow.id);
    return says ? null : this.registry.get(flow.id);
  }

  // As drawn: files may omit the elements' own references to their flows.
  #outgoing(node) {
    const shape = this.registry.get(node.id);
    return (shape?.outgoing ?? []).map((one) => one.businessObject).filter((one) => is(one, "bpmn:SequenceFlow"));
  }

  #line(shape) {
    const object = shape.businessObject;
    const line = document.createElement("li");
    const button = element("button", "");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.element = shape.id;
    const flow = is(object, "bpmn:SequenceFlow");
    button.append(element("span", "what", flow ? "way" : kindOf(object)), element("span", "name", nameOf(object)));
    if (flow) button.append(element("span", "to", way(object)));
    for (const one of this.findings.get(shape.id) ?? []) button.append(mark(one.severity, one.message));
    line.append(button);
    const plain = flow ? null : this.#plainWay(object);
    if (plain) line.append(this.#leads(plain));
    return line;
  }

  // The flow of a node's line: its own button, which opens the flow.
  #leads(flow) {
    const button = element("button", "leads", `→ ${flow.businessObject.targetRef ? nameOf(flow.businessObject.targetRef) : "nowhere"}`);
    Object.assign(button, { type: "button", tabIndex: -1, title: "The flow: put a step here" });
    button.dataset.element = flow.id;
    return button;
  }

  #point() {
    const selected = new Set(this.selection.get().map((one) => one.id));
    const buttons = [...this.host.querySelectorAll("button")];
    for (const button of buttons) {
      if (selected.has(button.dataset.element)) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      button.tabIndex = -1;
    }
    const entry = buttons.find((button) => selected.has(button.dataset.element)) ?? buttons[0];
    if (entry) entry.tabIndex = 0;
  }

  // Up and down go from line to line, right and left to the way in the line and back.
  #key(event) {
    const here = document.activeElement.closest("[data-element]");
    if (!here || !this.host.contains(here)) return;
    const lines = [...this.host.querySelectorAll("button:not(.leads)")];
    const line = here.classList.contains("leads") ? here.previousElementSibling : here;
    const at = (by) => lines[Math.min(Math.max(lines.indexOf(line) + by, 0), lines.length - 1)];
    const goals = { ArrowDown: () => at(1), ArrowUp: () => at(-1), Home: () => lines[0], End: () => lines.at(-1), ArrowRight: () => line.parentElement.querySelector(":scope > .leads"), ArrowLeft: () => line };
    if (!goals[event.key]) return;
    event.preventDefault();
    goals[event.key]()?.focus();
  }

  #button(id) {
    return this.host.querySelector(`[data-element="${CSS.escape(id ?? "")}"]`);
  }
}

function inOrder(nodes, outgoing) {
  const entered = new Set(nodes.flatMap((node) => outgoing(node).map((flow) => flow.targetRef)));
  const seen = new Set();
  const order = [];
  const visit = (first) => {
    const pending = [first];
    while (pending.length > 0) {
      const node = pending.shift();
      if (!node || seen.has(node) || !nodes.includes(node)) continue;
      seen.add(node);
      order.push(node);
      const edges = nodes.filter((one) => one.attachedToRef === node);
      pending.unshift(...edges, ...outgoing(node).map((flow) => flow.targetRef));
    }
  };
  nodes.filter((node) => is(node, "bpmn:StartEvent")).forEach(visit);
  nodes.filter((node) => !entered.has(node) && !node.attachedToRef).forEach(visit);
  nodes.forEach(visit);
  return order;
}

function way(flow) {
  const target = `→ ${flow.targetRef ? nameOf(flow.targetRef) : "nowhere"}`;
  if (flow.sourceRef?.default === flow) return `${target}, when no other holds`;
  return flow.conditionExpression?.body ? `${target}, when ${flow.conditionExpression.body}` : target;
}

function grouped(findings) {
  const found = new Map();
  for (const one of findings) found.set(one.element, [...(found.get(one.element) ?? []), one]);
  return found;
}
