// Comments of a case: new ones appear by themselves, and @ offers the names of those who may see the case.
import { announce } from "./announce.js";

const WAIT_MS = 150;

export function watchComments() {
  for (const list of document.querySelectorAll("[data-comment-list]")) follow(list);
  document.addEventListener("input", ({ target }) => target.matches?.("form[data-people] textarea") && offerNames(target));
  document.addEventListener("keydown", (event) => names.box && event.target === names.field && choose(event), true);
  document.addEventListener("focusout", ({ target }) => target === names.field && close());
}

// The list is exchanged when its case has changed, unless somebody is correcting a comment in it.
function follow(list) {
  let waiting = false;
  document.addEventListener("usher:live", async ({ detail: { kind, data } }) => {
    const concerned = kind === "again" || (kind === "cases" && data.cases[list.dataset.ofCase]);
    if (!concerned || waiting || list.querySelector("form textarea:focus, details[open] form")) return;
    waiting = true;
    const html = await fetched(list.dataset.commentList);
    waiting = false;
    if (html) exchange(list, html);
  });
}

async function fetched(url) {
  try {
    const answer = await fetch(url, { headers: { "X-Usher-Poll": "1" } });
    return answer.ok && !answer.redirected ? await answer.text() : "";
  } catch {
    return "";
  }
}

function exchange(list, html) {
  const place = document.createElement("template");
  place.innerHTML = html;
  const there = list.querySelectorAll("li[id]").length;
  const fresh = [...place.content.querySelectorAll("li[id]")].slice(there);
  list.replaceChildren(place.content);
  const count = list.closest("section")?.querySelector("[data-comment-count]");
  if (count) count.textContent = list.querySelectorAll("li[id]").length || "";
  if (fresh.some((one) => !("mine" in one.dataset))) announce("There is a new comment.");
}

// names of people

const names = { box: null, field: null, from: 0, timer: 0 };

function offerNames(field) {
  clearTimeout(names.timer);
  const before = field.value.slice(0, field.selectionStart);
  const typed = /(?:^|[^\w.@/-])@([\w.-]*)$/u.exec(before);
  if (!typed) return close();
  names.timer = setTimeout(() => show(field, typed[1], before.length - typed[1].length), WAIT_MS);
}

async function show(field, typed, from) {
  const found = await people(field.form.dataset.people, typed);
  if (document.activeElement !== field || !field.value.slice(0, field.selectionStart).endsWith(`@${typed}`)) return;
  close();
  if (found.length === 0) return;
  const box = Object.assign(document.createElement("ul"), { className: "names", id: `${field.id}-names` });
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", "People");
  box.append(...found.map((one, at) => option(field, one, at)));
  field.after(box);
  Object.assign(names, { box, field, from });
  field.setAttribute("aria-controls", box.id);
  move(0);
  announce(found.length === 1 ? `${found[0].shown}. Enter takes the name.` : `${found.length} names. Arrow keys choose, Enter takes one.`);
}

async function people(url, typed) {
  try {
    const answer = await fetch(`${url}?q=${encodeURIComponent(typed)}`, { headers: { "X-Requested-With": "fetch" } });
    return answer.ok ? await answer.json() : [];
  } catch {
    return [];
  }
}

function option(field, { name, shown }, at) {
  const line = Object.assign(document.createElement("li"), { id: `${field.id}-name-${at}`, textContent: `@${name}` });
  line.setAttribute("role", "option");
  line.dataset.name = name;
  if (shown !== name) line.append(Object.assign(document.createElement("span"), { className: "quiet", textContent: ` ${shown}` }));
  line.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    take(line);
  });
  return line;
}

function choose(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) move(by);
  else if ((event.key === "Enter" && !event.ctrlKey) || event.key === "Tab") take(names.box.querySelector("[aria-selected=true]"));
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function move(by) {
  const lines = [...names.box.children];
  const at = lines.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const next = lines[(Math.max(at, 0) + by + lines.length) % lines.length];
  lines.forEach((one) => one.setAttribute("aria-selected", String(one === next)));
  names.field.setAttribute("aria-activedescendant", next.id);
}

function take(line) {
  const { field, from } = names;
  const end = field.selectionStart;
  close();
  field.setRangeText(`${line.dataset.name} `, from, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function close() {
  clearTimeout(names.timer);
  names.box?.remove();
  names.field?.removeAttribute("aria-activedescendant");
  names.field?.removeAttribute("aria-controls");
  names.box = names.field = null;
}
