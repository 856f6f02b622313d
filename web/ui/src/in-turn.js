// For what is fetched because something has changed: once at a time, and once more for all that changed meanwhile, which
// the answer that is under way may not know yet.
export function inTurn(act) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        await act();
      }
    } finally {
      running = false;
    }
  };
}
