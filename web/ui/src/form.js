// Forms: the first wrong field gets the focus, and a form is sent once. What is typed into a task: task-form.js.

export function watchForms() {
  const first = firstWrong() ?? document.querySelector("[data-error-summary]");
  if (!isTyping()) first?.focus();
  // Where the address has a fragment, as the task's has, browsers focus its target instead of the `autofocus` field.
  addEventListener("load", () => !isTyping() && document.querySelector("[autofocus]")?.focus());
  document.addEventListener("click", toField);
  document.addEventListener("submit", sendOnce);
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(unlock));
}

// Whether somebody is typing already: a page can be used before its scripts are there.
function isTyping() {
  return document.activeElement?.matches("input:not([autofocus]), textarea:not([autofocus]), select:not([autofocus])");
}

// The first field with an error, where a form says so beside it; the fold it lies in is opened.
function firstWrong() {
  const field = document.querySelector("form[data-draft-url] [aria-invalid=true]");
  field?.closest("details")?.setAttribute("open", "");
  return field;
}

// A link in the error summary also opens the fold its field lies in.
function toField(event) {
  const link = event.target.closest("[data-error-summary] a[href^='#']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  field.closest("details")?.setAttribute("open", "");
  (field.matches("fieldset") ? field.querySelector("input") : field).focus();
}

function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  // Not `disabled`: a disabled button's name and value would not be sent.
  event.submitter?.setAttribute("aria-busy", "true");
}

function unlock(form) {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
}
