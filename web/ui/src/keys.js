// The keys of the whole product; keys.html describes them to people. None of them works while typing.

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter") return submitFrom(event);
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
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
};

function typing(element) {
  return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
}

function submitFrom(event) {
  // Of the open task the form is meant wherever the focus is; without one, the button that opens it.
  const form = event.target.closest('form[method="post" i]') ?? document.querySelector("form[data-task-form]");
  if (!form || event.target.closest("dialog form[method=dialog]")) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("button.go[type=submit], button[type=submit]"));
}

function move(by) {
  const tasks = [...document.querySelectorAll("[data-list] .task")];
  if (tasks.length === 0) return false;
  const here = tasks.indexOf(document.activeElement);
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
