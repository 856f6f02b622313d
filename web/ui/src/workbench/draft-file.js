// One file of a draft: saved a moment after the last change, with the ETag it was made from. Until the server has it, the
// text also lies in this browser, so that closing it loses nothing. A save that comes too late is kept by the server.
import { askForName } from "./restore-points.js";

const KEEP_MS = 150; // after a change, before the text is put aside in this browser
const SAVE_MS = 1200; // after the last change, before it is sent
const AGAIN_MS = 10_000; // after a failed try
const KEEPALIVE_BYTES = 60_000; // what a closing page may still send

export class DraftFile {
  // `read` answers the text as it is now, or a promise of it; `settle` writes pending input into it first; `reopen` shows
  // another text in its place, after a colleague's change was merged into it.
  constructor(facts, read, settle = () => {}, reopen = null) {
    this.facts = facts;
    this.etag = facts.etag;
    this.read = read;
    this.settle = settle;
    this.reopen = reopen;
    this.dirty = false;
    this.conflict = null;
    this.timers = {};
    this.stored = `usher-draft:${facts.process}:${facts.file}`;
    this.place = document.querySelector("[data-saved]");
    document.addEventListener("visibilitychange", () => document.hidden && this.#isUnsaved && this.save());
    window.addEventListener("pagehide", () => this.#isUnsaved && (this.#keep(), this.save({ keepalive: true })));
    window.addEventListener("beforeunload", (event) => this.#isUnsaved && !this.isKept && event.preventDefault());
    document.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    document.addEventListener("click", (event) => this.#leave(event), { capture: true });
  }

  // What was not saved when this browser was closed goes to the server first; answers the text to open.
  async recover(text) {
    const opens = await this.#recovered(text);
    this.isOpen = true; // from here on the editor shows a text that another can take the place of
    return opens;
  }

  async #recovered(text) {
    const kept = this.#kept();
    if (!kept) return text;
    if (kept.text === text) return this.#forget(), text;
    this.etag = kept.etag;
    const saved = await this.#send(kept.text);
    if (saved) {
      this.say("what was not saved when this page was closed is back, and saved", "saved");
      return kept.text;
    }
    if (!this.conflict) {
      this.dirty = true;
      return kept.text;
    }
    // The server keeps the old text next to the one opened now; work goes on with the latter.
    this.conflict = null;
    this.etag = this.facts.etag;
    this.say("opened as it is saved", "saved");
    return text;
  }

  changed() {
    this.dirty = true;
    this.isKept = false;
    if (this.conflict) return this.#later("keep", KEEP_MS, () => this.#keep());
    this.say("not saved yet", "unsaved");
    this.#later("keep", KEEP_MS, () => this.#keep());
    this.#later("save", SAVE_MS, () => this.save());
  }

  // Sends the text as it is, and once more what was changed meanwhile; done when the server has answered.
  save(options = {}) {
    this.settle();
    clearTimeout(this.timers.save);
    if (this.conflict) return Promise.resolve();
    if (this.sending) this.again = true;
    else this.sending = this.#saveAll(options).finally(() => (this.sending = null));
    return this.sending;
  }

  async #saveAll(options) {
    do {
      this.again = false;
      this.dirty = false; // what is changed from here on, also while the text is read, is sent the next time
      this.place.dataset.state = "saving";
      const text = await this.read();
      this.#remember(text);
      const saved = await this.#send(text, options);
      if (!saved && !this.conflict) this.dirty = true;
      if (saved) delete options.before; // only the first of several saves is the one it stands before
    } while (this.again && this.dirty && !this.conflict);
  }

  async #send(text, options = {}) {
    const keepalive = Boolean(options.keepalive) && text.length < KEEPALIVE_BYTES;
    const condition = this.etag ? { "If-Match": `"${this.etag}"` } : { "If-None-Match": "*" };
    const headers = { "Content-Type": "application/octet-stream", ...condition, ...tokens() };
    try {
      const address = options.before ? `${this.facts.urls.file}?before=${options.before}` : this.facts.urls.file;
      const answer = await fetch(address, { method: "PUT", headers, body: text, keepalive });
      if (answer.status === 412) return this.#tooLate(await answer.json());
      if (answer.redirected || [401, 403].includes(answer.status)) return this.#refused("Not saved: sign in again in another tab, then press Save. Your text is kept in this browser.");
      if (!answer.ok) return this.#refused((await answer.json().catch(() => ({}))).detail ?? "Not saved.");
      const said = await answer.json();
      this.etag = said.etag;
      this.draft = said.draft; // the ETag of the whole draft
      if (options.before) this.before = said.before; // the number of the state before this save
      if (said.merged) await this.#merge(said);
      else if (!this.dirty) {
        this.#forget();
        this.say(`saved ${said.saved}`, "saved");
      }
      return true;
    } catch {
      this.#later("save", AGAIN_MS, () => this.save());
      return this.#refused("Not saved: no connection. Your text is kept in this browser and sent as soon as there is one.");
    }
  }

  // A colleague changed other elements of this file: the server has both changes, the editor only its own. What was
  // changed here since then is merged with the next save, which is made from the text that was sent.
  async #merge({ merged, saved }) {
    const whole = this.etag;
    this.etag = merged.sent;
    if (this.#isUnsaved) return;
    this.#forget();
    if (!this.reopen || !this.isOpen) return this.say(`saved ${saved}; merged with ${merged.by}`, "saved");
    const answer = await fetch(this.facts.urls.file);
    const text = await answer.text();
    if (!answer.ok || this.#isUnsaved || (answer.headers.get("ETag") ?? "").replaceAll('"', "") !== whole) return;
    await this.reopen(text);
    for (const timer of Object.values(this.timers)) clearTimeout(timer); // that it shows another text is no change
    this.etag = whole;
    this.dirty = false;
    this.say(`saved ${saved}; merged with ${merged.by}: ${merged.sentence}`, "saved");
  }

  #refused(words) {
    this.say(words, "failed");
    return false;
  }

  // Another person saved this file: the server has both texts now, and nothing more is sent until a person chooses.
  #tooLate(problem) {
    this.conflict = problem;
    this.#forget();
    this.say("not saved", "late");
    const place = document.querySelector("[data-conflict]");
    const notice = element("div", "notice alarm");
    const choose = element("button", "btn", "Compare and choose");
    choose.type = "button";
    choose.addEventListener("click", () => this.#choose(problem));
    const send = element("div", "send");
    send.append(choose);
    notice.append(element("p", "say", problem.detail), element("p", "", "You may go on; what you do now is compared too."), send);
    place.replaceChildren(notice);
    place.hidden = false;
    return false;
  }

  // What was changed since goes along: the newest text is set aside in place of the one before.
  async #choose(problem) {
    let key = problem.aside;
    if (!this.conflict) await this.save();
    else if (this.dirty) {
      await this.#send(await this.read());
      key = this.conflict.aside;
      if (key !== problem.aside) await fetch(this.#late(problem.aside), { method: "DELETE", headers: tokens() });
    }
    this.dirty = false;
    location.assign(this.facts.urls.late.replace("KEY", key));
  }

  get #isUnsaved() {
    this.settle();
    return this.dirty;
  }

