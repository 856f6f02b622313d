// Forms: errors get the focus, a form is sent once, and what is typed is kept as a draft on the server.

const PAUSE_MS = 1000; // after the last key, before a draft is sent

export function watchForms() {
  document.querySelector("[data-error-summary]")?.focus();
  // Where the address has a fragment, as the task's has, browsers focus its target instead of the `autofocus` field.
  addEventListener("load", () => document.querySelector("[autofocus]")?.focus());
  document.addEventListener("click", toField);
  document.addEventListener("submit", sendOnce);
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(unlock));
  document.querySelectorAll("form[data-draft-url]").forEach(keepDraft);
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

function keepDraft(form) {
  let timer = 0;
  let last = JSON.stringify(asServed(form));
  const save = async () => {
    clearTimeout(timer);
    timer = 0;
    const values = typed(form);
    const text = JSON.stringify(values);
    if (text === last || form.dataset.sent) return;
    last = text;
    showStatus(form, await sendDraft(form.dataset.draftUrl, values));
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  };
  form.addEventListener("input", soon);
  window.addEventListener("pagehide", () => timer && save());
  if (JSON.stringify(typed(form)) !== last) soon(); // typed before this script was loaded
}

function asServed(form) {
  const copy = form.cloneNode(true);
  copy.reset();
  return typed(copy);
}

function typed(form) {
  const pairs = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !service(form, name));
  return Object.fromEntries(pairs);
}

// Hidden inputs (CSRF token, revision) belong to the page, not to the typed input.
function service(form, name) {
  const field = form.elements[name];
  return field instanceof HTMLInputElement && field.type === "hidden";
}

async function sendDraft(url, values) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf };
  try {
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ values }), keepalive: true });
    if (answer.status === 409) return "This task was changed by somebody else. Save to see what is the case; nothing you typed is lost.";
    if (answer.redirected || answer.status === 401 || answer.status === 403) return "Draft not saved: sign in again in another tab.";
    if (!answer.ok) return "Draft not saved.";
    return `Draft saved ${(await answer.json()).saved}. Go on at any computer.`;
  } catch {
    return "Draft not saved: no connection to the server.";
  }
}

function showStatus(form, words) {
  const place = form.querySelector("[data-saved]");
  if (place) place.textContent = words;
}
