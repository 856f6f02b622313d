// What stands above the canvas where a package has several diagrams: their names, the way back, the calls one by one.

export class DrawingsBar {
  constructor(drawings) {
    this.drawings = drawings;
    this.host = made("div", "drawings");
    this.names = group("seg", "Diagrams");
    this.place = made("div", "place");
    this.said = made("p", "sr");
    this.said.setAttribute("role", "status");
    this.host.append(this.names, this.place, this.said);
    drawings.host.before(this.host);
    this.list();
  }

  list() {
    this.buttons = this.drawings.list.map((one) => {
      const button = around("button", made("span", "", one.name), made("span", "num"), made("span", "sr"));
      button.type = "button";
      button.title = one.name;
      button.addEventListener("click", () => this.#choose(one.key));
      return button;
    });
    this.names.replaceChildren(...this.buttons);
  }

  update() {
    const { drawings } = this;
    drawings.list.forEach((one, n) => {
      const current = one === drawings.shown;
      current ? this.buttons[n].setAttribute("aria-current", "true") : this.buttons[n].removeAttribute("aria-current");
      this.#count(this.buttons[n], one, n > 0);
    });
    const before = this.place.contains(document.activeElement) ? document.activeElement.dataset.part : "";
    this.place.replaceChildren(...this.#trail(), ...this.#calls());
    this.place.hidden = this.place.childElementCount === 0;
    if (before) this.place.querySelector(`[data-part="${before}"]`)?.focus();
    if (this.announced !== drawings.shown.key) this.said.textContent = this.announced === undefined ? "" : `Diagram: ${drawings.shown.name}`;
    this.announced = drawings.shown.key;
  }

  // After somebody has gone into a call by its button, which went with the diagram it was on.
  focusBack() {
    (this.place.querySelector("li:nth-last-child(2) button") ?? this.buttons[this.drawings.list.indexOf(this.drawings.shown)]).focus();
  }

  #choose(key) {
    const { drawings } = this;
    const calls = drawings.calls(key);
    drawings.opened?.();
    remember(key === drawings.list[0].key ? "" : key);
    return drawings.open(key, { call: calls.length === 1 ? calls[0].place : "" });
  }

  // How often the case, or the cases, came into a called diagram, and whether it is there now.
  #count(button, one, called) {
    const { way, heat, list } = this.drawings;
    const mark = button.querySelector(".num");
    const parted = Math.max(0, ...one.elements.map((id) => way?.parted?.[id]?.cases ?? 0));
    const visits = new Map(heat ? Object.entries(heat.visits) : (way?.visited ?? []).map(({ element, visits }) => [element, visits]));
    const came = list.flatMap(({ calls }) => Object.entries(calls)).filter(([, key]) => key === one.key);
    const times = came.reduce((sum, [activity]) => sum + (visits.get(activity) ?? 0), 0);
    const number = way?.shared ? parted : called ? times : 0;
    const inside = !way?.shared && [...(way?.at ?? []), ...(way?.incident ?? [])].some((id) => one.elements.includes(id));
    const words = [number && (way?.shared ? (number === 1 ? "case goes another way here" : "cases go another way here") : number === 1 ? "visit" : "visits"), inside && "the case is here"];
    const spoken = ` ${words.filter(Boolean).join(", ")}`;
    mark.textContent = number ? number.toLocaleString("en") : "";
    button.querySelector(".sr").textContent = spoken;
    button.classList.toggle("here", inside);
  }

  // From the main diagram down to the one that is shown: each a way back, to the call that leads here.
  #trail() {
    const way = this.#above();
    if (way.length === 0) return [];
    const items = way.map(({ key, call, activity }) => {
      const back = made("button", "", this.drawings.find(key).name);
      back.type = "button";
      back.dataset.part = `back-${key}`;
      back.addEventListener("click", () => this.#back(key, call, activity));
      return around("li", back);
    });
    const here = made("li", "", this.drawings.shown.name);
    here.setAttribute("aria-current", "page");
    const trail = made("ol", "trail");
    trail.append(...items, here);
    const named = group("", "Called from");
    named.append(trail);
    return [named];
  }

  async #back(key, call, activity) {
    this.drawings.opened?.();
    remember(key === this.drawings.list[0].key ? "" : key);
    await this.drawings.open(key, { call, at: activity });
    const into = this.drawings.host.querySelector(`[data-call="${CSS.escape(activity)}"]`);
    (into ?? this.buttons[this.drawings.list.indexOf(this.drawings.shown)]).focus();
  }

  // The diagrams above: those of the call that is shown, or else the shortest way down by the calls that are drawn.
  #above() {
    const { drawings } = this;
    const found = [];
    let call = drawings.way?.calls?.find((one) => one.place === drawings.call);
    if (call) {
      for (; call; call = drawings.way.calls.find((one) => one.place === found[0].call)) {
        found.unshift({ key: drawings.with(call.activity)?.key ?? drawings.list[0].key, call: call.parent, activity: call.activity });
      }
      return found;
    }
    const from = new Map([[drawings.list[0].key, null]]);
    for (const key of from.keys()) {
      for (const [activity, to] of Object.entries(drawings.find(key).calls)) if (!from.has(to)) from.set(to, { key, call: "", activity });
    }
    for (let up = from.get(drawings.shown.key); up; up = from.get(up.key)) found.unshift(up);
    return found;
  }

  // A choice of the calls of this diagram, where the way tells them apart.
  #calls() {
    const { drawings } = this;
    const calls = drawings.calls(drawings.shown.key);
    if (calls.length === 0) return [];
    const words = (one, n) => `${n + 1} of ${calls.length}: ${one.name}${one.first ? `, step ${one.first}` : ""}`;
    if (calls.length === 1) return [made("p", "s quiet", `from “${calls[0].name}”${calls[0].first ? `, step ${calls[0].first}` : ""}`)];
    const select = made("select", "small");
    select.dataset.part = "call";
    select.append(new Option("All calls together", ""), ...calls.map((one, n) => new Option(words(one, n), one.place)));
    select.value = drawings.call;
    select.addEventListener("change", () => {
      drawings.opened?.();
      drawings.open(drawings.shown.key, { call: select.value });
    });
    return [around("label", "Call", select)];
  }
}

// The diagram that is looked at, in the address: it can be passed on, and the page opens there again.
export function remember(key) {
  if (location.hash && !location.hash.startsWith("#diagram=")) return;
  history.replaceState(history.state, "", key ? `#${new URLSearchParams({ diagram: key })}` : location.pathname + location.search);
}

function made(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function group(className, label) {
  const one = made("div", className);
  one.setAttribute("role", "group");
  one.setAttribute("aria-label", label);
  return one;
}

function around(tag, ...parts) {
  const outer = document.createElement(tag);
  outer.append(...parts);
  return outer;
}
