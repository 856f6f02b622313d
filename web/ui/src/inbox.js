// Keeps the inbox list current where no stream does (live.js): a fragment every few seconds, 304 when nothing changed.
import { isLive } from "./live.js";

const EVERY_MS = 5000;

export function watchInbox() {
  document.querySelectorAll("[data-poll]").forEach(follow);
}

function follow(list) {
  const seen = { etag: list.dataset.etag ?? "", since: new Date() };
  const turn = async () => {
    const goOn = document.hidden || isLive() || (await refresh(list, seen));
    if (goOn) setTimeout(turn, EVERY_MS);
  };
  setTimeout(turn, EVERY_MS);
}

// Returns whether to ask again.
async function refresh(list, seen) {
  try {
    // The server must not take this for a person at work, or no session would ever grow idle.
    const headers = { "X-Usher-Poll": "1", ...(seen.etag && { "If-None-Match": seen.etag }) };
    const answer = await fetch(list.dataset.poll, { headers });
    if (answer.redirected || answer.status === 401) return stop(list, "You were signed out. Reload the page to go on.");
    if (answer.status === 304 || !answer.ok) return warn(list, seen, answer.status === 304);
    const html = await answer.text();
    seen.etag = answer.headers.get("ETag") ?? "";
    exchange(list, html);
    return warn(list, seen, true);
  } catch {
    return warn(list, seen, false);
  }
}

function exchange(list, html) {
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const current = list.querySelector(".task[aria-current]")?.getAttribute("href");
  const scroller = list.closest(".rows") ?? list;
  const top = scroller.scrollTop;
  const chosen = new Set([...list.querySelectorAll('input[name="task"]:checked')].map((box) => box.value));
  const at = list.querySelector("tr.at")?.dataset.task;
  list.innerHTML = html;
  for (const box of list.querySelectorAll('input[name="task"]')) box.checked = chosen.has(box.value);
  if (at) list.querySelector(`tr[data-task="${CSS.escape(at)}"]`)?.classList.add("at");
  list.dispatchEvent(new Event("change", { bubbles: true }));
  scroller.scrollTop = top;
  if (current) task(list, current)?.setAttribute("aria-current", "true");
  if (focused) task(list, focused)?.focus({ preventScroll: true });
}

function task(list, href) {
  return list.querySelector(`a[href="${CSS.escape(href)}"]`);
}

function warn(list, seen, fresh) {
  if (fresh) {
    seen.since = new Date();
    note(list, "");
  } else {
    const time = seen.since.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: list.dataset.zone });
    note(list, `Not up to date since ${time}: the server does not answer. Trying again.`);
  }
  return true;
}

function stop(list, words) {
  note(list, words);
  return false;
}

function note(list, words) {
  let place = list.previousElementSibling?.matches(".stale") ? list.previousElementSibling : null;
  if (!place && !words) return;
  if (!place) {
    place = Object.assign(document.createElement("p"), { className: "stale s" });
    place.setAttribute("role", "status");
    list.before(place);
  }
  place.hidden = !words;
  if (place.textContent !== words) place.textContent = words;
}
