// Tells the practice that somebody's browser runs the page of an invitation. A mail scanner that only fetches it does not.

export function reportOpening() {
  const page = document.querySelector("[data-opened]");
  if (!page) return;
  if (document.visibilityState === "visible") report(page.dataset.opened);
  else document.addEventListener("visibilitychange", () => report(page.dataset.opened), { once: true });
}

function report(address) {
  fetch(address, { method: "POST", keepalive: true, headers: { "X-CSRF-Token": document.body.dataset.csrf } }).catch(() => {});
}
