// Tells screen readers what has changed by itself: one polite sentence, at most every five seconds.

const PAUSE_MS = 5000;
let waiting = [];
let timer;

export function announce(sentence) {
  waiting.push(sentence);
  if (!timer) speak();
}

function speak() {
  const words = waiting.length > 2 ? [`${waiting.length} tasks have changed.`] : waiting;
  waiting = [];
  timer = undefined;
  if (words.length === 0) return;
  place().textContent = words.join(" ");
  timer = setTimeout(speak, PAUSE_MS);
}

function place() {
  const found = document.getElementById("announcer");
  if (found) return found;
  const made = Object.assign(document.createElement("p"), { id: "announcer", className: "sr" });
  made.setAttribute("role", "status");
  document.body.append(made);
  return made;
}
