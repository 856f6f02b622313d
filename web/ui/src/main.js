// Every page starts here: wires the small features up, loads the diagram only where there is one, then marks the page as ready.
import { follow } from "./check.js";
import { watchComments } from "./comments.js";
import { watchList } from "./desk-list.js";
import { watchForms } from "./form.js";
import { watchInbox } from "./inbox.js";
import { watchKeys, watchLetterSwitch } from "./keys.js";
import { watchLive } from "./live.js";
import { watchMenus } from "./menus.js";
import { watchNetwork } from "./network.js";
import { watchNoticeSwitch } from "./notices.js";
import { reportOpening } from "./opened.js";
import { watchOutcomes } from "./outcome.js";
import { watchPalette } from "./palette.js";
import { watchRuns } from "./runs.js";
import { watchSession } from "./session-end.js";
import { watchTaskForm } from "./task-form.js";
import { watchTriggers } from "./trigger.js";

watchTaskForm();
watchNetwork();
watchTriggers();
watchForms();
watchInbox();
watchLive();
watchOutcomes();
watchMenus();
watchRuns();
watchKeys();
watchSession();
watchLetterSwitch();
watchNoticeSwitch();
watchList();
watchComments();
watchPalette();
follow();
reportOpening();

const canvases = [...document.querySelectorAll("[data-diagram]")];
if (canvases.length > 0) {
  const { drawDiagram } = await import("./diagram.js");
  await Promise.all(canvases.map(drawDiagram));
}
const replay = document.querySelector("[data-replay]");
if (replay) {
  const { watchReplay } = await import("./replay.js");
  await watchReplay(replay);
}
const comparison = document.querySelector("[data-comparison]");
if (comparison) {
  const { watchComparison } = await import("./compare.js");
  watchComparison(comparison);
}
const editors = {
  "[data-modeler]": async (host) => (await import("./workbench/modeler.js")).editDiagram(host),
  "[data-form-editor]": async (host) => (await import("./workbench/form-editor.js")).editForm(host),
  "[data-decision-editor]": async (host) => (await import("./workbench/decision-editor.js")).editDecision(host),
  "[data-text-editor]": async (host) => (await import("./workbench/text-editor.js")).editText(host),
};
for (const [where, edit] of Object.entries(editors)) {
  const host = document.querySelector(where);
  if (host) await edit(host);
}
document.body.dataset.ready = "1";
