// Pages follow changes by themselves: a stream of events tells of them, and rows, the open task and the case page follow.
import { announce } from "./announce.js";
import { followCase } from "./live-case.js";
import { followRows } from "./live-rows.js";
import { followTask } from "./live-task.js";
import { addressed, listen } from "./live-stream.js";
import { followNotices } from "./notices.js";

const PATIENCE_MS = 10000;
const state = { since: 0, live: false };

// Whether changes come by themselves, so that nobody has to ask for them.
export function isLive() {
  return state.live || (state.since > 0 && Date.now() - state.since < PATIENCE_MS);
}

export function watchLive() {
  const host = document.querySelector("[data-live]");
  if (!host || !window.EventSource) return;
  const followers = [followRows(announce), followTask(announce), followCase(), followNotices(host.dataset.person)].filter(Boolean);
  const hear = ({ kind, data }) => {
    if (kind === "hello") Object.assign(state, { live: true, since: Date.now() });
    if (kind === "lost" || kind === "over") state.live = false;
    document.dispatchEvent(new CustomEvent("usher:live", { detail: { kind, data } }));
    for (const follower of followers) follower(kind, data);
  };
  const begin = window.SharedWorker ? shared : alone;
  let end = begin(host.dataset, hear);
  window.addEventListener("pagehide", () => end());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) end = begin(host.dataset, hear); // from the browser's memory: look at everything again
  });
}

function shared({ live, liveWorker }, hear) {
  // A name of the session's own: the next person at this browser must not share the stream.
  const worker = new SharedWorker(liveWorker, { type: "module", name: document.body.dataset.csrf });
  worker.port.onmessage = ({ data }) => hear(data);
  worker.port.postMessage({ url: new URL(live, location.href).href, cases: shown() });
  return () => worker.port.postMessage(null);
}

function alone({ live }, hear) {
  return listen(addressed(live, shown()), (kind, data) => hear({ kind, data }));
}

// The cases on this page, with the revisions it shows.
function shown() {
  return [...document.querySelectorAll("[data-case]")].map((place) => [place.dataset.case, Number(place.dataset.revision)]);
}
