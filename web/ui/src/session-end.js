// The end of a session, for every page of a signed-in person. Two minutes before, a quiet line; then the page is emptied,
// title and address too, behind a door. Signing in there goes on in the same place, with the cursor where it was.
import { keepNow } from "./task-form.js";

const SOON_S = 120;
const LONGEST_MS = 2 ** 31 - 1; // what a timer can wait
const PLACE = "usher-place";

const page = { who: "", ends: 0, timer: 0, line: null, door: null, channel: null };

export function watchSession() {
  page.who = document.body.dataset.who ?? "";
  if (!page.who) return;
  endsIn(Number(document.body.dataset.endsIn));
  page.channel = new BroadcastChannel("usher-session");
  page.channel.onmessage = ({ data }) => heard(data);
  page.channel.postMessage({ here: page.who });
  document.addEventListener("visibilitychange", () => !document.hidden && look());
  window.addEventListener("pageshow", (event) => event.persisted && look());
  restorePlace();
}

// A request was answered as to a stranger.
export function signedOut() {
  if (page.who) look();
}

function endsIn(seconds) {
  page.ends = Date.now() + seconds * 1000;
  clearTimeout(page.timer);
  const next = seconds > SOON_S ? seconds - SOON_S : seconds;
  page.timer = setTimeout(() => look(), Math.min(next * 1000 + 250, LONGEST_MS));
  if (seconds > SOON_S) page.line?.remove();
}

// Asks the server how long the session lasts: other tabs are work too. Asking is none.
async function look() {
  if (page.door) return;
  const facts = await ask("/session", { headers: { "X-Usher-Poll": "1" } });
  if (page.door) return;
  const left = (page.ends - Date.now()) / 1000;
  if (facts === null && left > 0) return endsIn(left); // no answer: the time that is left still runs
  if (!facts?.name) return close();
  if (facts.name !== page.who) return leave();
  adopt(facts);
  if (facts.ends_in <= SOON_S) warn();
}

// The facts of the session; an empty object if there is none, null without an answer.
async function ask(address, options) {
  try {
    const headers = { "X-Requested-With": "fetch", "X-CSRF-Token": document.body.dataset.csrf, ...options.headers };
    const answer = await fetch(address, { ...options, headers });
    return answer.ok ? await answer.json() : answer.status === 401 ? {} : null;
  } catch {
    return null;
  }
}

function adopt({ csrf, ends_in }) {
  document.body.dataset.csrf = csrf;
  document.querySelectorAll("input[name=csrf_token]").forEach((input) => (input.value = csrf));
  endsIn(ends_in);
}

function warn() {
  if (page.line?.isConnected) return;
  page.line = copyOf("template[data-session-soon]");
  page.line.querySelector("[data-stay]").addEventListener("click", stay);
  (document.getElementById("main") ?? document.body).prepend(page.line);
}

async function stay() {
  const facts = await ask("/session/stay", { method: "POST" });
  if (facts?.name) adopt(facts), page.channel.postMessage({ alive: true });
  else if (facts) close();
}

// The end: what was typed is kept first, then nothing of a patient stays on the page.
async function close() {
  if (page.door) return;
  page.door = copyOf("template[data-session-over]");
  clearTimeout(page.timer);
  const typedInto = await keepNow();
  page.place = { path: location.pathname + location.search, ...cursor() };
  page.title = document.title;
  page.isKept = isEditor(); // it shows no patient, and holds what no server has yet; the door hides it
  if (!page.isKept) document.body.replaceChildren();
  document.title = "Signed out · Usher";
  history.replaceState(null, "", "/sign-in");
  page.door.querySelector("[data-kept-words]").textContent = typedInto && `What you typed in ${typedInto} is kept.`;
  page.door.querySelector("[data-again]").addEventListener("submit", signIn);
  page.door.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(page.door);
  page.door.showModal();
  page.door.querySelector("input[type=password]").focus();
  page.channel.postMessage({ ended: true });
}

async function signIn(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
  const form = event.target;
  const wrong = page.door.querySelector("[data-again-wrong]");
  wrong.hidden = true;
  const before = await ask("/session", { headers: { "X-Usher-Poll": "1" } });
  if (before?.name) return before.name === page.who ? goOn(before) : leave(); // signed in in another tab
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { "X-Requested-With": "fetch" }, body: new FormData(form) });
    const facts = await answer.json();
    if (answer.ok) return goOn(facts);
    wrong.textContent = facts.detail ?? "It did not work. Try again.";
  } catch {
    wrong.textContent = "No network. Try again.";
  }
  wrong.hidden = false;
  form.querySelector("input[type=password]").select();
}

// An editor is shown again with all that was not saved in it. Other pages are fetched again: much may have happened.
function goOn(facts) {
  page.channel.postMessage({ here: page.who });
  if (!page.isKept) {
    sessionStorage.setItem(PLACE, JSON.stringify(page.place));
    return location.replace(page.place.path);
  }
  page.door.remove();
  page.door = null;
  document.title = page.title;
  history.replaceState(null, "", page.place.path);
  adopt(facts);
  focusAt(page.place);
}

// Another person is signed in now: nothing of this page is for them.
function leave() {
  location.replace("/");
}

function heard({ here, ended, alive }) {
  if (here && here !== page.who) return leave();
  if (here && page.door) return rejoin();
  if (ended || alive) return look();
}

// Signed in again in another tab.
async function rejoin() {
  const facts = await ask("/session", { headers: { "X-Usher-Poll": "1" } });
  if (facts?.name === page.who) goOn(facts);
}

function isEditor() {
  return document.querySelector("[data-modeler], [data-form-editor], [data-decision-editor], [data-text-editor]") !== null;
}

function cursor() {
  const at = document.activeElement;
  const place = { id: at?.id ?? "" };
  try {
    return { ...place, from: at.selectionStart, to: at.selectionEnd };
  } catch {
    return place; // dates and e-mail addresses have no cursor that can be asked for
  }
}

function restorePlace() {
  const kept = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  if (!kept) return;
  const place = JSON.parse(kept);
  if (place.path === location.pathname + location.search) addEventListener("load", () => keepNow().then(() => focusAt(place)));
}

function focusAt({ id, from, to }) {
  const element = id && document.getElementById(id);
  if (!element) return;
  element.closest("details")?.setAttribute("open", "");
  element.focus();
  if (typeof from === "number") element.setSelectionRange(from, to);
}

function copyOf(selector) {
  return document.querySelector(selector).content.firstElementChild.cloneNode(true);
}
