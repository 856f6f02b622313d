// What the embedded editors write only a moment after the last key: theirs wait here, so that a save can write at once
// what somebody has typed. Takes the place of the editors' own `debounce`.
const PAUSE_MS = 300;

export class Pauses {
  #waiting = new Set();

  constructor() {
    this.later = this.later.bind(this);
  }

  // A *write* that waits for a pause.
  later(write) {
    const waiting = this.#waiting;
    let timer = 0;
    let call = null;
    const cancel = () => {
      clearTimeout(timer);
      waiting.delete(flush);
      call = null;
    };
    const flush = () => {
      const now = call;
      cancel();
      now?.();
    };
    function late(...given) {
      cancel();
      call = () => write.apply(this, given);
      waiting.add(flush);
      timer = setTimeout(flush, PAUSE_MS);
    }
    return Object.assign(late, { flush, cancel });
  }

  settle() {
    for (const flush of [...this.#waiting]) flush();
  }
}
