// Completion at a field that holds an expression: opens after a point, after two letters and on Ctrl+Space (again: more);
// ↑ ↓ move, Enter or Tab take, Esc closes and leaves the text. The list lies over what follows, or above where there is
// no room. Where a field has values to choose from, ↓ opens them.
import { completions } from "./complete.js";
import { element } from "./draft-file.js";

const TALL = 12; // lines
const LEAST_ROOM = 220; // pixels below the field, else the list opens above

// `place` answers {element, also} for where the field stands, as `completions` takes it.
export function complete(input, mode, place = () => ({})) {
  return new Completion(input, mode, place);
}

class Completion {
  constructor(input, mode, place) {
    this.input = input;
    this.mode = mode;
    this.place = place;
    this.asked = 0;
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-haspopup", "listbox");
    input.addEventListener("input", () => this.#look());
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.#close());
    input.addEventListener("click", () => this.#close());
  }

  #look() {
    const { value, selectionStart, selectionEnd } = this.input;
    const found = selectionStart === selectionEnd ? completions(value, selectionStart, { mode: this.mode, asked: this.asked, ...this.place() }) : null;
    if (!found) return this.#close({ again: true });
    this.found = found;
    this.at = 0;
    this.#show();
  }

  #key(event) {
    if (event.ctrlKey && event.code === "Space") {
      event.preventDefault();
      this.asked += 1;
      return this.#look();
    }
    if (!this.list && event.key === "ArrowDown" && this.place().values?.length > 0) {
      event.preventDefault();
      this.asked = 1;
      return this.#look();
    }
    if (!this.list || event.ctrlKey || event.altKey || event.metaKey) return;
    const count = this.found.options.length;
    const acts = {
      ArrowDown: () => this.#point((this.at + 1) % count),
      ArrowUp: () => this.#point((this.at + count - 1) % count),
      Enter: () => this.#take(this.at),
      Tab: () => this.#take(this.at),
      Escape: () => this.#close(),
    };
    if (!acts[event.key] || (event.key === "Tab" && event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation(); // Esc leaves the field only when nothing is open
    acts[event.key]();
  }

  #take(place) {
    const { from } = this.found;
    const { insert, inside, to = this.input.selectionStart } = this.found.options[place];
    this.#close();
    this.input.setRangeText(insert, from, to, "end");
    if (inside) this.input.selectionStart = this.input.selectionEnd -= 1;
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
    this.#close();
  }

  #show() {
    this.list?.remove();
    const id = `${this.input.id}-completion`;
    this.list = Object.assign(element("div", "completion"), { id });
    this.options = this.found.options.slice(0, 50).map((one, place) => this.#option(one, place, id));
    const box = element("div");
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", "Completion");
    box.append(...this.options);
    this.list.append(box, this.#foot());
    this.input.setAttribute("aria-controls", id);
    const field = this.input.closest(".field");
    field.append(this.list);
    this.#lay(field);
    this.#point(0);
    this.#tell();
  }

  #lay(field) {
    const scroller = field.closest(".props") ?? document.documentElement;
    const edge = Math.min(scroller.getBoundingClientRect().bottom, window.innerHeight);
    const { top, bottom } = this.input.getBoundingClientRect();
    const above = edge - bottom < LEAST_ROOM && top > LEAST_ROOM;
    this.list.classList.toggle("above", above);
    this.list.classList.toggle("below", !above);
    if (this.input.rows > TALL) this.#atCaret();
  }

  // Below the line of the caret, where the field is too tall for a list below all of it.
  #atCaret() {
    const style = getComputedStyle(this.input);
    const copy = element("div", "", this.input.value.slice(0, this.input.selectionStart));
    for (const name of ["font", "padding", "border", "letterSpacing", "lineHeight"]) copy.style[name] = style[name];
    Object.assign(copy.style, { position: "absolute", visibility: "hidden", whiteSpace: "pre-wrap", overflowWrap: "break-word", width: `${this.input.clientWidth}px` });
    const caret = copy.appendChild(element("span", "", "\u200b"));
    this.input.after(copy);
    const high = caret.offsetHeight;
    const line = this.input.offsetTop + caret.offsetTop + high - this.input.scrollTop;
    copy.remove();
    const { height } = this.list.getBoundingClientRect();
    const over = this.input.getBoundingClientRect().top + line - this.input.offsetTop + height > window.innerHeight;
    this.list.classList.remove("above", "below");
    this.list.style.top = `${over ? line - high - height : line}px`;
  }

  #option({ label, kind, note, perhaps }, place, id) {
    const option = element("div");
    option.id = `${id}-${place}`;
    option.setAttribute("role", "option");
    option.append(element("code", "", label), element("span", "kind", kind), element("span", "note", perhaps ? `◑ perhaps set · ${note}` : note));
    option.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the focus stays in the field
      this.#take(place);
    });
    return option;
  }

  #foot() {
    const foot = element("p", "keys");
    for (const [keys, word] of [["↑ ↓", "move"], ["Enter", "take"], ["Ctrl Space", "more"]]) foot.append(element("kbd", "", keys), ` ${word}  `);
    foot.setAttribute("aria-hidden", "true");
    return foot;
  }

  #point(place) {
    this.at = place;
    this.options.forEach((option, index) => option.setAttribute("aria-selected", String(index === place)));
    this.input.setAttribute("aria-activedescendant", this.options[place].id);
    this.options[place].scrollIntoView({ block: "nearest" });
  }

  // How many there are, once per change of the number.
  #tell() {
    const count = this.found.options.length;
    const words = `${count} ${this.found.what}${count === 1 ? "" : "s"}`;
    const place = document.querySelector("[data-completion-said]") ?? document.body.appendChild(said());
    if (place.textContent !== words) place.textContent = words;
  }

  #close({ again = false } = {}) {
    if (!again) this.asked = 0;
    this.list?.remove();
    this.list = null;
    this.input.removeAttribute("aria-activedescendant");
    this.input.removeAttribute("aria-controls");
  }
}

function said() {
  const place = element("div", "sr");
  place.setAttribute("role", "status");
  place.dataset.completionSaid = "";
  return place;
}
