// The lines above the next task follow their cases: fetched when one has changed, taken away a while after they are over.
import { inTurn } from "./in-turn.js";
import { isLive } from "./live.js";

const OVER_MS = 20000;
const ASK_MS = 3000;

export function watchOutcomes() {
  const strips = document.querySelector("[data-outcomes]");
  if (!strips) return;
  const renew = inTurn(async () => {
    const html = await fetched(strips.dataset.outcomes);
    if (html !== null) exchange(strips, html);
  });
  document.addEventListener("usher:live", ({ detail: { kind, data } }) => {
    const mine = kind === "again" || (kind === "cases" && [...strips.querySelectorAll(".strip")].some((line) => line.dataset.case in data.cases));
    if (mine) renew();
  });
  setInterval(() => {
    if (!isLive() && !document.hidden && strips.querySelector(".strip:not(.over, .bad)")) renew();
  }, ASK_MS);
  leaveLater(strips);
}

async function fetched(url) {
  try {
    const answer = await fetch(url, { headers: { "X-Usher-Poll": "1", "X-Requested-With": "fetch" } });
    return answer.ok && !answer.redirected ? await answer.text() : null;
  } catch {
    return null;
  }
}

function exchange(strips, html) {
  const place = document.createElement("template");
  place.innerHTML = html;
  const next = place.content.querySelector("[data-outcomes]");
  if (!next) return;
  for (const line of [...next.querySelectorAll(".strip")]) {
    const old = strips.querySelector(`.strip[data-case="${CSS.escape(line.dataset.case)}"]`);
    // Somebody types in it, or has the same already: a live region must not speak twice.
    if (old && (old.querySelector("details[open]") || old.textContent === line.textContent)) line.replaceWith(old);
  }
  strips.replaceChildren(...next.childNodes);
  leaveLater(strips);
}

function leaveLater(strips) {
  for (const line of strips.querySelectorAll(".strip.over:not([data-leaves])")) {
    line.dataset.leaves = "1";
    const leave = () => (line.matches(":hover, :focus-within") ? setTimeout(leave, OVER_MS / 4) : line.remove());
    setTimeout(leave, OVER_MS);
  }
}
