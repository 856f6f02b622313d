"""What web/ui adds to the pages, on small pages of our own: drafts, the living inbox, keys, the diagram."""

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask, Response, render_template_string, request
from jinja2 import FileSystemLoader
from playwright.sync_api import Page, Route, expect
from usher_engine.accounts import Role
from usher_web.assets import HERE, asset, bundled_package
from usher_web.content_policy import HEADER, STRICT
from usher_web.message_catalogs import register_catalogues

HEAD = """{% extends "frame.html" %}{% from "macros.html" import field, csrf, error_summary, diagram with context %}
{% block title %}Test{% endblock %}{% block main %}"""
FORM = """<h1>Form</h1>{{ error_summary({"zip": "5 digits are needed."}, fields) }}
<form class="form" method="post" action="/sent" data-draft-url="/draft" novalidate>{{ csrf() }}
<details><summary>More</summary>{{ field(fields[0], "97", "5 digits are needed.") }}</details>
<button class="btn go" type="submit">Save</button><p role="status" data-saved></p></form>
<button type="button" data-opens="really">Cancel…</button>
<dialog class="dialog" id="really" aria-label="Cancel"><form method="dialog"><button>Keep it</button></form></dialog>"""
INBOX = """<h1>Inbox</h1><form class="rows" method="post" data-list><div data-poll="/rows">{{ rows|safe }}</div></form>
<button type="button" class="btn" data-claim data-opens="keys">Claim</button>"""
WAY = {
    "visited": [{"element": "TriggerSelected", "visits": 1}, {"element": "UpdateNow", "visits": 2}],
    "flows": {},
    "at": ["UpdateNow"],
    "incident": [],
}
CASE = """<h1>Case</h1>{{ diagram([{"url": "/xml"}], way, "The enrolment") }}"""


def row(name: str) -> str:
    link = f'<a class="task" href="/tasks/{name}#task">{name}</a>'
    box = f'<input type="checkbox" name="task" value="{name}" aria-label="Select {name}">'
    return f'<tr data-task="{name}"><td class="c-s">{box}</td><td class="c-t">{link}</td></tr>'


def table(names: list[str]) -> str:
    return f"<table><tbody>{''.join(map(row, names))}</tbody></table>"


@pytest.fixture
def rows() -> list[str]:
    return ["one", "two"]


@pytest.fixture
def app(rows: list[str]) -> Flask:
    app = Flask("usher_web")
    app.jinja_loader = FileSystemLoader([HERE / "templates", *sorted(HERE.glob("*/templates"))])
    app.secret_key = "for this test only"
    app.config["sent"] = []
    for name in ("people_time", "exact_time", "machine_time"):
        app.add_template_filter(str, name)
    register_catalogues(app)
    zip_code = SimpleNamespace(
        key="zip", label="ZIP code", kind="text", required=True, help="", options=(), max_length=10
    )

    @app.context_processor
    def everywhere() -> dict:
        user = SimpleNamespace(name="alice", shown_name="alice", role=Role.STAFF, groups=frozenset({"Front desk"}))
        return {
            "asset": asset, "csrf_token": lambda: "token", "current_user": user, "nav": [], "search_url": "/search",
            "next_page_notice": str,
        }  # fmt: skip

    @app.after_request
    def guarded(response: Response) -> Response:
        response.headers[HEADER] = STRICT
        return response

    def page(body: str) -> str:
        return render_template_string(HEAD + body + "{% endblock %}", fields=[zip_code], rows=table(rows), way=WAY)

    def fragment() -> Response:
        response = Response(table(rows))
        response.add_etag()
        return response.make_conditional(request)

    def draft() -> dict:
        app.config["sent"].append((request.headers["X-CSRF-Token"], request.get_json()))
        return {"saved": "09:12"}

    app.add_url_rule("/form", "form", lambda: page(FORM))
    app.add_url_rule("/inbox", "inbox.show", lambda: page(INBOX))
    app.add_url_rule("/profile", "profile.show", str)
    app.add_url_rule("/palette", "palette.find", str)
    app.add_url_rule("/case", "case", lambda: page(CASE))
    app.add_url_rule("/rows", "rows", fragment)
    app.add_url_rule("/draft", "draft", draft, methods=["POST"])
    app.add_url_rule("/xml", "xml", (bundled_package() / "enrollment.bpmn").read_text)
    return app


