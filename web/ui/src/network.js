// Whether the server can be reached: a bar that pushes the page down while it cannot, and what needs it says why.
const HINT = "needs-network";
const RETRY_MS = 5000;

let bar = null;
let timer = 0;

export function watchNetwork() {
  window.addEventListener("offline", unreached);
  window.addEventListener("online", probe);
  document.addEventListener("submit", refuse, { capture: true });
  if (navigator.onLine === false) unreached();
}

export function isOffline() {
  return bar !== null;
}

// A request failed on the way: not an answer, no answer at all.
export function unreached() {
  const template = document.querySelector("template[data-no-network]");
  if (bar || !template) return;
  bar = template.content.firstElementChild.cloneNode(true);
  bar.querySelector("[data-try-network]").addEventListener("click", probe);
  const main = document.getElementById("main");
  main ? main.prepend(bar) : document.body.prepend(bar);
  mark(true);
  timer = setTimeout(probe, RETRY_MS);
}

export function reached() {
  if (!bar) return;
  clearTimeout(timer);
  bar.remove();
  bar = null;
  mark(false);
  document.dispatchEvent(new Event("usher:network"));
}

async function probe() {
  clearTimeout(timer);
  try {
    await fetch("/session", { headers: { "X-Usher-Poll": "1", "X-Requested-With": "fetch" }, cache: "no-store" });
    reached();
  } catch {
    if (bar) timer = setTimeout(probe, RETRY_MS);
  }
}

function mark(isOff) {
  for (const button of document.querySelectorAll("[data-needs-network]")) {
    if (isOff) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
    if (isOff) button.setAttribute("aria-describedby", HINT);
    else button.removeAttribute("aria-describedby");
  }
  document.getElementById(HINT)?.remove();
  if (!isOff) return;
  const hint = Object.assign(document.createElement("p"), { id: HINT, className: "s" });
  hint.textContent = "Saving waits for the network. Nothing is sent by itself later.";
  bar.firstElementChild.append(" ", hint);
}

// A form sent without network would leave the page, and what is typed with it.
function refuse(event) {
  if (!bar || event.target.method !== "post" || event.target.matches("[data-again]")) return;
  event.preventDefault();
  bar.querySelector("button").focus();
}
