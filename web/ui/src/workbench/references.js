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
  if (warnings.length === 0) return tell();
  const list = document.createElement("ul");
  list.append(...warnings.slice(0, 8).map((one) => element("li", "s", one.message)));
  if (warnings.length > 8) list.append(element("li", "s", `and ${warnings.length - 8} more`));
  tell("The editor does not understand all of this file.", element("p", "", "What is listed here is lost with the next change. The file in the package stays as it is until then."), list);
}

// A file that is no diagram: why, and the ways out.
export function tellUnreadable(name, problem, ...ways) {
  const [first] = problem.message.split("\n");
  const line = /line: (\d+)/.exec(problem.message);
  const reason = `${first.charAt(0).toUpperCase()}${first.slice(1).trim()}${line ? `, in line ${Number(line[1]) + 1}` : ""}.`;
  tell(`${name} cannot be opened as a diagram.`, element("p", "", reason), ...ways);
}

// One notice of this kind at a time; none takes the last one away. What two people saved stands in the same place and stays.
function tell(say, ...more) {
  const place = document.querySelector("[data-conflict]");
  place.querySelector("[data-unread]")?.remove();
  if (say) {
    const notice = element("div", "notice alarm");
    notice.dataset.unread = "1";
    notice.append(element("p", "say", say), ...more);
    place.append(notice);
  }
  place.hidden = place.childElementCount === 0;
}
