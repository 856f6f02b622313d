"""Windows of people, kept open from test to test: opening one costs more than most of what a test does in it."""

from __future__ import annotations

from typing import Any

from browser.clinic import Clinic
from playwright.sync_api import Browser, Error, Page

#: Costs only a test that fails; the machines that run this are slow at times.
PATIENCE_MS = 20_000

#: Where a window waits for the next test. Not at about:blank: leaving the site would end its process, and with it all
#: that the process has compiled.
WAITING_ROOM = "/static/dist/mark.svg"

#: From here on the page sends nothing more: what it saves as it is left would meet the next test.
SILENCE = "window.fetch = () => Promise.reject(new TypeError('The test is over.'))"
#: Whether the editor or form has an answer to what it sent last.
IS_ANSWERED = "document.querySelector('[data-saved]')?.dataset.state !== 'saving'"

#: Empties what a page keeps in the browser.
FORGET = """() => {
  localStorage.clear();
  sessionStorage.clear();
  return new Promise((done) => {
    const asked = indexedDB.deleteDatabase("usher-kept");
    asked.onsuccess = asked.onerror = asked.onblocked = done;
  });
}"""

#: What a window looks like when a test gets it, unless it wants it otherwise.
USUAL = {"viewport": {"width": 1280, "height": 720}, "color_scheme": "light", "reduced_motion": "no-preference"}


class Windows:
    """Each window is a browser context of its own, as if it were another computer."""

    def __init__(self, browser: Browser, clinic: Clinic) -> None:
        self._browser = browser
        self._clinic = clinic
        self._free: list[Page] = []
        self._taken: list[Page] = []
        self._special: list[Page] = []

    def take(self, name: str | None, **wishes: Any) -> Page:
        """A window in which *name* has just signed in, or nobody; *wishes* are options of a browser context."""
        special = wishes.keys() - USUAL.keys()
        page = self._free.pop() if self._free and not special else self._opened(wishes if special else {})
        (self._special if special else self._taken).append(page)
        if not special:
            look = {**USUAL, **wishes}
            page.set_viewport_size(look["viewport"])
            page.emulate_media(
                media="screen", color_scheme=look["color_scheme"], reduced_motion=look["reduced_motion"]
            )
            page.context.clear_cookies()
        if name:
            page.context.add_cookies([self._clinic.cookie(name)])
        return page

    def give_back(self) -> None:
        """The test is over; a window that cannot be as before is closed."""
        for page in self._taken:
            if _is_as_before(page):
                self._free.append(page)
            else:
                page.context.close()
        for page in self._special:
            page.context.close()
        self._taken, self._special = [], []

    def close(self) -> None:
        for page in self._free:
            page.context.close()

    def _opened(self, wishes: dict[str, Any]) -> Page:
        context = self._browser.new_context(base_url=self._clinic.url, **wishes)
        context.set_default_timeout(PATIENCE_MS)
        return context.new_page()


def listening(page: Page, path: str) -> None:
    """Open a page and wait until its stream of changes has begun: before that it hears of no new task."""
    with page.expect_event("console", lambda said: said.text == "live"):
        page.add_init_script(
            "document.addEventListener('usher:live', e => e.detail.kind === 'hello' && console.log('live'))"
        )
        page.goto(path)


def _is_as_before(page: Page) -> bool:
    """Whether the next test may have the window; what was kept in it is gone. A stopped clock never runs again."""
    if page.is_closed() or len(page.context.pages) > 1:
        return False
    try:
        if page.evaluate("'__pwClock' in globalThis"):
            return False
        page.evaluate(SILENCE)
        page.wait_for_function(IS_ANSWERED)
        page.unroute_all()
        page.goto(WAITING_ROOM)
        page.evaluate(FORGET)
    except Error:
        return False  # the test has ended while the page was on its way to another one
    return True
