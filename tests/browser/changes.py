"""What an analyst does to change a process, with mouse and keyboard: files, steps and their properties, deployment."""

from __future__ import annotations

import re

from browser.analyst import opened, saved, select
from browser.clinic import Clinic
from playwright.sync_api import Locator, Page, expect

PROCESS = "/processes/enrollment"
#: How the form editor calls a kind of field in the head of its properties.
KINDS = {"textfield": "Text field", "button": "Button"}


def add_file(page: Page, path: str, process: str = PROCESS) -> None:
    """Add a file of this name to the draft; its editor opens."""
    page.goto(f"{process}/files")
    page.get_by_label("Name", exact=True).fill(path)
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(f"**/files/{path}")
    page.wait_for_selector("body[data-ready]")


def write(page: Page, path: str, text: str) -> None:
    """Write *text* into the open file, in the editor of mails and other texts."""
    page.get_by_label(path, exact=True).fill(text)
    saved(page)


def rewrite(page: Page, path: str, before: str, after: str, process: str = PROCESS) -> None:
    """Replace *before* in the text of the file."""
    opened(page, f"{process}/files/{path}?as=text")
    source = page.get_by_label(path, exact=True)
    text = source.input_value()
    assert before in text
    source.fill(text.replace(before, after))
    saved(page)


def here(page: Page) -> str:
    """The id of the element whose properties are open."""
    return page.locator(".props header code").inner_text()


def insert(page: Page, source: str, leads_to: str, kind: str) -> str:
    """Put a step of *kind* on the flow from *source* to the element of this name; answers its id."""
    select(page, source).get_by_role("button", name=f"→ {leads_to}").first.click()
    page.get_by_label("Put a step here").select_option(label=kind)
    return _added(page, page.locator("[data-field=insert] button"))


def append(page: Page, after: str, kind: str) -> str:
    """Add the next step behind *after*; answers its id."""
    select(page, after).get_by_label("Add the next step").select_option(label=kind)
    return _added(page, page.locator("[data-field=append] button"))


def attach(page: Page, to: str, kind: str) -> str:
    """Add an event at the edge of *to*; answers its id."""
    select(page, to).get_by_label("Add an event at the edge").select_option(label=kind)
    return _added(page, page.locator("[data-field=attach] button"))


def connect(page: Page, source: str, target: str) -> str:
    """Draw a flow; answers its id."""
    select(page, source).get_by_label("Connect to").select_option(target)
    return _added(page, page.locator("[data-field=connect] button"))


def _added(page: Page, button: Locator) -> str:
    before = here(page)
    button.click()
    expect(page.locator(".props header code")).not_to_have_text(before)
    return here(page)


def name(page: Page, words: str) -> None:
    page.locator(".props").get_by_label("Name", exact=True).fill(words)


def operator(page: Page, element: str, words: str, operator: str, *, result: str, **parameters: str) -> None:
    """Name a service task, and have it do something with these parameters; the *result* gets a name too."""
    props = select(page, element)
    name(page, words)
    props.get_by_label("What it does").select_option(operator)
    for parameter, value in parameters.items():
        props.locator(f"#p-parameter_{parameter}").fill(value)
    props.get_by_label("Name of the result").fill(result)


def flow(page: Page, source: str, leads_to: str) -> str:
    """Open the flow from *source* to the element of this name; answers its id."""
    select(page, source).get_by_role("button", name=f"→ {leads_to}").first.click()
    expect(page.locator(".props header p")).to_contain_text("flow", ignore_case=True)
    return here(page)


def require(page: Page, label: str) -> None:
    """In the form editor: nobody may leave the field *label* empty."""
    page.locator(".fjs-element", has=page.get_by_text(label, exact=True)).last.click()
    _demand(page)


def _demand(page: Page) -> None:
    """The selected field must be filled in."""
    group = page.locator(".bio-properties-panel-group", has_text="Validation")
    group.locator(".bio-properties-panel-group-header").click()
    group.get_by_label("Required").check(force=True)
    saved(page)


def add_field(page: Page, kind: str, label: str, key: str, *, required: bool = True) -> None:
    """In the form editor: add a field of this *kind* at the end, by its entry in the palette."""
    page.locator(f".fjs-palette-field[data-field-type={kind}]").press("Enter")
    page.locator(f".fjs-element[data-field-type={kind}]").last.click()
    expect(page.locator(".bio-properties-panel-header-type")).to_have_text(KINDS[kind], ignore_case=True)
    group = page.locator(".bio-properties-panel-group", has_text="General")
    if group.locator(".bio-properties-panel-group-entries.open").count() == 0:
        group.locator(".bio-properties-panel-group-header").click()
    group.get_by_label("Field label").fill(label)
    if key:
        group.get_by_label("Key").fill(key)
    expect(page.locator(f".fjs-element[data-field-type={kind}]").last).to_contain_text(label)
    saved(page)
    if required and key:
        _demand(page)


def task(page: Page, element: str, words: str, **fields: str) -> None:
    """Name a user task and fill its other properties, by their labels with _ for a space."""
    props = select(page, element)
    name(page, words)
    for label, value in fields.items():
        field = props.get_by_label(label.replace("_", " "), exact=True)
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def table(page: Page, inputs: list[str], outputs: list[str], rules: list[list[str]]) -> None:
    """In the editor of a new decision table: what each column reads or is called, and the cells, row by row."""
    for kind, columns in (("input", inputs), ("output", outputs)):
        for number, words in enumerate(columns):
            if number:
                page.locator(f".add-{kind}").last.click()
            page.locator(f"th.{kind}-cell").nth(number).dblclick()
            menu = page.locator(f".ref-{kind}-editor")
            menu.locator(".cm-content" if kind == "input" else ".ref-output-name").click()
            page.keyboard.press("Control+a")
            page.keyboard.insert_text(words)
            page.locator("th.decision-table-name, .decision-table-name").first.click()
            expect(menu).to_have_count(0)
    for number, rule in enumerate(rules):
        page.locator("tfoot.add-rule td").first.click()
        cells = page.locator("tbody tr").nth(number).locator("td.input-cell, td.output-cell")
        for place, cell in enumerate(rule):
            cells.nth(place).click()
            page.keyboard.press("Control+a")
            page.keyboard.insert_text(cell)
    saved(page)


def deploy(page: Page, clinic: Clinic, note: str, process: str = PROCESS) -> int:
    """Deploy the draft, with every example that takes another way now accepted; answers the version."""
    key = process.rpartition("/")[2]
    number = next((version.number for version in clinic.enrollment.engine.versions.all(key)), 0) + 1
    opened(page, f"{process}/deploy")
    accept = page.get_by_role("button", name=re.compile("are right now|^This is right now"))
    if accept.count():
        with page.expect_navigation():
            accept.last.click()
    stands = page.locator(".dep-findings, .dep-example").all_inner_texts()
    expect(page.locator(".dep-lede"), "\n".join(stands)).to_contain_text(f"Nothing stands in the way of v{number}.")
    page.get_by_label("What changed, and why").fill(note)
    page.get_by_role("button", name=f"Deploy v{number}").click()
    expect(page.get_by_role("status").first).to_contain_text(f"v{number} is in force")
    return number
