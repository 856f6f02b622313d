// The keys of the whole product; keys.html describes them to people. None of them works while typing.

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter") return submitFrom(event);
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (/^[a-z]$/.test(event.key) && lettersOff()) return;
    const act = actions[event.key];
    if (act && act()) event.preventDefault();
  });
}

// Each returns whether it did something; if not, the key keeps its usual meaning.
const actions = {
  "/": () => focus(document.querySelector("[data-search]")),
  "?": () => show(document.getElementById("keys")),
  j: () => move(1),
  k: () => move(-1),
  c: () => press(document.querySelector("[data-claim]")),
  z: () => press(document.querySelector("[data-undo]")),
  x: () => press(rowAt()?.querySelector('input[name="task"]')),
};

const LETTERS_OFF = "usher-letter-keys-off";

// The switch in the list of keys, for people whose voice or hand types letters by accident (WCAG 2.1.4).
export function watchLetterSwitch() {
  const box = document.querySelector("[data-letter-keys]");
  if (!box) return;
  box.checked = !lettersOff();
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(LETTERS_OFF);
    else localStorage.setItem(LETTERS_OFF, "1");
  });
}

function lettersOff() {
  return localStorage.getItem(LETTERS_OFF) === "1";
}

function rowAt() {
  return document.activeElement?.closest("[data-task]") ?? document.querySelector("[data-list] tr.at");
}

function typing(element) {
  if (element.matches('input[type="checkbox"], input[type="radio"]')) return false;
  return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
}

// Of the form that holds the focus, else of the open task: wherever the focus is. With Shift the page stays.
function submitFrom(event) {
  const form =
    event.target.closest('form[method="post" i]:not([data-list])') ??
    document.querySelector("form[data-task-form]") ??
    document.querySelector("#task [data-next]")?.form;
  if (!form || document.querySelector("dialog[open] form[method=dialog]")) return;
  event.preventDefault();
  const next = event.shiftKey ? null : form.querySelector("[data-next]");
  form.requestSubmit(next ?? form.querySelector("button.go[type=submit], button[type=submit]"));
}

function move(by) {
  const tasks = [...document.querySelectorAll("[data-list] .task")];
  if (tasks.length === 0) return false;
  const here = tasks.indexOf(rowAt()?.querySelector(".task") ?? document.activeElement);
  const from = here >= 0 ? here : tasks.findIndex((task) => task.hasAttribute("aria-current")) - (by > 0 ? 0 : 1);
  return focus(tasks[Math.min(Math.max(from + by, 0), tasks.length - 1)]);
}

function focus(element) {
  element?.focus();
  element?.select?.();
  return Boolean(element);
}

function show(dialog) {
  dialog?.showModal();
  return Boolean(dialog);
}

function press(button) {
  button?.click();
  return Boolean(button);
}
