// The rows of a list change in place; a task that is gone is struck and says why; new ones wait behind a button.

const GONE_MS = 600000;
const told = { mentioned: 0 };

export function followRows(announce) {
  const list = document.querySelector("[data-list] [data-poll]");
  const fresh = new Set();
  return (kind, data) => {
    if (kind === "again") return offer(list, fresh, "Something has changed");
    if (kind !== "cases") return;
    const more = count(data.counts);
    if (!list) return;
    for (const row of list.querySelectorAll("li[data-stopped]")) {
      const changed = data.cases[row.dataset.case];
      if (changed) row.querySelector(".m").textContent = changed.last;
    }
    if (more.stopped && offer(list, fresh, "Another case has stopped")) announce("Another case has stopped.");
    if (more.mentioned) {
      offer(list, fresh, "Somebody mentioned you");
      announce("Somebody mentioned you in a comment.");
    }
    for (const row of list.querySelectorAll("tr[data-task]")) {
      const changed = data.cases[row.dataset.case];
      if (changed) follow(row, changed, announce);
    }
    for (const task of data.fresh) fresh.add(task);
    for (const { rows } of Object.values(data.cases)) for (const task of Object.keys(rows)) if (!rowOf(list, task)) fresh.add(task);
    if (fresh.size === 0) return;
    const words = fresh.size === 1 ? "1 new task" : `${fresh.size} new tasks`;
    if (offer(list, fresh, words)) announce(`${words}.`);
  };
}

function rowOf(list, task) {
  return list.querySelector(`tr[data-task="${CSS.escape(task)}"]`);
}

// The server sends every column; the row keeps those it has. The link itself stays: focus, and which list it leads back to.
function follow(row, changed, announce) {
  const html = changed.rows[row.dataset.task];
  if (html === undefined) return strike(row, changed.last, announce);
  const place = document.createElement("template");
  place.innerHTML = html;
  const next = place.content.querySelector("[data-task]");
  if (!next) return;
  for (const cell of row.cells) {
    const from = next.querySelector(`:scope > .${CSS.escape(cell.className)}`);
    if (!from || cell.matches(".c-s")) continue;
    const link = cell.querySelector(".task");
    if (link) link.replaceChildren(...from.querySelector(".task").childNodes);
    else cell.replaceChildren(...from.childNodes);
  }
  row.classList.toggle("taken", next.classList.contains("taken"));
  row.dataset.revision = next.dataset.revision;
}

function strike(row, why, announce) {
  if (row.classList.contains("gone")) return;
  row.classList.add("gone");
  const title = row.querySelector(".task");
  announce(`${title.textContent.trim()} has closed. ${why}`);
  title.prepend(Object.assign(document.createElement("span"), { className: "sr", textContent: "Closed: " }));
  for (const cell of row.cells) if (!cell.matches(".c-t, .c-p")) cell.textContent = "";
  (row.querySelector(".c-why") ?? row.querySelector(".c-p")).textContent = why || "This task is no longer open.";
  row.parentElement.dispatchEvent(new Event("change", { bubbles: true })); // it may have been selected
  setTimeout(() => row.remove(), GONE_MS);
}

// Returns of what there is more than the page said: cases that have stopped, comments that mention the reader.
function count(counts) {
  if (!counts) return {};
  const before = { stopped: shown("stopped"), mentioned: Math.max(shown("mentioned"), told.mentioned) };
  for (const place of document.querySelectorAll("[data-count]")) {
    const number = counts[place.dataset.count];
    if (number !== undefined) place.textContent = String(number);
  }
  told.mentioned = counts.mentioned ?? 0;
  return { stopped: counts.stopped > before.stopped, mentioned: told.mentioned > before.mentioned };
}

function shown(name) {
  return Number(document.querySelector(`[data-count="${name}"]`)?.textContent ?? 0);
}

// Returns whether the words are new.
function offer(list, fresh, words) {
  if (!list) return false;
  let bar = list.parentElement.querySelector(".fresh");
  if (!bar) {
    bar = Object.assign(document.createElement("p"), { className: "fresh s" });
    const show = Object.assign(document.createElement("a"), { className: "btn sm", textContent: "Show", href: location.href });
    bar.append(Object.assign(document.createElement("span"), { className: "num" }), show);
    list.before(bar);
  }
  const said = bar.firstElementChild;
  if (said.textContent === words) return false;
  said.textContent = words;
  return true;
}
