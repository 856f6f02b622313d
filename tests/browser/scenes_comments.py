"""Comments of a case in the states worth looking at; the scenes of `scenes` go on here."""

from __future__ import annotations

from browser.scenes import ALICE, BOB, Stage, scene
from playwright.sync_api import Page, expect
from usher_engine.cases import NewFile


@scene("comments", "alice")
def _(page: Page, stage: Stage) -> None:
    comments, case = stage.clinic.enrollment.engine.comments, stage.cases["free"]
    letter = NewFile(name="letter.txt", content=b"Dear Usher")
    comments.add(case, "@alice she called again.", actor=BOB, mentions=[ALICE], files=[letter])
    comments.withdraw(case, comments.add(case, "Nothing.", actor=BOB), actor=BOB)
    comments.add(case, "Good.", actor=ALICE)
    page.goto("/inbox")
    expect(page.get_by_role("heading", name="Mentioned")).to_be_visible()
    page.goto(f"/cases/{case}")
    page.locator("[data-mine] summary").last.click()
    page.get_by_role("textbox", name="Add a comment").click()
    page.keyboard.type("@b")
    expect(page.get_by_role("option", name="@bob")).to_be_visible()


@scene("comment-refused", "alice")
def _(page: Page, stage: Stage) -> None:
    page.goto(f"/cases/{stage.cases['free']}")
    page.get_by_role("textbox", name="Add a comment").fill("@nobody is there")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The comment was not added yet")
