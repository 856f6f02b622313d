"""Every page for everybody: axe finds nothing, nothing moves sideways, the keyboard is enough, focus can be seen."""

import re
from collections.abc import Callable, Iterator

import pytest
from browser import scenes_comments, scenes_profile, scenes_starts, scenes_workbench  # noqa: F401 they bring scenes of their own
from browser.axe import moves_sideways
from browser.clinic import PASSWORD, Clinic
from browser.people import Staff
from browser.scenes import SCENES, Stage, set_stage
from playwright.sync_api import Locator, Page, expect
from werkzeug.exceptions import NotFound
from werkzeug.routing import MapAdapter

DESKTOP, PHONE = (1440, 900), (360, 740)

#: Returns what scrolls sideways, except wide tables, tabs, diagrams and third-party editors, which may.
SIDEWAYS = """() => [...document.querySelectorAll("body *")].filter(one =>
    one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX)
    && !one.closest(".scroll, .dia, .embedded, .bench .canvas, [data-diagram], svg")
    && !one.matches(".tabs, input, textarea")
).map(one => one.outerHTML.slice(0, 100))"""

#: Text that runs out of its box and is cut off there.
CUT = """() => [...document.querySelectorAll("body *:not(.sr):not(svg *)")].filter(one =>
    one.checkVisibility() && one.children.length === 0 && one.textContent.trim()
    && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "hidden"
    && getComputedStyle(one).textOverflow !== "ellipsis" && !one.closest(".sr, .skip, .dia")
).map(one => one.outerHTML.slice(0, 100))"""