def test_what_is_typed_is_kept_as_a_draft(app: Flask, page: Page, visit: Callable[[str], Page]) -> None:
    page.clock.install()
    visit("/form")
    page.get_by_role("link", name="ZIP code").click()  # opens the fold the field lies in
    expect(page.get_by_label("ZIP code")).to_be_focused()
    page.get_by_label("ZIP code").fill("97201")
    page.clock.run_for(1500)
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved 09:12")
    assert app.config["sent"] == [("token", {"values": {"zip": "97201"}, "stamp": ""})]


def test_what_was_typed_before_the_script_came_is_kept_too(app: Flask, page: Page, live: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("main.*js"), hold)
    page.goto(live + "/form", wait_until="commit")
    page.get_by_text("More").click()
    page.get_by_label("ZIP code").fill("97201")
    assert held, "the script was there before anything was typed"
    held.pop().continue_()
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved 09:12")
    assert app.config["sent"] == [("token", {"values": {"zip": "97201"}, "stamp": ""})]


def test_who_types_before_the_script_came_goes_on_in_the_same_field(page: Page, live: str) -> None:
    """A page may be slow; the rest of a word must not land in another field."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("main.*js"), hold)
    page.goto(live + "/form", wait_until="commit")
    page.get_by_role("searchbox").press_sequentially("Qui")
    assert held, "the script was there before anything was typed"
    held.pop().continue_()
    page.wait_for_selector("body[data-ready]")
    page.wait_for_load_state()
    page.keyboard.type("ll")
    expect(page.get_by_role("searchbox")).to_have_value("Quill")


def test_the_first_wrong_field_gets_the_focus_and_a_dialog_opens(page: Page, visit: Callable[[str], Page]) -> None:
    visit("/form")
    expect(page.get_by_label("ZIP code")).to_be_focused()
    page.get_by_role("button", name="Cancel…").click()
    expect(page.locator("#really")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#really")).to_be_hidden()


def test_the_list_follows_without_losing_the_focus(rows: list[str], page: Page, visit: Callable[[str], Page]) -> None:
    page.clock.install()
    visit("/inbox")
    page.keyboard.press("j")
    page.keyboard.press("j")
    rows.insert(0, "zero")
    page.clock.run_for(5100)
    expect(page.locator(".task")).to_have_count(3)
    expect(page.get_by_role("link", name="two")).to_be_focused()


def test_the_list_says_when_it_is_old(page: Page, visit: Callable[[str], Page]) -> None:
    page.clock.install()
    visit("/inbox")
    page.route("**/rows", lambda route: route.abort())
    page.clock.run_for(5100)
    expect(page.locator(".stale")).to_contain_text("Not up to date since")
    page.unroute("**/rows")
    page.clock.run_for(5100)
    expect(page.locator(".stale")).to_be_hidden()


def test_keys_work_but_not_while_typing(page: Page, visit: Callable[[str], Page]) -> None:
    visit("/inbox")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("c?")
    expect(page.locator("#keys")).to_be_hidden()
    page.locator("h1").click()
    page.keyboard.press("c")
    expect(page.locator("#keys")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (360, "light")])
def test_the_diagram_shows_the_way_and_keeps_its_mark(
    page: Page, visit: Callable[[str], Page], accessible: Callable[[Page], None], width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    visit("/case")
    expect(page.locator('[data-element-id="UpdateNow"].way-here')).to_be_visible()
    expect(page.locator(".way-token-mark")).to_be_in_viewport()
    expect(page.locator(".way-visits-mark")).to_have_text("2")
    on_top = """mark => { const box = mark.getBoundingClientRect();
        return mark.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)) }"""
    assert page.locator(".bjs-powered-by").evaluate(on_top), "something covers the bpmn.io mark"
    accessible(page)
