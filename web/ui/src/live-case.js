// The page of a case follows it: its parts are fetched and exchanged, unless somebody is typing in them.
import { inTurn } from "./in-turn.js";

export function followCase() {
  const page = document.querySelector("main [data-live-page]");
  if (!page) return null;
  const renew = inTurn(async () => {
    const html = await fetched();
    if (html) await exchange(page, html);
  });
  return (kind, data) => {
    if (kind === "again" || (kind === "cases" && data.cases[page.dataset.case])) renew();
  };
}

async function fetched() {
  try {
    const answer = await fetch(location.href, { headers: { "X-Usher-Poll": "1" } });
    return answer.ok && !answer.redirected ? await answer.text() : "";
  } catch {
    return "";
  }
}

async function exchange(page, html) {
  const next = new DOMParser().parseFromString(html, "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const fresh = next.querySelector(`[data-part="${part.dataset.part}"]`);
    const busy = part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    if (!fresh || busy || part.isEqualNode(fresh)) continue;
    part.replaceChildren(...fresh.childNodes);
    const canvases = [...part.querySelectorAll("[data-diagram]")];
    if (canvases.length > 0) {
      const { drawDiagram } = await import("./diagram.js");
      await Promise.all(canvases.map(drawDiagram));
    }
  }
}
