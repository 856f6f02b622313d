// A stream of events from the server, with a way back when it breaks off for good. Runs in a page or in a shared worker.

const AGAIN_MS = 30000;
const KINDS = ["hello", "cases", "again", "over"];

// Calls tell(kind, data); "lost" while there is no stream. Returns what ends it.
export function listen(url, tell) {
  let source;
  let timer;
  const begin = () => {
    source = new EventSource(url);
    for (const kind of KINDS) source.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
    source.addEventListener("over", end);
    source.onerror = () => {
      tell("lost", {});
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(begin, AGAIN_MS);
    };
  };
  const end = () => {
    clearTimeout(timer);
    source.close();
  };
  begin();
  return end;
}

// The address for these cases, [number, revision] each; of a case that several pages show, the oldest revision counts.
export function addressed(url, cases) {
  const oldest = new Map();
  for (const [number, revision] of cases) oldest.set(number, Math.min(revision, oldest.get(number) ?? Infinity));
  const listed = [...oldest].slice(-500).map((pair) => pair.join(":"));
  return `${url}&cases=${listed.join(",")}`;
}
