// Notices of the browser (Notification API), for who turned them on in this browser: of a task that was given to them, or of high priority
// for their groups, while no page of Usher is in view. They name no patient. Pages that listen (live.js) hear of the tasks.

const ON = "usher-notices-of";
const SHOWN = "usher-notices-shown";
const KEPT = 50;
// So long a page that is in view has to say that it showed the change, before a hidden one speaks up.
const WAIT_MS = 400;
const WORDS = { given: "A task was given to you.", urgent: "A task of high priority has come to your groups." };

// The switch on the profile. Permission is asked for only here, when somebody presses it.
export function watchNoticeSwitch() {
  const place = document.querySelector("[data-notices]");
  if (!place) return;
  const [button, state] = [place.querySelector("[data-notices-switch]"), place.querySelector("[data-notices-state]")];
  const person = place.dataset.notices;
  const show = () => {
    const refused = !("Notification" in window) || Notification.permission === "denied";
    button.hidden = refused;
    button.textContent = isOn(person) ? "Turn them off" : "Turn them on";
    state.textContent = refused ? "This browser does not let Usher show notices; its settings for this site say why." : isOn(person) ? "They are on in this browser." : "They are off in this browser.";
  };
  button.addEventListener("click", async () => {
    if (isOn(person)) localStorage.removeItem(ON);
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(ON, person);
    show();
  });
  show();
}

// What live.js calls for each message; *person* is who is signed in.
export function followNotices(person) {
  return (kind, data) => {
    if (kind !== "cases" || !isOn(person)) return;
    for (const notice of data.notices ?? []) {
      if (document.visibilityState === "visible") remember(notice.key);
      else setTimeout(() => speak(notice), WAIT_MS);
    }
  };
}

function speak({ key, kind, url }) {
  if (shown().includes(key)) return;
  remember(key);
  const notice = new Notification("Usher", { body: WORDS[kind], tag: key });
  notice.addEventListener("click", () => {
    window.focus();
    window.open(url);
    notice.close();
  });
}

function isOn(person) {
  return "Notification" in window && Notification.permission === "granted" && localStorage.getItem(ON) === person;
}

function shown() {
  return (localStorage.getItem(SHOWN) ?? "").split(" ");
}

function remember(key) {
  localStorage.setItem(SHOWN, [...shown().slice(-KEPT), key].join(" "));
}
