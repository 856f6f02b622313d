// The check of the record on the audit page: polls while it runs, without reloading the page.
const EVERY_MS = 3000;

export function follow(root = document) {
  const place = root.querySelector("[data-check][data-check-runs]");
  if (place) setTimeout(() => look(place), EVERY_MS);
}

async function look(place) {
  try {
    const answer = await fetch(place.dataset.check, { headers: { "X-Usher-Poll": "1", "X-Requested-With": "fetch" } });
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(...found.body.childNodes);
    if (place.querySelector("progress")) setTimeout(() => look(place), EVERY_MS);
  } catch {
    setTimeout(() => look(place), EVERY_MS);
  }
}
