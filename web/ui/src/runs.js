// The progress bar of a running batch: polls its progress and reloads the page once it has ended.

const EVERY_MS = 1000;

export function watchRuns() {
  document.querySelectorAll("[data-run]").forEach(follow);
}

function follow(section) {
  const bar = section.querySelector("progress");
  const words = section.querySelector("[data-run-words]");
  const turn = async () => {
    let now = null;
    try {
      // No sign of a person at work; see inbox.js.
      const answer = await fetch(section.dataset.run, { headers: { "X-Usher-Poll": "1" } });
      if (answer.redirected || answer.status === 401) {
        words.textContent = "You were signed out. Reload the page to go on.";
        return;
      }
      now = answer.ok ? await answer.json() : null;
    } catch {
      words.textContent = "The server does not answer. Trying again.";
    }
    if (now && !now.open) return location.reload();
    if (now) {
      bar.value = now.done;
      words.textContent = `${now.done.toLocaleString("en")} of ${now.total.toLocaleString("en")} ${section.dataset.noun ?? "cases"}`;
    }
    setTimeout(turn, EVERY_MS);
  };
  setTimeout(turn, EVERY_MS);
}
