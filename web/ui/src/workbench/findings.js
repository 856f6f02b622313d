// The gate's findings on the draft with the text as it is typed: as a list, in the order to fix them, and for the code
// that paints them onto elements. The gate itself runs on the server, the same one that checks a deployment.
import { element, facts, tokens } from "./draft-file.js";
import { hear } from "./names.js";

const PAUSE_MS = 700;
const KINDS = { error: "alarm", warning: "wait", info: "idle" };
const WORDS = { error: ["error", "errors"], warning: ["warning", "warnings"], info: ["note", "notes"] };

export class Findings {
  // `about` answers {label, show, mend?} for an element of this file, or nothing; `mend` makes of a remedy the function
  // that applies it. `painted` gets the findings of this file.
  constructor(known, { about = () => null, painted = () => {} } = {}) {
    this.facts = known;
    hear(known);
    this.about = about;
    this.painted = painted;
    this.list = document.querySelector("[data-findings]");
    this.all = facts("findings");
  }

  get mine() {
    return this.all.filter((one) => one.file === this.facts.file);
  }

  // Once `about` can answer.
  begin() {
    this.#show();
  }

  soon(read) {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => this.check(await read()), PAUSE_MS);
  }

  async check(text) {
    this.running?.abort();
    const running = (this.running = new AbortController());
    const body = JSON.stringify({ files: { [this.facts.file]: text } });
    const headers = { "Content-Type": "application/json", ...tokens() };
    try {
      const answer = await fetch(this.facts.urls.check, { method: "POST", headers, body, signal: running.signal });
      const said = await answer.json();
      if (!answer.ok) return this.#checked(said.detail ?? "Not checked.");
      this.all = said.findings;
      hear(said);
      this.#show();
      this.#checked(`Checked ${said.at}.`);
    } catch (problem) {
      if (problem.name !== "AbortError") this.#checked("Not checked: no connection.");
    }
  }

  #checked(words) {
    const errors = this.all.some((one) => one.severity === "error");
    document.querySelector("[data-checked]").textContent = `${words}${errors ? " Deploy opens when no error is left." : ""}`;
  }

  #show() {
    const counts = document.querySelector("[data-counts]");
    const said = Object.keys(WORDS).map((severity) => this.#count(severity)).filter(Boolean);
    counts.replaceChildren(...(said.length > 0 ? said : [element("span", "", "Nothing stands against a deployment.")]));
    const here = document.activeElement?.closest?.("[data-findings] li");
    const place = here ? [...this.list.children].indexOf(here) : -1;
    this.list.replaceChildren(...this.all.map((one) => this.#line(one)));
    if (here) this.#focus(here.dataset.key, place);
    this.painted(this.mine);
  }

  // The finding that had the focus; once it is gone the next one, or the heading after the last.
  #focus(key, place) {
    const same = [...this.list.children].find((line) => line.dataset.key === key);
    const next = (same ?? this.list.children[Math.min(place, this.list.childElementCount - 1)])?.querySelector("button, a");
    (next ?? document.getElementById("findings-title")).focus();
  }

  #count(severity) {
    const number = this.all.filter((one) => one.severity === severity).length;
    if (number === 0) return null;
    const outer = document.createElement("span");
    outer.append(mark(severity, `${number} ${WORDS[severity][number === 1 ? 0 : 1]}`));
    return outer;
  }

  #line(one) {
    const line = document.createElement("li");
    line.dataset.key = `${one.file} ${one.element} ${one.rule} ${one.message}`;
    const last = this.#remedy(one) ?? element("code", "quiet push", one.rule);
    line.append(mark(one.severity, WORDS[one.severity][0]), this.#place(one), element("p", "", one.message), last);
    return line;
  }

  // The change that removes what is wrong, as a button; nothing where none is known.
  #remedy(one) {
    const found = one.remedy && one.file === this.facts.file ? this.about(one.element) : null;
    const change = found?.mend?.(one.remedy);
    if (!change) return null;
    const button = element("button", "btn small", one.remedy.label);
    button.type = "button";
    button.title = "Undo takes it back";
    button.addEventListener("click", () => found.look(change())); // the focus stays here, for the next one
    return button;
  }

  // Where it is: a button that shows the element here, a link to the editor of another file.
  #place(one) {
    const found = one.file === this.facts.file && one.element ? this.about(one.element) : null;
    if (found) {
      const button = element("button", "link", found.label);
      button.type = "button";
      button.addEventListener("click", () => found.show(one.path ?? []));
      if (one.path?.length > 1) button.title = "Shows the element and the way that leads to it";
      return button;
    }
    if (!one.file || one.file === this.facts.file) return element("span", "", one.label || one.file || "the package");
    const link = element("a", "", one.label ? `${one.label} (${one.file})` : one.file);
    link.href = `${this.facts.urls.editor.replace("PATH", one.file)}${one.element ? `#${one.element}` : ""}`;
    return link;
  }
}

export function mark(severity, words) {
  const kind = KINDS[severity];
  const outer = element("span", `st st-${kind}`);
  outer.innerHTML = `<svg aria-hidden="true" viewBox="0 0 11 11"><use href="#g-${kind}"/></svg>`;
  outer.append(words);
  return outer;
}
