// The open task says so when it has closed meanwhile, or when somebody else has claimed it. What was typed stays.

export function followTask(announce) {
  const task = document.querySelector("article[data-task]");
  if (!task) return null;
  return (kind, data) => {
    const changed = kind === "cases" && data.cases[task.dataset.case];
    if (!changed) return;
    const { task: id, me } = task.dataset;
    const owner = changed.owners[id] ?? "";
    if (!(id in changed.rows)) say(task, "This task has closed.", changed.last, true);
    else if (owner && owner !== me) say(task, `${owner} is working on this task now.`, changed.last, false);
    else task.querySelector(":scope > .notice.live")?.remove();
  };
}

function say(task, sentence, why, isOver) {
  let place = task.querySelector(":scope > .notice.live");
  if (!place) {
    place = Object.assign(document.createElement("div"), { className: "notice alarm live" });
    place.setAttribute("role", "alert");
    const before = task.querySelector(":scope > .notice") ?? task.querySelector("form");
    before ? before.before(place) : task.append(place);
  }
  const said = Object.assign(document.createElement("p"), { className: "say", textContent: sentence });
  const typed = task.querySelector("form[data-draft-url]") ? " What you typed is still here." : "";
  const more = Object.assign(document.createElement("p"), { textContent: `${why}${typed} ` });
  const onward = Object.assign(document.createElement("a"), { textContent: isOver ? "See what has become of it" : "Show it as it is now", href: location.href });
  more.append(onward);
  place.replaceChildren(said, more);
}