  // Trying, comparing, deploying and exporting look at what the server has: a link waits until it has the last change.
  // One whose save failed leads on when it is followed again; this browser keeps the text.
  async #leave(event) {
    const link = event.target.closest?.("a[href]");
    const elsewhere = event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere || link.origin !== location.origin || link.getAttribute("href").startsWith("#")) return;
    const failed = this.place.dataset.state === "failed";
    if ((!this.#isUnsaved && !this.sending) || this.conflict || failed) return;
    event.preventDefault();
    event.stopPropagation();
    await this.save();
    if (this.dirty || this.conflict) return;
    link.click();
  }

  #late(key) {
    return this.facts.urls.forget.replace("KEY", key);
  }

  async #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    if (event.target.closest?.("[data-keep]")) return event.target.form.requestSubmit();
    await this.save();
    if (this.draft && !this.dirty && !this.conflict) askForName(this);
  }

  #later(name, wait, act) {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(act, wait);
  }

  async #keep() {
    if (this.dirty) this.#remember(await this.read());
  }

  #remember(text) {
    try {
      localStorage.setItem(this.stored, JSON.stringify({ text, etag: this.etag }));
      this.isKept = true;
    } catch {
      this.isKept = false; // full or forbidden: leaving the page asks first
    }
  }

  #kept() {
    try {
      return JSON.parse(localStorage.getItem(this.stored));
    } catch {
      return null;
    }
  }

  #forget() {
    try {
      localStorage.removeItem(this.stored);
    } catch {
      // nothing was kept then
    }
  }

  // `state` is what pages may wait for: unsaved, saving, saved, failed or late.
  say(words, state) {
    if (this.place.textContent !== words) this.place.textContent = words;
    this.place.dataset.state = state;
  }
}

// What every request of an editor carries.
export function tokens() {
  return { "X-CSRF-Token": document.body.dataset.csrf, "X-Requested-With": "fetch" };
}

export function facts(id = "facts") {
  return JSON.parse(document.getElementById(id).textContent);
}

export function element(name, className = "", words = "") {
  return Object.assign(document.createElement(name), { className, textContent: words });
}

// The buttons at the top: data-do names what they do.
export function actions(acts) {
  document.addEventListener("click", (event) => {
    const act = acts[event.target.closest("[data-do]")?.dataset.do];
    if (act) act();
  });
}

// The style sheet of an editor: only its own page loads it.
export function styles(name) {
  const entry = document.querySelector('script[src*="main.js"]').src;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: entry.replace("main.js", name) });
  return new Promise((resolve) => {
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}
