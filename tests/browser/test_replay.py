"""The replay of a case in a real browser: slider, keys, playing, the words next to it, and its looks."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import zlib
from collections.abc import Callable

import pytest
from browser.clinic import Clinic
from playwright.sync_api import Page, expect
from usher_engine import Actor
from usher_engine.accounts import Role
from usher_engine.checkpoints import take
from usher_engine.enrollment import Answer
from usher_engine.forms import parse_form

Desk = Callable[..., Page]

STEPS = 9
#: Steps of a long case, and how many of them a page shows.
LONG, WINDOW = 230, 16
ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
BOB = Actor(name="bob", role="staff", groups=frozenset({"Front desk"}))


@pytest.fixture(scope="module")
def story(clinic: Clinic) -> str:
    """A case with everything to see: two people, an answer removed, fields filled, an incident, waits, a patient."""
    engine, clock = clinic.enrollment.engine, clinic.clock
    patient = clinic.add("Declined", email=None, zip_code=None)
    case = clinic.trigger(patient)
    clock.forward(minutes=5)
    engine.complete(case.tasks[0].id, {"reason": "Asked at the desk to be invited again."}, actor=ALICE)
    clock.forward(days=30)
    update = engine.instance(case.id).tasks[0].id
    engine.cases.claim(update, actor=BOB)
    clock.forward(minutes=3)
    clinic.postbox.refusal = "550 No such mailbox"
    filled = {**engine.inbox.task(update).initial, "email": f"{patient}@example.org", "zip_code": "97201"}
    engine.complete(update, {key: filled[key] for key in _keys(clinic, update)}, actor=BOB)
    clinic.until(lambda: engine.instance(case.id).status == "incident")
    clinic.postbox.refusal = ""
    clock.forward(hours=26)
    engine.cases.retry(case.id, actor=ALICE)
    clinic.until(lambda: engine.instance(case.id).status == "finished")
    clock.forward(days=5)
    token = clinic.link(patient).rpartition("/")[2]
    proof = clinic.enrollment.identify(token, "97201", "1981-05-04")
    clinic.enrollment.respond(token, proof, Answer.DECLINE)
    clock.forward(days=130)
    engine.steps.record(case.id, "Note added", {"note": "asked again by phone"}, actor=ALICE)
    take(engine.database, clinic.settings, clock())
    return case.id


def _keys(clinic: Clinic, task: str) -> list[str]:
    engine = clinic.enrollment.engine
    form = parse_form(engine.queries.package_of(task.split(":", 1)[0]).text(engine.inbox.task(task).form))
    return [field.key for field in form.fields]


def opened(page: Page, case: str, step: int | None = None) -> Page:
    page.goto(f"/cases/{case}/replay{f'?step={step}' if step else ''}")
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("[data-replay][data-ready]")).to_be_attached()
    return page


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("step", [2, 5, 6, STEPS])
def test_it_reads_and_looks_right(
    story: str, desk: Desk, day_and_night: Callable[[Page, str], None], width: int, step: int
) -> None:
    page = desk("audrey", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    opened(page, story, step)
    expect(page.locator("[data-panel]")).to_contain_text(f"Step {step} of {STEPS}")
    expect(page.locator(".badge")).to_have_text(f"Proven, {STEPS} of {STEPS} steps")
    expect(page.locator(".proof li:visible")).to_have_count(3)
    day_and_night(page, f"replay-{width}-{step}")


def test_the_slider_moves_everything_with_it(story: str, desk: Desk) -> None:
    page = opened(desk("audrey"), story, 2)
    slider = page.get_by_role("slider", name="Step")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("Step 2 of 9, .*, alice completed Enroll Now"))
    expect(page.locator('[data-element-id="UpdateNow"].way-here')).to_be_visible()
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Stopped at Send invitation e-mail")).to_be_visible()
    spoken = "Step 5 of 9, 3 June .*, System: Stopped at Send invitation e-mail"
    expect(slider).to_have_attribute("aria-valuetext", re.compile(spoken))
    expect(page.locator('[data-element-id="SendInvitation"].way-incident')).to_be_visible()
    expect(page.locator('[data-element-id="UpdateNow"].way-here')).to_have_count(0)
    expect(page.locator("tr[aria-current=step] .c-n")).to_have_text("Step 5")
    expect(page).to_have_url(re.compile(r"\?step=5$"))
    expect(page).to_have_title(re.compile("step 5 of 9 · Cases · Usher$"))
    page.reload()
    expect(page.get_by_role("heading", name="Stopped at Send invitation e-mail")).to_be_visible()


def test_keys_work_from_anywhere_on_the_page(story: str, desk: Desk) -> None:
    page = opened(desk("audrey"), story, 4)
    step = page.locator("[data-panel] .num").first
    for key, number in (("ArrowLeft", 3), ("Home", 1), ("ArrowLeft", 1), ("End", STEPS), ("ArrowRight", STEPS)):
        page.keyboard.press(key)
        expect(step).to_contain_text(f"Step {number} of {STEPS}")
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    expect(step).to_contain_text(f"Step 1 of {STEPS}")
    page.get_by_role("searchbox").focus()
    page.keyboard.press("End")
    expect(step).to_contain_text(f"Step 1 of {STEPS}")


def test_it_plays_to_the_end_and_begins_again(story: str, desk: Desk) -> None:
    page = desk("audrey", reduced_motion="reduce")
    page.clock.install(time=0)
    opened(page, story)
    page.clock.pause_at(3_600_000)
    step = page.locator("[data-panel] .num").first
    page.get_by_label("Speed").select_option("4×")
    page.locator("h1").click()
    page.keyboard.press("Space")
    expect(step).to_contain_text("Step 1 of")
    page.clock.run_for(1100)
    expect(step).to_contain_text("Step 3 of")
    page.keyboard.press("Space")
    page.clock.run_for(5000)
    expect(step).to_contain_text("Step 3 of")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(500 * STEPS)
    expect(step).to_contain_text(f"Step {STEPS} of")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator("[data-said]")).to_contain_text(f"Step {STEPS} of {STEPS}")


def test_buttons_rows_and_links_lead_to_steps(story: str, desk: Desk) -> None:
    page = opened(desk("audrey"), story, 4)
    step = page.locator("[data-panel] .num").first
    page.get_by_role("link", name="Step on").click()
    expect(step).to_contain_text("Step 5 of")
    page.locator("[data-panel]").get_by_role("link", name="Step 7").click()
    expect(step).to_contain_text("Step 7 of")
    expect(page.locator("[data-panel] .diff del").first).to_have_text("Not Enrolled")
    expect(page.locator("[data-panel] .diff ins").first).to_have_text("Pending")
    page.locator("[data-steps]").get_by_role("link", name="Step 1", exact=True).click()
    expect(step).to_contain_text("Step 1 of")
    page.get_by_role("link", name="First step").click()
    expect(step).to_contain_text("Step 1 of")


def test_the_browser_adds_the_steps_up_as_the_engine_does(story: str, desk: Desk, clinic: Clinic) -> None:
    page = opened(desk("audrey"), story, 1)
    steps = page.request.get(f"/cases/{story}/replay.json").json()["steps"]
    visits: dict[str, int] = {}
    for number, step in enumerate(steps, start=1):
        for element, count in step["visits"].items():
            visits[element] = visits.get(element, 0) + count
        state = clinic.enrollment.engine.queries.rebuild(story, number)
        assert visits == state.visits
        assert step["at"] == [here.rpartition(":")[0] for here in state.at]
    for number in (1, 4, STEPS):
        page.locator("[data-steps]").get_by_role("link", name=f"Step {number}", exact=True).click()
        taken = len(clinic.enrollment.engine.queries.rebuild(story, number).flows)
        expect(page.locator(".djs-connection.way-taken")).to_have_count(taken)


def test_without_javascript_links_lead_to_each_step(story: str, desk: Desk) -> None:
    page = desk("audrey", java_script_enabled=False)
    page.goto(f"/cases/{story}")
    page.get_by_role("link", name="Replay").click()
    expect(page.locator("[data-panel] .num").first).to_contain_text(f"Step {STEPS} of {STEPS}")
    expect(page.get_by_role("slider")).to_be_hidden()
    page.get_by_role("link", name="Check").click()
    expect(page.locator(".badge")).to_have_text(f"Proven, {STEPS} of {STEPS} steps")
    page.get_by_role("link", name="Step back").click()
    expect(page.locator("[data-panel] .num").first).to_contain_text(f"Step {STEPS - 1} of")
    page.get_by_role("link", name="Step 2", exact=True).click()
    expect(page.get_by_role("heading", name="alice completed Enroll Now")).to_be_visible()
    expect(page.locator("blockquote")).to_have_text("“Asked at the desk to be invited again.”")
    for wrong in ("0", "-3", "x", "99"):
        assert page.goto(f"/cases/{story}/replay?step={wrong}").status == 200


def test_others_cases_are_not_there(story: str, clinic: Clinic) -> None:
    clinic.accounts.add_user("charlie", "a password for tests", role=Role.STAFF, groups=("Billing",), by="test")
    for name, answer in (("charlie", 404), ("ana", 403), ("adam", 403), ("bob", 200), ("audrey", 200)):
        client = clinic.app.test_client()
        client.set_cookie("usher", clinic.cookie(name)["value"], domain="127.0.0.1")
        for path in ("replay", "replay.json", "replay?step=2", "proof"):
            assert client.get(f"/cases/{story}/{path}", base_url=clinic.url).status_code == answer, (name, path)


def test_print_shows_the_words_and_the_table(story: str, desk: Desk) -> None:
    page = opened(desk("audrey"), story, 2)
    page.emulate_media(media="print")
    expect(page.locator(".time")).to_be_hidden()
    expect(page.get_by_role("heading", name="alice completed Enroll Now")).to_be_visible()
    expect(page.locator("[data-steps] tr")).to_have_count(STEPS)


def test_mails_show_their_status(story: str, desk: Desk) -> None:
    page = opened(desk("audrey"), story)
    stages = page.locator(".mails .stages li")
    expect(stages).to_have_count(5)
    expected = ("Queued", "failed: The mail server refused", "Tried again by hand", "Accepted by the mail", "declined")
    for number, words in enumerate(expected):
        expect(stages.nth(number)).to_contain_text(words)
    stages.nth(3).get_by_role("link").click()
    expect(page.locator("[data-panel] .num").first).to_contain_text("Step 7 of")


def test_the_timeline_marks_incidents_and_manual_steps(story: str, desk: Desk) -> None:
    page = opened(desk("audrey"), story)
    expect(page.locator(".track li.bad")).to_have_attribute("data-from", "5")
    expect(page.locator(".track li.hand")).to_have_attribute("data-from", "6")
    expect(page.locator("[data-steps] .by")).to_have_count(1)


@pytest.fixture(scope="module")
def long_case(clinic: Clinic) -> str:
    """Some hundred steps: one that was triggered, and many notes."""
    case = clinic.trigger(clinic.add("Pending"))
    for number in range(LONG - 1):
        clinic.clock.forward(minutes=1)
        clinic.enrollment.engine.steps.record(case.id, "Note added", {"number": number + 2}, actor=ALICE)
    return case.id


def test_a_long_case_opens_at_its_beginning_and_comes_in_windows(
    long_case: str, desk: Desk, accessible: Callable[[Page], None], shot: Callable[[Page, str], None]
) -> None:
    page = opened(desk("audrey"), long_case)
    step, rows = page.locator("[data-panel] .num").first, page.locator("[data-steps] tr")
    expect(step).to_contain_text(f"Step 1 of {LONG}")
    expect(rows).to_have_count(WINDOW)
    assert page.locator(".track li").count() < 30
    page.keyboard.press("End")
    expect(step).to_contain_text(f"Step {LONG} of {LONG}")
    last = (LONG - 1) // WINDOW * WINDOW + 1
    expect(rows).to_have_count(LONG - last + 1)
    expect(page.locator("[data-range]")).to_have_text(f"Steps {last} to {LONG} of {LONG} in words")
    expect(page.locator("tr[aria-current=step] .c-n")).to_have_text(f"Step {LONG}")
    page.get_by_role("link", name="Steps before").click()
    expect(step).to_contain_text(f"Step {last - 1} of {LONG}")
    expect(rows).to_have_count(WINDOW)
    page.keyboard.press("ArrowRight")
    expect(step).to_contain_text(f"Step {last} of")
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    expect(step).to_contain_text("Step 1 of")
    opened(page, long_case, LONG)
    page.keyboard.press("Home")
    expect(step).to_contain_text("Step 1 of")
    opened(page, long_case, 150)
    expect(step).to_contain_text("Step 150 of")
    expect(page.locator("tr[aria-current=step] .c-what")).to_contain_text("number 150")
    accessible(page)
    shot(page, "replay-long")


def test_playing_goes_on_over_the_end_of_a_window(long_case: str, desk: Desk) -> None:
    page = opened(desk("audrey"), long_case, 6 * WINDOW)
    page.get_by_label("Speed").select_option("16×")
    page.get_by_role("button", name="Play").click()
    step = page.locator("[data-panel] .num").first
    expect(step).to_contain_text(re.compile(r"Step (9[89]|[12]\d\d) of"))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-range]")).to_contain_text(re.compile(r"Steps (97|1\d\d) to"))


@pytest.mark.parametrize(
    ("statement", "badge", "text"),
    [
        ("DELETE FROM step WHERE instance = :case AND revision = 2", "missing", "Step 2 is missing"),
        ("DELETE FROM step WHERE instance = :case AND revision = 3", "missing", "Step 3 is missing"),
        ("UPDATE step SET body = 'x' WHERE instance = :case AND revision = 2", "altered", "Step 2 cannot be read"),
        ("UPDATE step SET body = x'00' WHERE instance = :case AND revision = 1", "altered", "Step 1 cannot be read"),
        ("UPDATE instance_state SET content = '{}' WHERE instance = :case", "state swapped", ""),
        ("UPDATE instance SET definition = 'gone' WHERE id = :case", "definition missing", "not there, or was altered"),
        ("DELETE FROM step WHERE instance = :case", "missing", "Step 1 is missing"),
    ],
)
def test_an_altered_case_is_reported_in_red_and_never_an_error_page(
    desk: Desk, clinic: Clinic, accessible: Callable[[Page], None], shot: Callable[[Page, str], None],
    statement: str, badge: str, text: str,
) -> None:  # fmt: skip
    case = clinic.trigger(clinic.add("Pending"))
    clinic.enrollment.engine.cases.claim(case.tasks[0].id, actor=ALICE)
    clinic.enrollment.engine.steps.record(case.id, "Note added", {"note": "called"}, actor=ALICE)
    address = clinic.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(address)) as file, file:
        for (trigger,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{trigger}"')
        file.execute(statement, {"case": case.id})
    page = desk("audrey")
    page.goto(f"/cases/{case.id}/replay")
    expect(page.locator(".badge")).to_have_text(f"Not proven: {badge}")
    expect(page.locator("main")).to_contain_text(text)
    accessible(page)
    shot(page, f"replay-{badge.replace(' ', '-')}")
    for path in ("replay?step=2", "replay.json"):
        assert page.request.get(f"/cases/{case.id}/{path}").status == 200


def test_an_altered_step_is_shown_in_red(
    desk: Desk, clinic: Clinic, accessible: Callable[[Page], None], shot: Callable[[Page, str], None]
) -> None:
    case = clinic.trigger(clinic.add("Pending"))
    clinic.enrollment.engine.cases.claim(case.tasks[0].id, actor=ALICE)
    address = clinic.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(address)) as file, file:
        for (trigger,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{trigger}"')
        (body,) = file.execute("SELECT body FROM step WHERE instance = ? AND revision = 2", [case.id]).fetchone()
        altered = zlib.compress(zlib.decompress(body).replace(b"alice", b"bob__"))
        file.execute("UPDATE step SET body = ? WHERE instance = ? AND revision = 2", [altered, case.id])
    page = opened(desk("audrey"), case.id)
    expect(page.locator(".badge")).to_have_text("Not proven: altered")
    expect(page.locator(".verdict")).to_contain_text("is not as it was written")
    expect(page.locator(".proof")).to_contain_text("was altered after it was written")
    expect(page.locator("[data-steps] tr").nth(1)).to_contain_text("Altered")
    accessible(page)
    shot(page, "replay-altered")
