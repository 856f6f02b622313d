// The change that a finding offers, made in the drawing: the text of the element that still reads as the gate saw it is
// replaced, in one step that Undo takes back.
const OTHERS = new Set(["flowElements", "artifacts", "laneSets", "di", "incoming", "outgoing"]);
const DEPTH = 6;

// A function that makes the change, or null where no text of `element` reads so (any more).
export function changeFor(modeler, element, remedy) {
  if (!place(element.businessObject, remedy.before)) return null;
  return () => {
    const found = place(element.businessObject, remedy.before);
    if (found) modeler.get("modeling").updateModdleProperties(element, found.object, { [found.name]: remedy.after });
  };
}

// The first text of `object`, or of what it holds, that is `text`: {object, name}.
function place(object, text, depth = DEPTH) {
  if (!object?.$descriptor || depth === 0) return null;
  for (const { name, isReference } of object.$descriptor.properties) {
    const local = name.replace(/^.*:/, "");
    if (isReference || OTHERS.has(local)) continue;
    const value = object.get(name);
    if (typeof value === "string" && value.trim() === text.trim()) return { object, name };
    for (const inner of [value].flat()) {
      const found = place(inner, text, depth - 1);
      if (found) return found;
    }
  }
  return null;
}