#: How the element with the focus shows it; empty when it does not.
FOCUS = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return {tag: "BODY"};
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const ring = style.boxShadow !== "none" || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0);
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    return {tag: one.tagName, words: (one.innerText || one.name || "").trim().slice(0, 40), ring, inside,
            large: box.width >= 1 && box.height >= 1};
}"""


@pytest.fixture(scope="module")
def stage(clinic: Clinic) -> Stage:
    return set_stage(clinic)


@pytest.mark.parametrize("name", SCENES)
def test_page(name: str, stage: Stage, desk: Callable[..., Page], day_and_night: Callable) -> None:
    page = desk(SCENES[name].who, reduced_motion="reduce")
    for kind, size in (("desktop", DESKTOP), ("phone", PHONE)):
        _hold(page, size, touch=kind == "phone")
        if kind == "desktop":
            SCENES[name].open(page, stage)
            page.wait_for_selector("body[data-ready]")
        day_and_night(page, f"{name}-{kind}")
        assert page.evaluate(CUT) == []
    assert page.evaluate(SIDEWAYS) == []


def _hold(page: Page, size: tuple[int, int], *, touch: bool) -> None:
    """Turn the window into that of another device, on the page as it stands."""
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": touch})
    devtools.detach()


def test_every_page_is_looked_at(stage: Stage) -> None:
    """A new view gets a scene, or a reason why not."""
    rules = stage.clinic.app.url_map
    no_pages = {"static", "start", "inbox.rows", "audit.progress", "cases.onward", "replay.steps", "replay.proof"}
    no_pages |= {"drafts.file", "drafts.late", "drafts.package", "session_end.show", "task_drafts.show"}
    no_pages |= {"live.events", "outcomes.lines_alone"}
    no_pages |= {"comments.show", "comments.draft", "comments.people", "comments.file"}
    no_pages |= {"backtests.export", "backtests.progress", "migrations.progress"}
    no_pages |= {"inbox.preview", "bulk.progress", "palette.find", "patient.back"}
    ends = ("rows", "diagram", "steps", "download")
    pages = {rule.endpoint for rule in rules.iter_rules() if "GET" in (rule.methods or ())} - no_pages
    pages = {one for one in pages if not one.startswith("api.") and not one.endswith(ends)}
    known = rules.bind("127.0.0.1")
    looked_at = {_endpoint(known, stage.filled(scene.path)) for scene in SCENES.values() if scene.path}
    assert pages - looked_at == set()


def test_long_words_stay_on_the_page(clinic: Clinic, desk: Callable[..., Page]) -> None:
    """Even a very long name does not make a page on a phone scroll sideways."""
    who = clinic.add(first_name="Keihanaikukauakahihuliheekahaunaele" * 2, last_name="Wolfe" * 16, email=None)
    case = clinic.trigger(who)
    pages = (f"/patients/{who}", f"/patients/{who}/template?name=Office+Visit", f"/inbox/{case.tasks[0].id}", "/inbox")
    seen = {"alice": pages, "audrey": (f"/cases/{case.id}", f"/cases/{case.id}/replay", "/cases")}
    for name, paths in seen.items():
        page = desk(name, viewport={"width": PHONE[0], "height": PHONE[1]})
        for path in paths:
            page.goto(path)
            assert not moves_sideways(page), path


def _endpoint(known: MapAdapter, path: str) -> str:
    try:
        return str(known.match(path.partition("?")[0])[0])
    except NotFound:
        return ""


# without a mouse


def tab_to(page: Page, goal: Locator, most: int = 80) -> None:
    """Press Tab until *goal* has the focus."""
    expect(goal.first).to_be_visible()
    for _ in range(most):
        if goal.evaluate_all("all => all.includes(document.activeElement)"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not get to {goal}")


@pytest.mark.parametrize("by_keys", [True, False], ids=["keys", "tab"])
def test_update_now_without_a_mouse(clinic: Clinic, desk: Callable[..., Page], by_keys: bool) -> None:
    """From signing in to the mail; once with the keys of the product, once with Tab, Enter and Space alone."""
    who = clinic.add(first_name="Otto", email=None, zip_code=None)
    page = desk()
    keys = page.keyboard
    page.goto("/")
    expect(page.get_by_label("Name")).to_be_focused()
    keys.type("alice")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    page.wait_for_selector("body[data-ready]")

    if by_keys:
        keys.press("/")
    else:
        tab_to(page, page.get_by_role("searchbox"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    keys.type(who)
    keys.press("Enter")
    expect(page.get_by_role("heading", name=who)).to_be_visible()  # a whole record number leads straight there
    tab_to(page, page.get_by_role("main").get_by_role("link", name="Office Visit"))
    with page.expect_navigation():
        keys.press("Enter")
    tab_to(page, page.get_by_role("row", name="Patient Portal").get_by_role("button"))
    keys.press("Enter")

    expect(page.get_by_role("heading", name="Update Now", level=2)).to_be_visible()
    page.wait_for_selector("body[data-ready]")
    if by_keys:
        keys.press("c")
    else:
        tab_to(page, page.get_by_role("button", name="Update Now", exact=True))
        keys.press("Space")
    expect(page.get_by_text("claimed by you")).to_be_visible()
    page.wait_for_selector("body[data-ready]")
    if not by_keys:
        tab_to(page, page.get_by_label("ZIP code"))
    expect(page.get_by_label("ZIP code")).to_be_focused()
    keys.type("62704")
    tab_to(page, page.get_by_label("E-mail"))
    keys.type(f"{who}@example.org")
    if by_keys:
        keys.press("Control+Enter")
    else:
        tab_to(page, page.get_by_role("button", name="Save and send invitation"))
        keys.press("Enter")
    expect(page.locator(".strip").filter(has_text="Update Now is done.").first).to_be_visible()
    clinic.until(lambda: clinic.status(who) == "Pending")
    assert len(clinic.mails(who)) == 1


BUSY_PAGES = ["alice-task-form", "alice-case-waiting", "alice-template", "adam-people", "anybody-sign-in"]


@pytest.mark.parametrize("name", BUSY_PAGES)
def test_focus_is_seen_wherever_tab_leads(name: str, stage: Stage, desk: Callable[..., Page]) -> None:
    page = desk(SCENES[name].who, reduced_motion="reduce")
    SCENES[name].open(page, stage)
    page.wait_for_selector("body[data-ready]")
    seen = list(_stops(page))
    assert len(seen) > 1
    assert [stop for stop in seen if not (stop["ring"] and stop["inside"] and stop["large"])] == []


def _stops(page: Page, most: int = 120) -> Iterator[dict]:
    """What Tab reaches, once around the page."""
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop["tag"] == "BODY":
            return
        yield stop


def test_the_skip_link_leads_to_the_content(stage: Stage, desk: Callable[..., Page]) -> None:
    page = desk("alice")
    page.goto("/cases")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#main :focus")).to_have_count(1)


def test_the_dialog_holds_the_focus_and_gives_it_back(stage: Stage, desk: Callable[..., Page]) -> None:
    page = desk("alice")
    page.goto("/inbox")
    page.wait_for_selector("body[data-ready]")
    row = page.locator("[data-list] .task").first
    row.focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate("!document.activeElement.closest('.frame')"), "the focus left the dialog"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(row).to_be_focused()


def test_the_menu_opens_and_closes_by_keys(stage: Stage, desk: Callable[..., Page]) -> None:
    page = desk("alice")
    page.goto("/inbox")
    page.wait_for_selector("body[data-ready]")
    summary = page.locator(".bar [data-menu] summary")
    tab_to(page, summary)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Sign out"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_field_and_its_error_are_one_for_a_screen_reader(stage: Stage, desk: Callable[..., Page]) -> None:
    page = desk("alice")
    SCENES["alice-task-form-wrong"].open(page, stage)
    field = page.get_by_label("E-mail")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("not an e-mail address"))
    summary = page.get_by_role("alert").and_(page.locator("[data-error-summary]"))
    expect(summary).to_contain_text("not an e-mail address")


def test_nothing_moves_for_those_who_want_it_still(stage: Stage, desk: Callable[..., Page]) -> None:
    page = desk("alice", reduced_motion="reduce")
    SCENES["alice-case-waiting"].open(page, stage)
    page.wait_for_selector("body[data-ready]")
    moving = """() => [...document.querySelectorAll("body *")].filter(one => {
        const style = getComputedStyle(one);
        const times = [style.transitionDuration, style.animationDuration].join().split(",")
        return times.some(time => parseFloat(time) > 0.15)
    }).map(one => one.className)"""
    assert page.evaluate(moving) == []


def test_the_work_can_be_done_without_scripts(clinic: Clinic, desk: Callable[..., Page]) -> None:
    who = clinic.add(email=None)
    alice = Staff(desk("alice", java_script_enabled=False), clinic)
    alice.find_and_trigger(who)
    alice.in_task("Update Now")
    alice.claim("Update Now")
    alice.page.get_by_label("E-mail").fill(f"{who}@example.org")
    alice.save("Save and send invitation")
    alice.expect_done("Update Now is done.")
    clinic.until(lambda: clinic.status(who) == "Pending")
    alice.open_case(who)
    alice.expect_story("completed Update Now")
