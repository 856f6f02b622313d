"""The page of a mail in the workbench: languages, preview of both parts, values, and a further language."""

from __future__ import annotations

import re

import pytest

MAIL = "mail/invitation.en.md"
FILES = "/processes/enrollment/files"
TEXT = "---\nsubject: Hi <b>{{ practice }}</b>\n---\n\nHello {{ first_name }}, [Open]({{ link }}){.button}"


@pytest.fixture
def ana(house):
    visitor = house.visitor("ana")
    visitor.post("/processes/enrollment/draft")
    return visitor


def drafted(house):
    return house.enrollment.engine.drafts.package("enrollment").files


def test_a_mail_shows_its_languages_and_values(ana):
    page = ana.get(f"{FILES}/{MAIL}").text
    assert 'aria-label="Languages of this mail"' in page
    assert page.count("ready</span>") == 2
    assert "<code>first_name</code>" in page
    assert "2026" in page, "the last day of the link, for somebody who does not exist"
    assert "is missing" not in page


def test_a_preview_is_of_the_part_that_is_asked_for(ana):
    ana.get(f"{FILES}/{MAIL}")
    html = ana.post("/drafts/preview", {"path": MAIL, "text": TEXT, "part": "html"})
    assert html.headers["Content-Security-Policy"].endswith("sandbox")
    assert "Hello Sam" in html.text and 'class="button"' in html.text
    assert "<b>Hi &lt;b&gt;" in html.text
    assert "@media not all" in html.text, "light, whatever the reader's device prefers"
    dark = ana.post("/drafts/preview", {"path": MAIL, "text": TEXT, "part": "html", "shade": "dark"}).text
    assert "@media all" in dark and "prefers-color-scheme" not in dark
    text = ana.post("/drafts/preview", {"path": MAIL, "text": TEXT, "part": "text"}).text
    assert "Subject: Hi &lt;b&gt;" in text and "Hello Sam, Open" in text
    wrong = ana.post("/drafts/preview", {"path": MAIL, "text": "no subject", "part": "text"}).text
    assert "cannot be filled in" in wrong and "no subject" in wrong


def test_every_file_stands_beside_the_editor_of_one(ana):
    ana.post(FILES, {"path": "mail/news.en.md"})
    page = ana.get(f"{FILES}/{MAIL}").text
    listed = re.search(r'<nav class="file-list".*?</nav>', page, re.DOTALL)[0]
    words = " ".join(re.sub(r"<[^>]+>", " ", listed).split())
    assert "Mails invitation en es news 1 error" in words
    assert "Forms" in words and "Diagrams enrollment.bpmn" in words and words.endswith("Add a file…")
    assert listed.count('aria-current="page"') == 1 and f'href="{FILES}/{MAIL}"' in listed
    other = ana.get(f"{FILES}/update-now.form").text
    assert re.search(rf'href="{FILES}/update-now.form"\s+aria-current="page"', other)
    assert 'class="file-list"' not in ana.get("/processes/enrollment/edit").text, "a diagram needs the room"


def test_a_further_language_begins_from_the_one_that_is_there(ana, house):
    page = ana.post(FILES, {"begin": MAIL, "language": "vi"})
    assert page.status_code == 200 and "mail/invitation.vi.md" in page.text
    assert drafted(house)["mail/invitation.vi.md"] == drafted(house)[MAIL]
    other = ana.post(FILES, {"begin": MAIL, "language": "es"})
    assert other.status_code == 422 and "There is a file mail/invitation.es.md already" in other.text
    assert b"Hola" in drafted(house)["mail/invitation.es.md"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"begin": MAIL, "language": "../x"}, "by its tag"),
        ({"begin": MAIL, "language": ""}, "by its tag"),
        ({"begin": "mail/nobody.en.md", "language": "vi"}, "Choose a mail of the draft"),
        ({"begin": "README.md", "language": "vi"}, "Choose a mail of the draft"),
    ],
)
def test_a_language_or_mail_nobody_knows_adds_nothing(ana, house, sent, words):
    before = set(drafted(house))
    page = ana.post(FILES, sent)
    assert page.status_code == 422 and words in page.text
    assert set(drafted(house)) == before


def test_a_language_that_only_another_mail_has_is_missing(ana, house):
    ana.post(FILES, {"begin": MAIL, "language": "vi"})
    ana.post(FILES, {"path": "mail/news.en.md"})
    page = ana.get(f"{FILES}/mail/news.en.md").text
    assert "Vietnamese is missing." in page and "Begin Vietnamese from English" in page
    assert "1 error" in page, "a new mail has no subject yet"
    assert "subject:\n---" in page and "Hello{{" in page
