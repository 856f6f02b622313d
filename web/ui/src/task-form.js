// What is typed into the form of a task, or as a comment, is never lost: kept in this browser at once, as a draft on the
// server within a second. "Draft saved" is said only on the server's word. Nothing is sent later by itself.
import { vault } from "./kept-text.js";
import { isOffline, reached, unreached } from "./network.js";
import { signedOut } from "./session-end.js";

const SAVE_MS = 800; // from the first unsaved key
const AGAIN_MS = 5000; // after a failed try
const QUIET_MS = 1500; // how long a saved draft is not contradicted while more is typed
const KEEPALIVE_BYTES = 60_000; // what a closing page may still send

let current = [];

export function watchTaskForm() {
  current = [...document.querySelectorAll("form[data-draft-url]")].map((form) => new TaskForm(form));
  forgetCompleted();
  document.querySelector("form[action$='/sign-out']")?.addEventListener("submit", leave);
}

// Resolves when what is typed is on this computer at least; answers the task's title if there is such text.
export async function keepNow() {
  await Promise.all(current.map((one) => one.begun.then(() => one.keep())));
  return current.find((one) => one.isChanged)?.title ?? "";
}

class TaskForm {
  constructor(form) {
    this.form = form;
    this.url = form.dataset.draftUrl;
    this.stamp = form.dataset.stamp ?? "";
    this.served = asServed(form);
    this.last = JSON.stringify(this.served); // what the server has
    this.title = this.isComment ? "a comment" : (document.getElementById("task-title")?.textContent ?? "");
    this.timer = 0;
    this.savedAt = 0;
    form.addEventListener("input", () => this.changed());
    form.addEventListener("change", () => this.changed());
    form.addEventListener("submit", (event) => this.send(event));
    window.addEventListener("pagehide", () => this.text !== this.last && this.save({ keepalive: true }));
    document.addEventListener("usher:network", () => this.lookAgain());
    if (!this.isComment) document.querySelector("[data-forget-kept]")?.form.addEventListener("submit", () => this.forget());
    this.begun = this.begin();
  }

  get text() {
    return JSON.stringify(typed(this.form));
  }

  get isComment() {
    return "people" in this.form.dataset;
  }

  get isChanged() {
    return this.text !== JSON.stringify(this.served);
  }

  async begin() {
    this.vault = await vault();
    const kept = await this.vault?.get(this.url);
    if (kept && this.isComment && hasArrived(kept.values.text)) await this.vault.remove(this.url);
    else if (kept) this.restore(kept);
    if (this.text !== this.last) this.changed(); // restored, or typed before this script was loaded
  }

  // Text that the server never got; if it got other text meanwhile, both are shown and the person chooses.
  restore({ values, stamp, unanswered }) {
    const before = typed(this.form);
    const different = Object.keys(values).filter((name) => name in before && values[name] !== this.served[name]);
    const isKnown = stamp === this.stamp || JSON.stringify(unanswered) === JSON.stringify(this.served);
    const clashing = isKnown ? [] : different.filter((name) => before[name] !== values[name]);
    if (clashing.length > 0) return this.offer(values, clashing);
    this.last = ""; // also where the page shows it already: the server may not have it as a draft
    const free = different.filter((name) => before[name] === this.served[name]);
    fill(this.form, values, free);
    if (free.length > 0) this.say("What you typed here before is filled in.");
  }

  offer(values, names) {
    const strip = Object.assign(document.createElement("div"), { className: "strip" });
    const words = Object.assign(document.createElement("div"), {});
    const listed = names.map((name) => `${label(this.form, name)}: ${values[name] || "empty"}`).join(" · ");
    words.append(
      Object.assign(document.createElement("p"), { className: "say", textContent: "On this computer you typed something else." }),
      Object.assign(document.createElement("p"), { textContent: listed }),
    );
    const take = Object.assign(document.createElement("button"), { className: "btn small", type: "button", textContent: "Fill it in" });
    take.addEventListener("click", () => {
      fill(this.form, values, names);
      strip.remove();
      this.changed();
    });
    const acts = Object.assign(document.createElement("div"), { className: "acts" });
    acts.append(take);
    strip.append(words, acts);
    this.form.before(strip);
  }

  changed() {
    this.mark("typed");
    this.keep();
    this.timer ||= setTimeout(() => this.save(), SAVE_MS);
  }

  // One at a time, forgetting too; what was typed meanwhile is kept by the next round.
  keep() {
    this.again = true;
    this.keeping ??= this.#keepAll().finally(() => (this.keeping = null));
    return this.keeping;
  }

