"""What axe finds broken on a page as it stands."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()
#: Runs axe on a part of the page. Only what is broken comes back: the whole of axe's answer is megabytes. Style sheets
#: need not be loaded once more: no rule that is on reads them. Frames are not entered: ours are sandboxed previews
#: where no script runs, so that axe would only knock in vain at a window of no origin.
_BROKEN_IN = """async (part, options) => {
    const how = {resultTypes: ["violations"], preload: false, iframes: false};
    const {violations} = await axe.run(part, {...how, ...options});
    return violations.map(rule => [rule.id, ...rule.nodes.map(node => node.target.join(" "))]);
}"""
_BROKEN = f"() => ({_BROKEN_IN})(document, {{}})"

#: Most of axe's time goes into colours. They are looked at again where something is shown that was not shown in this
#: scheme before, or has another colour now, or letters that count as small or large; all other rules in the light only.
_BROKEN_SINCE = f"""async scheme => {{
    const broken = {_BROKEN_IN}, colours = ["color-contrast", "link-in-text-block"];
    const known = (globalThis.seenByAxe ??= {{light: new WeakMap(), dark: new WeakMap()}})[scheme];
    const shown = [...document.body.querySelectorAll("*")].filter(one => one.checkVisibility());
    const fresh = shown.filter(one => {{
        const {{color, backgroundColor, fontSize}} = getComputedStyle(one), size = parseFloat(fontSize);
        const look = [color, backgroundColor, size >= 24, size >= 18.66].join();
        return known.get(one) !== look && known.set(one, look);
    }});
    const part = fresh.length === shown.length ? document : {{include: fresh}};
    if (scheme === "light" && part === document) return broken(document, {{}});
    const others = Object.fromEntries(colours.map(rule => [rule, {{enabled: false}}]));
    return [...(scheme === "light" ? await broken(document, {{rules: others}}) : []),
            ...(fresh.length ? await broken(part, {{runOnly: colours}}) : [])];
}}"""


def broken(page: Page) -> list[list[str]]:
    """Every rule that is broken, with the elements that break it."""
    return _asked(page, _BROKEN)


def broken_since(page: Page, scheme: str) -> list[list[str]]:
    """The same for a page whose window is turned light and dark and made narrower between two looks."""
    return _asked(page, _BROKEN_SINCE, scheme)


def _asked(page: Page, question: str, about: str = "") -> list[list[str]]:
    page.wait_for_load_state()  # before, a page may be there without its styles
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(_AXE.axe_script)
    found: list[list[str]] = page.evaluate(question, about)
    return found


def moves_sideways(page: Page) -> bool:
    page.wait_for_load_state()
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
