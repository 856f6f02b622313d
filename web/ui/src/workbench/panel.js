// The properties of what is selected. `describe` lists the fields; this shows them and keeps the focus.
import { element } from "./draft-file.js";
import { flush, makeField, refresh } from "./fields.js";

export class Panel {
  // `describe` answers {title, kind, id, groups: [{title, fields}]} for an element; `left` is called on Escape.
  constructor(host, modeler, describe, left) {
    this.host = host;
    this.describe = describe;
    this.canvas = modeler.get("canvas");
    this.selection = modeler.get("selection");
    const events = modeler.get("eventBus");
    events.on("selection.changed", () => this.show());
    events.on(["elements.changed", "import.done", "root.set"], () => this.show());
    host.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      flush(host);
      left(this.shown);
    });
  }

  // The element the panel is about: what is selected alone, else the whole process.
  get subject() {
    const selected = this.selection.get();
    if (selected.length > 0) return selected.length === 1 ? selected[0] : null;
    const root = this.canvas.getRootElement();
    const pools = root.type === "bpmn:Collaboration" ? root.children.filter((one) => one.businessObject.processRef) : [];
    return pools.length === 1 ? pools[0] : root;
  }

  show() {
    const subject = this.subject;
    if (this.shown !== subject) {
      const before = this.shown;
      this.shown = subject;
      if (before) flush(this.host); // may come back here; the newer call wins
      if (this.shown !== subject) return;
    }
    if (!subject) return this.#several();
    const said = this.describe(subject);
    if (!said) return;
    const shape = said.groups.map((group) => `${group.title}:${group.fields.map(drawnAs).join()}`).join(";");
    const same = this.shape === `${said.key}|${shape}`;
    this.shape = `${said.key}|${shape}`;
    this.#head(said, same);
    if (same) return this.#refresh(said);
    const focused = this.host.contains(document.activeElement) ? document.activeElement.id : "";
    this.host.replaceChildren(this.head, ...said.groups.map(group));
    if (focused) document.getElementById(focused)?.focus();
  }

  focus() {
    (this.host.querySelector("input, textarea, select, button") ?? this.host).focus();
  }

  #head(said, same) {
    if (!same) {
      this.head = document.createElement("header");
      this.head.append(document.createElement("h2"), element("p", "s quiet"));
    }
    this.head.firstChild.textContent = said.title;
    const id = element("code", "", said.id);
    this.head.lastChild.replaceChildren(`${said.kind} · `, id);
  }

  #refresh(said) {
    for (const field of said.groups.flatMap((one) => one.fields)) {
      const outer = this.host.querySelector(`[data-field="${CSS.escape(field.key)}"]`);
      if (outer) refresh(outer, field);
    }
  }

  #several() {
    this.shape = "";
    const header = document.createElement("header");
    header.append(element("h2", "", `${this.selection.get().length} elements`), element("p", "s quiet", "Select one to see its properties."));
    this.host.replaceChildren(header);
  }
}

// What a field is drawn by: when this changes, it is drawn again.
function drawnAs({ key, options = [], link }) {
  return key + options.map(({ value }) => value) + (link?.url ?? "");
}

function group({ title, fields, open }) {
  const outer = document.createElement("fieldset");
  outer.append(element("legend", "", title), ...fields.map(makeField));
  if (open) outer.dataset.open = "1";
  return outer;
}
