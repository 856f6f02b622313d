// Nothing of a file may get lost in the editor without a word. bpmn-js drops references to what is no element of the
// file; those to lists in the data (repetitions) are kept, of all others people are told before they save.
import { element } from "./draft-file.js";

const KEPT = new Set(["bpmn:loopDataInputRef", "bpmn:loopDataOutputRef"]);

export function keepReferences(modeler) {
  modeler.on("import.parse.complete", ({ references = [], elementsById = {}, warnings = [] }) => {
    for (const { element: owner, property, id } of references) {
      if (!KEPT.has(property) || elementsById[id]) continue;
      owner.set(property, modeler.get("moddle").create("bpmn:ItemAwareElement", { id }));
      const told = warnings.findIndex((one) => one.property === property && one.value === id);
      if (told >= 0) warnings.splice(told, 1);
    }
  });
}

export function tellLosses(warnings) {
  if (warnings.length === 0) return;
  const place = document.querySelector("[data-conflict]");
  const notice = element("div", "notice alarm");
  const list = document.createElement("ul");
  list.append(...warnings.slice(0, 8).map((one) => element("li", "s", one.message)));
  if (warnings.length > 8) list.append(element("li", "s", `and ${warnings.length - 8} more`));
  notice.append(element("p", "say", "The editor does not understand all of this file."), element("p", "", "What is listed here is lost with the next change. The file in the package stays as it is until then."), list);
  place.replaceChildren(notice);
  place.hidden = false;
}
