// What changed between two versions, on one of their diagrams: a colour, a weight and a sign for each kind.
// Colours go through the diagram interchange, so that arrowheads follow; weights through classes in diagram.css.

const KINDS = {
  added: { sign: "+", words: "added", ink: "--done", ground: "--done-soft" },
  removed: { sign: "−", words: "removed", ink: "--alarm", ground: "--alarm-soft" },
  changed: { sign: "≠", words: "changed", ink: "--wait", ground: "--wait-soft" },
};

// marks: {added: [id], removed: [id], changed: [id]}
export function paintChanges(viewer, marks) {
  const registry = viewer.get("elementRegistry");
  const painted = [];
  for (const [kind, { sign, words, ink, ground }] of Object.entries(KINDS)) {
    for (const id of marks[kind] ?? []) {
      const element = registry.get(id);
      if (!element || isFrame(element)) continue;
      viewer.get("canvas").addMarker(id, `change-${kind}`);
      element.di.set("color:border-color", `var(${ink})`);
      if (!element.waypoints) element.di.set("color:background-color", `var(${ground})`);
      painted.push(element);
      viewer.get("overlays").add(id, { position: place(element), html: badge(kind, sign, words), scale: { min: 0.9 } });
    }
  }
  viewer.get("eventBus").fire("elements.changed", { elements: painted });
}

// Lanes and pools hold everything else; a coloured ground would cover what they hold.
function isFrame({ type }) {
  return type === "bpmn:Participant" || type === "bpmn:Lane";
}

function place({ waypoints, type }) {
  if (waypoints) return { top: -9, left: 0 };
  return type.endsWith("Gateway") ? { bottom: 12, left: -8 } : { top: -9, right: 9 };
}

function badge(kind, sign, title) {
  return Object.assign(document.createElement("span"), { className: `change-mark change-mark-${kind}`, textContent: sign, title });
}
