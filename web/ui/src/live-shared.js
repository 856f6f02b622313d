// One stream for all windows of a browser that are signed in with one session: a shared worker (live.js starts it).
import { addressed, listen } from "./live-stream.js";

const GATHER_MS = 30;
const pages = new Map();
let end = () => {};
let timer;

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data === null) return forget(port);
    pages.delete(port);
    pages.set(port, data);
    clearTimeout(timer);
    timer = setTimeout(begin, GATHER_MS);
  };
};

// Each page starts the stream again, to hear of what has changed since it was made; its address says when that was.
function begin() {
  end();
  const { url } = [...pages.values()].at(-1);
  const cases = [...pages.values()].flatMap((page) => page.cases);
  end = listen(addressed(url, cases), (kind, data) => pages.forEach((_, port) => port.postMessage({ kind, data })));
}

function forget(port) {
  pages.delete(port);
  if (pages.size > 0) return;
  clearTimeout(timer);
  end();
}
