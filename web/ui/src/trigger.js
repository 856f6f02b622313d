// The template's page selects its trigger as an EHR does: POST /api/v1/triggers. Without this the form itself is sent.

export function watchTriggers() {
  document.querySelectorAll("form[data-trigger]").forEach((form) => form.addEventListener("submit", select));
}

async function select(event) {
  event.preventDefault();
  const form = event.target;
  if (form.dataset.sent) return;
  setBusy(form, true);
  const refused = await ask(form).catch(() => "No connection to the server. Nothing was started; select the trigger again.");
  if (!refused) return;
  showRefusal(refused);
  setBusy(form, false);
}

// Goes on to the case, or returns why there is none.
async function ask(form) {
  const { patient_id, template, field, action, key } = Object.fromEntries(new FormData(form));
  const answer = await fetch(form.dataset.trigger, {
    method: "POST",
    headers: {
      "Authorization": `Bearer ${form.dataset.token}`,
      "Content-Type": "application/json",
      "Idempotency-Key": key,
    },
    credentials: "omit", // as an EHR: only the token counts
    body: JSON.stringify({ patient_id, template, field, action }),
  });
  const body = await answer.json();
  if (!answer.ok) return body.detail || body.title;
  location.assign(form.dataset.onward.replace("INSTANCE", encodeURIComponent(body.instance)));
  return "";
}

function setBusy(form, busy) {
  if (busy) form.dataset.sent = "1";
  else delete form.dataset.sent;
  form.querySelector("button").setAttribute("aria-busy", String(busy));
}

function showRefusal(words) {
  const place = document.querySelector("[data-refusal]");
  place.querySelector("[data-refusal-words]").textContent = words;
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}
