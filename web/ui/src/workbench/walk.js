// A token walks the diagram as it is drawn. bpmn-js-token-simulation plays BPMN; this decides where it stops and what
// can be chosen there. Data plays no part: the viewer chooses each way. Knows nothing of the page.
import simulator from "bpmn-js-token-simulation/lib/simulator";
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";

// Gateways ask which way to go; the library's own take one set before the token arrived.
class Asking {
  static $inject = ["simulator", "exclusiveGatewayBehavior", "inclusiveGatewayBehavior"];

  constructor(simulator, exclusive, inclusive) {
    for (const [type, gateway] of [["bpmn:ExclusiveGateway", exclusive], ["bpmn:InclusiveGateway", inclusive]]) {
      simulator.registerBehavior(type, {
        enter: (context) => (waysOut(context.element).length > 1 ? ask(simulator, context, gateway) : gateway.enter(context)),
        exit: (context) => gateway.exit(context),
      });
    }
  }
}

export const WalkModule = { __depends__: [simulator], __init__: ["usherAsking"], usherAsking: ["type", Asking] };

function ask(simulator, context, gateway) {
  const event = { element: context.element, type: "way", interrupting: false, boundary: false };
  const asked = simulator.subscribe(context.scope, event, () => {
    asked.remove();
    gateway.enter(context);
  });
}

export class Walk {
  constructor(modeler) {
    this.simulator = modeler.get("simulator");
    this.registry = modeler.get("elementRegistry");
    this.simulator.on("trace", (event) => this.#trace(event));
    this.begin([]);
  }

  // From the beginning, with the choices of an earlier walk made again.
  begin(choices = []) {
    this.taken = []; // what was chosen: {key, flows}
    this.passed = []; // the elements the last choice led through
    this.flows = new Set();
    for (const element of this.registry.filter(waits)) this.simulator.waitAtElement(element);
    this.simulator.reset();
    for (const { key, flows } of choices) {
      const choice = this.choices.find((one) => one.key === key);
      if (choice) this.choose(choice, flows.map((id) => this.registry.get(id)));
    }
  }

  back() {
    this.begin(this.taken.slice(0, -1));
  }

  // What can happen now, one for each thing to press: {key, kind, element, flows}. *kind* is start, done, event, way (one
  // of the flows out of a gateway) or ways (some of them).
  get choices() {
    const open = new Map();
    for (const subscription of this.simulator.findSubscriptions(() => true)) {
      const { element, event } = subscription;
      if (!element || event.type === "compensate" || this.registry.get(element.id) !== element) continue;
      const kind = this.#kind(subscription);
      const ways = kind === "way" ? waysOut(element).map((flow) => [flow]) : [kind === "ways" ? waysOut(element) : []];
      for (const flows of kind ? ways : []) {
        const key = [element.id, ...(kind === "way" ? [flows[0].id] : [])].join(" ");
        if (!open.has(key)) open.set(key, { key, kind, element, flows, subscription });
      }
    }
    return [...open.values()].sort((one, other) => (one.kind === "event") - (other.kind === "event"));
  }

  choose(choice, flows = []) {
    if (choice.kind === "start" && this.taken.length > 0 && this.tokens.size === 0) return this.begin([{ key: choice.key, flows: [] }]);
    const { key, kind, element, subscription } = choice;
    this.taken.push({ key, flows: flows.map((flow) => flow.id) });
    this.passed = [];
    if (kind === "way") this.simulator.setConfig(element, { activeOutgoing: flows[0] });
    if (kind === "ways") this.simulator.setConfig(element, { activeOutgoing: flows });
    this.simulator.trigger({ event: subscription.event, scope: subscription.scope });
  }

  // How many tokens lie on which element.
  get tokens() {
    const counted = new Map();
    const innermost = (scope) => scope.parent && scope.running && !scope.children.some((one) => one.running);
    for (const { element } of this.simulator.findScopes(innermost)) counted.set(element, (counted.get(element) ?? 0) + 1);
    return counted;
  }

  #kind({ element, event, scope }) {
    if (event.type === "way") return is(element, "bpmn:InclusiveGateway") ? "ways" : "way";
    if (event.type === "continue") return "done";
    if (!isAny(scope.element, ["bpmn:Process", "bpmn:Participant"]) || scope.running) return "event";
    // the beginning of a process: once, as cases have one way
    return this.simulator.findScope((one) => one.element === scope.element && one !== scope) ? "" : "start";
  }

  #trace({ action, element }) {
    if (is(element, "bpmn:SequenceFlow")) this.flows.add(element.id);
    const begins = action === "signal" && isAny(element, ["bpmn:StartEvent", "bpmn:BoundaryEvent", "bpmn:CatchEvent"]);
    if (!is(element, "bpmn:FlowNode") || !(action === "enter" || begins)) return;
    if (!this.passed.includes(element)) this.passed.push(element);
  }
}

// People's work, and whatever an event at its edge could take over from.
function waits(element) {
  if (isAny(element, ["bpmn:UserTask", "bpmn:ManualTask"])) return true;
  return is(element, "bpmn:Activity") && !is(element, "bpmn:SubProcess") && (element.attachers ?? []).length > 0;
}

function waysOut(element) {
  return element.outgoing.filter((flow) => is(flow, "bpmn:SequenceFlow"));
}
