// What is copied from a diagram can be pasted into another one, in this window or the next: it waits in this browser.
// Takes the place of diagram-js's clipboard, which forgets with the page.
const KEY = "usher-clipboard";

class Clipboard {
  static $inject = ["moddle"];

  constructor(moddle) {
    this.moddle = moddle;
  }

  get() {
    const text = kept();
    if (text !== this.text) [this.text, this.tree] = [text, text && this.#read(text)];
    return this.tree;
  }

  set(tree) {
    this.tree = tree;
    this.text = JSON.stringify(tree);
    try {
      localStorage.setItem(KEY, this.text);
    } catch {
      this.text = kept(); // full or forbidden: it stays on this page
    }
  }

  clear() {
    this.set(null);
  }

  isEmpty() {
    return !this.get();
  }

  // Elements of the file come back as such, one object for each id.
  #read(text) {
    const seen = new Map();
    const made = (value) => {
      const { $type, ...attributes } = value;
      const object = seen.get(value.id) ?? this.moddle.create($type, attributes);
      if (value.id) seen.set(value.id, object);
      return object;
    };
    try {
      return JSON.parse(text, (_, value) => (typeof value?.$type === "string" ? made(value) : value));
    } catch {
      return null; // not ours, or of elements this editor does not know
    }
  }
}

function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const ClipboardModule = { clipboard: ["type", Clipboard] };
