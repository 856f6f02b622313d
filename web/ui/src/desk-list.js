// The list of the inbox: filters that apply as they are set, the preview beside it, rows selected by hand.

const PREVIEW_MS = 120;
const WORDS_MS = 200;

export function watchList() {
  for (const form of document.querySelectorAll("[data-filters]")) applyWhenSet(form);
  const list = document.querySelector("[data-list]");
  if (!list) return;
  follow(list);
  select(list);
}

// A choice in an open menu applies when the menu closes or its button is pressed; words shortly after the last key.
function applyWhenSet(form) {
  let wait = 0;
  const words = form.querySelector("[data-list-words]");
  words?.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => apply(form, words), WORDS_MS);
  });
  for (const day of form.querySelectorAll("input[type=date]")) {
    day.addEventListener("input", () => {
      for (const other of form.elements[day.name]) if (other !== day && other.checked) other.checked = false;
    });
  }
  form.addEventListener("submit", () => tidy(form));
  if (words?.value && sessionStorage.getItem("usher-words")) {
    sessionStorage.removeItem("usher-words");
    words.focus();
    words.setSelectionRange(words.value.length, words.value.length);
  }
}

function apply(form, words) {
  sessionStorage.setItem("usher-words", "1");
  form.requestSubmit();
}

// Addresses stay short: fields without a value are not sent, and of a rule and a day only the one that is set.
function tidy(form) {
  for (const field of form.elements) {
    if (field.name && !field.value && field.type !== "checkbox") field.disabled = true;
    if (field.type === "radio" && field.checked && !field.value) field.disabled = true;
  }
  for (const day of form.querySelectorAll("input[type=date]")) {
    const rule = form.querySelector(`input[type=radio][name="${day.name}"]:checked`);
    if (rule?.value && !rule.disabled) day.disabled = true;
  }
}

function follow(list) {
  const pane = document.querySelector("[data-preview]");
  let wait = 0;
  let shown = "";
  if (!pane) return;
  list.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-task]");
    if (!row || row.dataset.task === shown || getComputedStyle(pane).display === "none") return;
    clearTimeout(wait);
    wait = setTimeout(async () => {
      shown = row.dataset.task;
      for (const other of list.querySelectorAll("tr.at")) other.classList.remove("at");
      row.classList.add("at");
      await preview(pane, row);
    }, PREVIEW_MS);
  });
}

async function preview(pane, row) {
  const open = row.querySelector("a.task");
  const address = new URL(open.href);
  address.pathname += "/preview";
  address.hash = "";
  try {
    const answer = await fetch(address);
    const html = await answer.text();
    if (answer.redirected || !row.matches(".at")) return; // the reader has moved on meanwhile
    pane.innerHTML = html;
  } catch {
    pane.textContent = "The preview cannot be loaded now. The list can still be read.";
  }
}

function select(list) {
  let last = null;
  list.addEventListener("click", (event) => {
    const box = event.target.closest('input[name="task"]');
    if (!box) return;
    if (event.shiftKey && last) range(list, last, box);
    last = box;
  });
  list.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-shown]")) {
      for (const box of boxes(list)) box.checked = event.target.checked;
    }
    say(list);
  });
  window.addEventListener("pageshow", () => say(list));
}

function boxes(list) {
  return [...list.querySelectorAll('input[name="task"]')];
}

function range(list, from, to) {
  const all = boxes(list);
  const [first, last] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  for (const box of all.slice(Math.max(first, 0), last + 1)) box.checked = to.checked;
}

// How many rows are selected, and what can be done with them.
function say(list) {
  const all = boxes(list);
  const chosen = all.filter((box) => box.checked).length;
  const every = list.querySelector("[data-select-shown]");
  if (every) {
    every.checked = chosen > 0 && chosen === all.length;
    every.indeterminate = chosen > 0 && chosen < all.length;
  }
  const bar = document.querySelector("[data-bulk]");
  if (!bar) return;
  bar.hidden = chosen === 0;
  document.querySelector("[data-key-footer]")?.toggleAttribute("hidden", chosen > 0);
  for (const place of bar.querySelectorAll("[data-selected]")) place.textContent = String(chosen);
}
