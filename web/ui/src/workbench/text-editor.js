// Mails and other texts: saved as they are typed, checked, and a mail is shown as a patient would get it.
import { complete } from "./completion.js";
import { DraftFile, actions, facts } from "./draft-file.js";
import { Findings } from "./findings.js";

const PREVIEW_MS = 500;

export async function editText(form) {
  const known = facts();
  const area = form.elements.namedItem("text");
  const read = () => area.value;
  const file = new DraftFile(known, read);
  const findings = new Findings(known);
  if (area.matches("[data-completed]")) complete(area, "template");
  const again = form.querySelector("[data-preview]");
  let timer = 0;
  const preview = () => again && form.requestSubmit(again);
  // The frame is filled by a form, so it works without this script too; sending it must not lock the form.
  form.addEventListener("submit", (event) => event.stopPropagation());
  area.value = await file.recover(area.value.replaceAll("\r\n", "\n"));
  area.addEventListener("input", () => {
    file.changed();
    findings.soon(read);
    clearTimeout(timer);
    timer = setTimeout(preview, PREVIEW_MS);
  });
  form.addEventListener("change", (event) => ["part", "shade"].includes(event.target.name) && preview());
  actions({ save: () => file.save() });
  findings.begin();
  preview();
}
