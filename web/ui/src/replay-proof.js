// The verdict on a case: fetched after the page, since running a case again takes longer than showing it.

export class Verdict {
  constructor(section, button) {
    this.section = section;
    this.button = button;
  }

  start() {
    this.button.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#fetch("?again=1");
    });
    if ("proofNow" in this.section.dataset) this.#fetch("");
  }

  // Marks in *panel* what is known of *step* beyond its hash.
  mark(panel, step) {
    const badge = this.section.querySelector("[data-signed]");
    const proven = badge !== null && step <= Number(badge.dataset.signed);
    const [signed, again] = [panel.querySelector("[data-signed-step]"), panel.querySelector("[data-again]")];
    if (!proven || !signed) return;
    const written = JSON.parse(badge.dataset.written); // [first step, words], the same words up to the next
    signed.querySelector("span").textContent = written.findLast(([first]) => first <= step)[1];
    signed.hidden = again.hidden = false;
  }

  async #fetch(query) {
    const badge = this.section.querySelector(".badge");
    badge.lastChild.textContent = "Checking every step…";
    this.section.setAttribute("aria-busy", "true");
    const answer = await fetch(this.section.dataset.proof + query).catch(() => null);
    this.section.removeAttribute("aria-busy");
    if (answer?.ok) {
      this.section.innerHTML = await answer.text(); // the server's own template, escaped there
      this.button.textContent = "Check again";
    } else badge.lastChild.textContent = "Could not be checked. Try again.";
    this.section.dispatchEvent(new Event("verdict"));
  }
}
