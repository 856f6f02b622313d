// The editor must not lose any part of a file silently. bpmn-js drops references to anything that is not an element of
// the file. We keep those to lists in the data (repetitions) and list all others to people before they save.
import { element } from "./draft-file.js";

const KEPT = new Set(["bpmn:loopDataInputRef", "bpmn:loopDataOutputRef"]);

export function keepReferences(modeler) {
  modeler.on("import.parse.complete", ({ references = [], elementsById = {}, warnings = [] }) => {
    for (const { element: owner, property, id } of references) {
      if (!KEPT.has(property) || elementsById[id]) continue;
      owner.set(property, modeler.get("moddle").create("bpmn:ItemAwareElement", { id }));
      const reported = warnings.findIndex((one) => one.property === property && one.value === id);
      if (reported >= 0) warnings.splice(reported, 1);
    }
  });
}

export function showLosses(warnings) {
  if (warnings.length === 0) return notice();
  const list = document.createElement("ul");
  list.append(...warnings.slice(0, 8).map((one) => element("li", "s", one.message)));
  if (warnings.length > 8) list.append(element("li", "s", `and ${warnings.length - 8} more`));
  notice("The editor does not understand all of this file.", element("p", "", "What is listed here is lost with the next change. The file in the package stays as it is until then."), list);
}

// Explains why a file is not a diagram, and offers ways out.
export function showUnreadable(name, problem, ...ways) {
  const [first] = problem.message.split("\n");
  const line = /line: (\d+)/.exec(problem.message);
  const reason = `${first.charAt(0).toUpperCase()}${first.slice(1).trim()}${line ? `, in line ${Number(line[1]) + 1}` : ""}.`;
  notice(`${name} cannot be opened as a diagram.`, element("p", "", reason), ...ways);
}

// Shows one notice of this kind at a time; without arguments, removes it. A save conflict uses the same place and stays.
function notice(text, ...more) {
  const place = document.querySelector("[data-conflict]");
  place.querySelector("[data-unread]")?.remove();
  if (text) {
    const box = element("div", "notice alarm");
    box.dataset.unread = "1";
    box.append(element("p", "say", text), ...more);
    place.append(box);
  }
  place.hidden = place.childElementCount === 0;
}
