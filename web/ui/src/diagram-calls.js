// A call activity leads into the diagram of the process it calls: by a button on it, or by a double click.

// Puts the buttons on the call activities of the diagram that is shown.
export function openings(drawings) {
  const { viewer, host, shown } = drawings;
  const elsewhere = JSON.parse(host.dataset.diagramCalls ?? "{}"); // pages that show one diagram each: {activity: {name, url}}
  for (const [activity, { name, url }] of Object.entries(elsewhere)) put(viewer, activity, link(name, url));
  for (const [activity, key] of Object.entries(shown.calls ?? {})) {
    if (key !== shown.key) put(viewer, activity, button(drawings, activity, drawings.find(key)));
  }
}

export function watchCalls(drawings) {
  drawings.viewer.on("element.dblclick", ({ element }) => {
    const activity = element.labelTarget?.id ?? element.id;
    drawings.host.querySelector(`[data-call="${CSS.escape(activity)}"]`)?.click();
  });
}

// Opens what *activity* calls: the call of its that is shown's own and the newest, where the way tells calls apart.
function into(drawings, activity, key) {
  const own = drawings.calls(key).filter((one) => one.activity === activity);
  const here = own.filter((one) => one.parent === drawings.call);
  const call = (here.at(-1) ?? own.at(-1))?.place ?? "";
  drawings.opened?.();
  return drawings.open(key, { call });
}

function button(drawings, activity, called) {
  const made = sign(document.createElement("button"), called.name, activity);
  made.type = "button";
  made.addEventListener("click", async () => {
    await into(drawings, activity, called.key);
    drawings.bar.focusBack();
  });
  return made;
}

function link(name, url) {
  return Object.assign(sign(document.createElement("a"), name, ""), { href: url });
}

function sign(made, name, activity) {
  made.className = "call-into";
  made.title = `Open “${name}”`;
  made.setAttribute("aria-label", `Open the diagram “${name}”`);
  if (activity) made.dataset.call = activity;
  made.append(arrow());
  return made;
}

// An arrow down into it.
function arrow() {
  const [drawn, line] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  const look = { d: "M3 2v7h9M8.5 5.5 12 9l-3.5 3.5", fill: "none", stroke: "currentColor", "stroke-width": "2" };
  for (const [name, value] of Object.entries(look)) line.setAttribute(name, value);
  drawn.setAttribute("viewBox", "0 0 14 14");
  drawn.setAttribute("aria-hidden", "true");
  drawn.append(line);
  return drawn;
}

function put(viewer, id, html) {
  const element = viewer.get("elementRegistry").get(id);
  if (element && !element.waypoints) viewer.get("overlays").add(id, { position: { bottom: 12, right: 12 }, html, scale: { min: 0.8 } });
}
