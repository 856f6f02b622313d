// Tidy up: the whole diagram laid out again, as one change that Undo takes back. Pools, lanes and the order in them stay,
// events stay at their step, sub-processes stay open. The layout is in layout/.
import { isDrawn } from "./drawn.js";
import { drawingOf } from "./layout/drawing.js";

// The act of the button and of the key T on the canvas. The state before is kept as a restore point.
export function tidier(modeler, sizes, file) {
  const tidy = async () => {
    if (!isDrawn(modeler)) return;
    await file.save(); // what is drawn now is what the server keeps
    const start = performance.now();
    modeler.get("commandStack").execute("usher.tidy", {});
    performance.measure("usher.tidy", { start });
    sizes.fit();
    await file.save({ before: "tidy" });
    if (!file.conflict && !file.dirty) file.say("laid out again; Undo, or History, brings back what it was", "saved");
  };
  modeler.get("keyboard").addListener(({ keyEvent }) => {
    if (keyEvent.key.toLowerCase() !== "t" || keyEvent.ctrlKey || keyEvent.metaKey || keyEvent.altKey) return undefined;
    tidy();
    return true;
  });
  return tidy;
}

class Tidying {
  static $inject = ["bpmnUpdater", "canvas"];

  constructor(bpmnUpdater, canvas) {
    this.bpmnUpdater = bpmnUpdater;
    this.canvas = canvas;
  }

  execute(context) {
    context.after ??= merged(this.canvas.getRootElements().map(drawingOf));
    context.before ??= asDrawn(context.after);
    return this.#draw(context.after);
  }

  revert({ before }) {
    return this.#draw(before);
  }

  #draw({ shapes, connections }) {
    for (const [shape, box] of shapes) {
      Object.assign(shape, box);
      this.bpmnUpdater.updateBounds(shape);
    }
    for (const [connection, waypoints] of connections) {
      connection.waypoints = waypoints.map((point) => ({ ...point }));
      this.bpmnUpdater.updateConnectionWaypoints(connection);
    }
    return [...shapes.keys(), ...connections.keys()];
  }
}

function merged(drawings) {
  return {
    shapes: new Map(drawings.flatMap(({ shapes }) => [...shapes])),
    connections: new Map(drawings.flatMap(({ connections }) => [...connections])),
  };
}

function asDrawn({ shapes, connections }) {
  return {
    shapes: new Map([...shapes.keys()].map((shape) => [shape, { x: shape.x, y: shape.y, width: shape.width, height: shape.height }])),
    connections: new Map([...connections.keys()].map((connection) => [connection, connection.waypoints])),
  };
}

class Registration {
  static $inject = ["commandStack"];

  constructor(commandStack) {
    commandStack.registerHandler("usher.tidy", Tidying);
  }
}

export const TidyModule = { __init__: ["usherTidy"], usherTidy: ["type", Registration] };