  async #keepAll() {
    while (this.again) {
      this.again = false;
      if (this.text === this.last) {
        await this.vault?.remove(this.url);
        if (!this.again) this.mark("saved");
        continue;
      }
      const { stamp, unanswered, sent } = this;
      const vaulted = await this.vault?.put(this.url, { values: typed(this.form), stamp, unanswered, sent }).then(
        () => true,
        () => false,
      );
      if (vaulted && !this.again) this.mark("kept");
      if (this.text === this.last || Date.now() - this.savedAt < QUIET_MS) continue;
      this.say(vaulted ? "Kept on this computer, not yet at Usher." : "Not kept yet. Stay on this page.");
    }
  }

  async save({ keepalive = false } = {}) {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.saving && !keepalive) return this.changed();
    const text = this.text;
    if (text === this.last || this.form.dataset.sent) return;
    const { revision, stamp, unanswered } = this;
    const body = JSON.stringify({ values: JSON.parse(text), ...(revision && { revision }), stamp, unanswered });
    this.saving = this.post(body, keepalive && body.length < KEEPALIVE_BYTES);
    this.unanswered = JSON.parse(text);
    const answer = await this.saving;
    this.saving = null;
    if (answer) await this.saved(text, answer);
    else this.timer ||= setTimeout(() => this.save(), AGAIN_MS);
  }

  // Also what was typed while a save is under way.
  async saveAll() {
    while (this.saving) await this.saving;
    await this.save();
  }

  async post(body, keepalive) {
    try {
      const answer = await fetch(this.url, { method: "POST", headers: headers(), body, keepalive });
      reached();
      if (answer.redirected || answer.status === 401) return signedOut(), null;
      if (!answer.ok) return this.say((await answer.json()).detail ?? "Draft not saved."), null;
      return await answer.json();
    } catch {
      unreached();
      return null;
    }
  }

  async saved(text, { saved, stamp = "", state = "open", by = "" }) {
    this.stamp = stamp;
    this.unanswered = undefined;
    if (state === "stale") return this.save(); // another window was faster; what is typed here is newer still
    this.last = text;
    this.savedAt = Date.now();
    if (this.text !== text) return this.changed();
    await this.keep();
    const why = {
      closed: "This task was closed meanwhile. Your text is kept; save to see both.",
      taken: `${by} has claimed this task. Your text is kept apart; save to see both.`,
    };
    this.say(why[state] ?? `Draft saved ${saved}. Go on at any computer.`);
  }

  get revision() {
    return Number(this.form.dataset.revision) || 0;
  }

  // Sending needs the network; the text stays here until the server has taken it.
  send(event) {
    if (isOffline()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.keep();
      return this.say("Saving waits for the network. Your text is kept on this computer; nothing is sent by itself later.");
    }
    this.sent = true;
    if (this.text !== this.last) this.keep();
  }

  // The network is back: the task is read first, then what was typed is saved.
  async lookAgain() {
    if (isOffline()) return;
    try {
      const answer = await fetch(this.url, { headers: { ...headers(), "X-Usher-Poll": "1" } });
      if (!answer.ok) return answer.status === 401 ? signedOut() : undefined;
      const { state, revision } = await answer.json();
      await this.save();
      if (state !== "open" || (this.revision && revision !== this.revision)) this.moved();
      else if (this.isChanged) this.say("Back. The task was read again: nothing has changed. Your text is saved.");
    } catch {
      unreached();
    }
  }

  moved() {
    const place = this.form.querySelector("[data-saved]");
    if (!place) return;
    const look = Object.assign(document.createElement("button"), { type: "button", className: "btn small", textContent: "See what changed" });
    look.addEventListener("click", () => location.reload());
    place.replaceChildren("Back. The task has changed meanwhile; your text is saved. ", look);
  }

  forget() {
    this.last = this.text;
    this.vault?.remove(this.url);
  }

  // What pages may wait for: typed, kept in this browser, or saved at the server.
  mark(state) {
    const place = this.form.querySelector("[data-saved]");
    if (place) place.dataset.state = state;
  }

  say(words) {
    const place = this.form.querySelector("[data-saved]");
    if (place && place.textContent !== words) place.textContent = words;
  }
}

// Text that was sent with a task that is closed now has arrived.
async function forgetCompleted() {
  const store = await vault();
  for (const [url, { sent }] of (await store?.all()) ?? []) {
    if (!sent || current.some((one) => one.url === url)) continue;
    const answer = await fetch(url, { headers: { ...headers(), "X-Usher-Poll": "1" } }).catch(() => null);
    const found = answer?.ok ? await answer.json() : null;
    if (found?.state === "closed" && found.by === store.who) await store.remove(url);
  }
}

// Signing out takes the key away: what the server does not have yet is sent before.
async function leave(event) {
  const form = event.target;
  if (form.dataset.flushed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  form.dataset.flushed = "1";
  await Promise.all(current.map((one) => one.saveAll()));
  await (await vault())?.clear();
  form.requestSubmit();
}

// Whether a comment of the reader on this page says what was sent.
function hasArrived(text) {
  const same = (one) => one.textContent.trim() === text.replaceAll("\r\n", "\n").trim();
  return [...document.querySelectorAll("[data-comment-list] [data-mine] .words")].some(same);
}

function headers() {
  return { "Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf, "X-Requested-With": "fetch" };
}

function asServed(form) {
  const copy = form.cloneNode(true);
  HTMLFormElement.prototype.reset.call(copy);
  return typed(copy);
}

// Every field by its name, an unticked box as "": a draft must say that it was unticked.
function typed(form) {
  const found = {};
  for (const input of inputs(form)) {
    if (input.type === "radio") found[input.name] = input.checked ? input.value : (found[input.name] ?? "");
    else found[input.name] = input.type === "checkbox" && !input.checked ? "" : input.value;
  }
  return found;
}

function inputs(form) {
  return [...form.querySelectorAll("input[name], select[name], textarea[name]")].filter(({ type }) => type !== "hidden" && type !== "file");
}

function fill(form, values, names) {
  for (const input of inputs(form).filter(({ name }) => names.includes(name))) {
    if (input.type === "radio") input.checked = input.value === values[input.name];
    else if (input.type === "checkbox") input.checked = values[input.name] === input.value;
    else input.value = values[input.name];
    input.closest("details")?.setAttribute("open", "");
  }
}

function label(form, name) {
  const input = inputs(form).find((one) => one.name === name);
  const words = input?.closest("fieldset")?.querySelector("legend") ?? input?.labels?.[0];
  return (words?.textContent ?? name).replace("*", "").trim();
}
