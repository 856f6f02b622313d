// Ctrl K opens a list of patients, tasks and actions from any page; arrows choose, Enter goes there.

const REST_MS = 150;

export function watchPalette() {
  const palette = document.querySelector("[data-palette]");
  if (!palette) return;
  const input = palette.querySelector("input");
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    input.value = "";
    show(palette, "");
    palette.showModal();
  });
  let wait = 0;
  input.addEventListener("input", () => {
    clearTimeout(wait);
    show(palette, input.value);
    wait = setTimeout(() => find(palette, input), REST_MS);
  });
  input.addEventListener("keydown", (event) => act(palette, event));
}

function act(palette, event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    choose(palette, step);
  } else if (event.key === "Enter") {
    event.preventDefault();
    (chosen(palette) ?? options(palette)[0])?.click();
  }
}

function options(palette) {
  return [...palette.querySelectorAll("[role=option]")].filter((option) => !option.hidden);
}

function chosen(palette) {
  return palette.querySelector("[role=option][aria-selected=true]:not([hidden])");
}

function choose(palette, step) {
  const all = options(palette);
  if (all.length === 0) return;
  const at = all.indexOf(chosen(palette));
  mark(palette, all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length]);
}

function mark(palette, option) {
  for (const other of palette.querySelectorAll("[role=option]")) other.setAttribute("aria-selected", String(other === option));
  const input = palette.querySelector("input");
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
}

// Actions are filtered here; what was found for another text goes.
function show(palette, text) {
  const words = text.trim().toLowerCase();
  for (const action of palette.querySelectorAll("[role=group][aria-label=Actions] [role=option]")) {
    action.hidden = !action.textContent.toLowerCase().includes(words);
  }
  if (!words) palette.querySelector("[data-palette-found]").replaceChildren();
  mark(palette, null);
}

async function find(palette, input) {
  const text = input.value.trim();
  if (text.length < 2) return;
  try {
    const answer = await fetch(`${palette.dataset.palette}?q=${encodeURIComponent(text)}`);
    if (answer.redirected || !answer.ok || input.value.trim() !== text) return;
    palette.querySelector("[data-palette-found]").innerHTML = await answer.text();
  } catch {
    return; // the actions still work
  }
  const count = options(palette).length;
  palette.querySelector("[data-palette-count]").textContent = count === 1 ? "1 match" : `${count} matches`;
}
