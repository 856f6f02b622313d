// Opens a BPMN file on the canvas. A file without diagram interchange gets a layout first: many files from other tools
// or written by hand have none. Only the layout is added; the rest stays unchanged.
const NO_DRAWING = /no (diagram|process or collaboration) to display/i;
const BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL";
const DI = "http://www.omg.org/spec/BPMN/20100524/DI";

const open = new WeakSet();

// Returns what the editor did not understand.
export async function drawn(modeler, text) {
  const warnings = await imported(modeler, text);
  open.add(modeler);
  return warnings;
}

// Whether something was drawn; after a failed import bpmn-js holds what it could not draw.
export function isDrawn(modeler) {
  return open.has(modeler);
}

async function imported(modeler, text) {
  try {
    return (await modeler.importXML(text)).warnings;
  } catch (problem) {
    if (!NO_DRAWING.test(problem.message)) throw problem;
    return (await modeler.importXML(await withDrawing(text))).warnings;
  }
}

async function withDrawing(text) {
  const { layoutProcess } = await import("bpmn-auto-layout");
  const laid = parsed(await layoutProcess(joined(text)));
  const whole = parsed(text);
  for (const drawing of laid.getElementsByTagNameNS(DI, "BPMNDiagram")) whole.documentElement.append(whole.importNode(drawing, true));
  return new XMLSerializer().serializeToString(whole);
}

// The layout follows `incoming` and `outgoing`, which BPMN lets authors omit; they are added for the layout only. It reads
// no extensions, and could not write those whose prefix is declared below the root, as in a translated import.
function joined(text) {
  const file = parsed(text);
  for (const extensions of [...file.getElementsByTagNameNS(BPMN, "extensionElements")]) extensions.remove();
  const flows = [...file.getElementsByTagNameNS(BPMN, "sequenceFlow")].filter((flow) => flow.id);
  for (const flow of flows) {
    for (const [end, name] of [["sourceRef", "outgoing"], ["targetRef", "incoming"]]) {
      const node = file.querySelector(`[id="${CSS.escape(flow.getAttribute(end) ?? "")}"]`);
      const hasReference = [...(node?.children ?? [])].some((child) => child.localName === name && child.textContent.trim() === flow.id);
      if (!node || hasReference) continue;
      const reference = file.createElementNS(BPMN, node.prefix ? `${node.prefix}:${name}` : name);
      reference.textContent = flow.id;
      node.append(reference);
    }
  }
  return new XMLSerializer().serializeToString(file);
}

function parsed(text) {
  return new DOMParser().parseFromString(text, "text/xml");
}
