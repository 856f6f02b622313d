// Restore points: Ctrl+S keeps the draft as it is and asks for a name in place; what replaces a whole diagram asks first
// and can be taken back. The server keeps the states (the page History lists them).
import { element, tokens } from "./draft-file.js";

// A field for the name beside the time of the save. Enter keeps the state, also without a name; Esc does not.
export function askForName(file) {
  const from = document.activeElement;
  document.querySelector("[data-keep]")?.remove();
  const form = Object.assign(element("form", "keep-name"), { noValidate: true });
  form.dataset.keep = "";
  const name = Object.assign(element("input"), { id: "keep-name", maxLength: 200, autocomplete: "off", placeholder: "Name of this state, or none" });
  const label = Object.assign(element("label", "sr", "Name of the restore point; may be empty"), { htmlFor: name.id });
  const keep = Object.assign(element("button", "btn small", "Keep as restore point"), { type: "submit" });
  const done = () => (form.remove(), from?.focus?.());
  form.append(label, name, keep);
  form.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), done()));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = await sent(file.facts.urls.keep, { name: name.value, etag: file.draft });
    file.say(said.number ? `kept${said.name ? ` as “${said.name}”` : ""}` : (said.detail ?? "Not kept: no connection."), said.number ? "saved" : "failed");
    done();
  });
  file.place.after(form);
  name.focus();
}

// Whether `text` may take the place of the file: the person sees what changes and what is lost.
export async function mayReplace(file, name, text) {
  const said = await sent(file.facts.urls.changes, { files: { [file.facts.file]: text } });
  const dialog = element("dialog", "dialog");
  dialog.setAttribute("aria-labelledby", "replace-title");
  const title = Object.assign(element("h2", "", `Put ${name} in place of the diagram?`), { id: "replace-title" });
  const list = element("ul", "dep-changes");
  list.append(...(said.changes ?? []).map(line));
  if (said.more) list.append(element("li", "quiet", `and ${said.more} more`));
  const [yes, no] = [element("button", "btn go", "Put it in place"), element("button", "btn", "Keep what is drawn")];
  yes.value = "yes";
  const form = Object.assign(element("form", "send"), { method: "dialog" });
  form.append(yes, no);
  const after = element("p", "", "What is drawn now is kept as a restore point, so this can be taken back.");
  dialog.append(title, element("p", "say", said.sentence ?? "What would change is not known: no connection."), list, after, form);
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  dialog.remove();
  return dialog.returnValue === "yes";
}

// A notice with the button that brings the state before the last save back.
export function offerBack(file, words, button) {
  if (!file.before) return;
  const form = Object.assign(element("form", "send"), { method: "post", action: file.facts.urls.back.replace("/0/", `/${file.before}/`) });
  const values = { csrf_token: document.body.dataset.csrf, etag: file.draft, next: "edit" };
  form.append(...Object.entries(values).map(([name, value]) => Object.assign(element("input"), { type: "hidden", name, value })));
  form.append(Object.assign(element("button", "btn", button), { type: "submit" }));
  form.addEventListener("submit", () => file.settle());
  const notice = element("div", "notice");
  notice.setAttribute("role", "status");
  notice.append(element("p", "say", words), form);
  const place = document.querySelector("[data-conflict]");
  place.replaceChildren(notice);
  place.hidden = false;
}

function line({ sign, word, title }) {
  const item = element("li");
  item.append(Object.assign(element("b", "", sign), { title: word }), element("span", "", title));
  return item;
}

async function sent(address, body) {
  const headers = { "Content-Type": "application/json", ...tokens() };
  try {
    return await (await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })).json();
  } catch {
    return {};
  }
}
