"""Mails written in Markdown: both parts from one source, values that stay text, and what is wrong, line by line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.core.errors import ExpressionError
from usher_engine.definitions import Package
from usher_engine.mail_templates import (
    MailProblem,
    RenderedMail,
    choose_language,
    compile_mail,
    direction,
    language_tag,
    mail_problems,
    misnamed,
    templates_of,
)

PROCESSES = Path(__file__).parents[2] / "processes"
NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
VALUES = {
    "practice": "Hill Practice", "first_name": "Ada", "link": "https://hill.example.org/i/T0K3N", "contact": "",
    "expires": "23 December 2026", "opt_out": "https://hill.example.org/i/T0K3N/opt-out",
}  # fmt: skip
LINKS = {"link", "opt_out"}


def source(body: str, subject: str = "Hello") -> str:
    return f"---\nsubject: {subject}\n---\n\n{body}"


def rendered(body: str, *, subject: str = "Hello", language: str = "en", **values: str) -> RenderedMail:
    template = compile_mail(source(body, subject))
    return template.render({**VALUES, **values}, NOW, language=language, links=LINKS)


def problems(text: str) -> list[MailProblem]:
    return mail_problems(text, VALUES.keys(), LINKS)


class Page(HTMLParser):
    """The tags, addresses and words of an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(html.split("<body", 1)[1])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_one_source_gives_both_parts() -> None:
    mail = rendered(
        "# Welcome\n\nHello {{ first_name }},\nread **this** and [that](https://a.example).\n\n"
        "[Open]({{ link }}){.button}\n\n---\n\n[No more]({{ opt_out }})",
        subject="About {{ practice }}",
    )
    assert mail.subject == "About Hill Practice"
    assert mail.text == (
        "Welcome\n\nHello Ada,\nread this and that <https://a.example>.\n\nOpen:\nhttps://hill.example.org/i/T0K3N\n\n"
        "--------------------\n\nNo more:\nhttps://hill.example.org/i/T0K3N/opt-out\n"
    )
    page = Page(mail.html)
    assert page.addresses == ["https://a.example", VALUES["link"], VALUES["opt_out"]]
    assert [tag for tag in page.tags if tag not in ("table", "tr", "td")] == ["h1", "p", "strong", "a", "p", "a", "hr",
                                                                              "p", "a"]  # fmt: skip
    assert mail.html.count('class="button"') == 1
    assert mail.html.count('role="presentation"') == mail.html.count("<table")


def test_lists_and_quotes_read_well_as_text() -> None:
    lists = "- a **card**\n- shoes\n  1. left\n  2. right\n\n3. third\n4. fourth"
    mail = rendered(f"Bring:\n\n{lists}\n\n> so\n> said\n\n    code\n")
    assert mail.text == (
        "Bring:\n\n- a card\n- shoes\n  1. left\n  2. right\n\n3. third\n4. fourth\n\n> so\n> said\n\ncode\n"
    )


def test_an_address_that_is_its_own_label_is_written_once() -> None:
    mail = rendered("See <https://a.example> or <mailto:desk@a.example>.")
    assert mail.text == "See https://a.example or mailto:desk@a.example.\n"


def test_raw_html_is_text_and_images_are_left_out() -> None:
    mail = rendered('<script>x</script> <img src="y"> ![eye](https://spy.example/p.gif) end')
    page = Page(mail.html)
    assert {"script", "img"}.isdisjoint(page.tags)
    assert "spy.example" not in mail.html + mail.text
    assert mail.text == '<script>x</script> <img src="y">  end\n'


HOSTILE = [
    "[x](https://evil.example)", "<https://evil.example>", "![x](https://evil.example)", "<b>bold</b>", "**bold**",
    "\n\n# Title\n\n", "\r\nBcc: all@example.org", "`code`", "\ue0000\ue001", "\u202eevil", "&lt;", "{{ link }}",
    "[x]: https://evil.example", "</td></table>", '" onclick="x',
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_text_wherever_it_is_put(value: str) -> None:
    body = "# NAME\n\nHello **NAME** `NAME`\n\n- NAME\n\n[a NAME]({{ link }})".replace("NAME", "{{ first_name }}")
    plain, mail = rendered(body), rendered(body, subject="{{ first_name }}", first_name=value)
    assert Page(mail.html).tags == Page(plain.html).tags
    assert Page(mail.html).addresses == Page(plain.html).addresses
    assert mail.text.count("\n") == plain.text.count("\n")
    assert "\n" not in mail.subject and "\r" not in mail.subject
    assert "\u202e" not in mail.text


@given(st.text(st.sampled_from("ab []()<>!*_`#&\n\r\t{}\"'=-:/.\ue000\ue00101\u2028\x07"), min_size=1, max_size=40))
@hypothesis.settings(deadline=None)
def test_no_value_changes_the_shape_of_a_mail(value: str) -> None:
    body = "a {{ first_name }} **b{{ first_name }}** [c{{ first_name }}]({{ link }}){.button}\n\n- d{{ first_name }}"
    plain, mail = rendered(body), rendered(body, first_name=value)
    assert Page(mail.html).tags == Page(plain.html).tags
    assert Page(mail.html).addresses == [VALUES["link"]]
    assert len(mail.text.split("\n")) == len(plain.text.split("\n"))


def test_a_paragraph_that_its_values_leave_empty_is_left_out() -> None:
    body = 'One\n\n{{ "Questions? " + contact if contact else "" }}\n\nTwo'
    assert rendered(body).text == "One\n\nTwo\n"
    assert rendered(body).html.count("<p") == 2
    assert rendered(body, contact="555").text == "One\n\nQuestions? 555\n\nTwo\n"


@pytest.mark.parametrize(("language", "way"), [("en", "ltr"), ("ar", "rtl"), ("es-MX", "ltr"), ("und", "ltr")])
def test_a_mail_says_its_language_and_direction(language: str, way: str) -> None:
    html = rendered("x", language=language).html
    assert f'<html lang="{"" if language == "und" else language}" dir="{way}">' in html


def test_letters_that_shape_words_stay_in_values() -> None:
    assert rendered("{{ first_name }}", first_name="می\u200cخواهم 👩\u200d👧").text == "می\u200cخواهم 👩\u200d👧\n"


def test_line_ends_of_every_system_are_read() -> None:
    for end in ("\r\n", "\r"):
        text = source("One {{ practice }}\n\nTwo").replace("\n", end)
        assert compile_mail(text).render(VALUES, NOW, language="en", links=LINKS).text == "One Hill Practice\n\nTwo\n"


# what is wrong


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "has no subject"),
        ("Hello", 1, "has no subject"),
        ("Subject: x\n\nHello", 1, "has no subject"),
        ("---\nsubject: x\n", 1, "are not closed"),
        ("---\n---\nHello", 2, "subject is empty"),
        ("---\nsubject:  \n---\nHello", 2, "subject is empty"),
        ("---\nsubject: a\nsubject: b\n---\nHello", 3, "second subject"),
        ("---\nfrom: a@b\nsubject: b\n---\nHello", 2, "“from” is not known here"),
        ("---\nsubject: {{ practice\n---\nHello", 2, "is not closed"),
        (source("One\n\n{{ practice + }}"), 7, "In “{{ … }}”"),
        (source("One\n\n{{ practice"), 7, "is not closed"),
        (source('One\n\n{{ practice +\n"x" }}'), 7, "stands on one line"),
        (source("a\n\n{{ practice }}\nb \ue0000\ue001"), 8, "private use"),
    ],
)
def test_a_mail_that_cannot_be_read_says_where(text: str, line: int, words: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(words)) as refused:
        compile_mail(text)
    assert refused.value.line == line
    (problem,) = problems(text)
    assert (problem.line, problem.severity) == (line, "error")


@pytest.mark.parametrize(
    ("body", "line", "severity", "words"),
    [
        ("a\n\nb {{ first_nam }}", 7, "error", "Did you mean “first_name”?"),
        ("{{ xyz }}", 5, "error", "Nothing fills “xyz”. A mail may name: contact"),
        ("a\n[b](javascript:alert(1))", 6, "error", "https://, mailto: or tel:"),
        ("[b](data:text/html,x)", 5, "error", "https://, mailto: or tel:"),
        ("[b](http://a.example)", 5, "error", "https://, mailto: or tel:"),
        ("[b](/relative)", 5, "error", "https://, mailto: or tel:"),
        ("[b](https:)", 5, "error", "https://, mailto: or tel:"),
        ("[b]()", 5, "error", "https://, mailto: or tel:"),
        ("[b][r]\n\n[r]: ftp://a.example", 5, "error", "https://, mailto: or tel:"),
        ("[b]({{ first_name }})", 5, "error", "one of the addresses that Usher gives"),
        ('[b]({{ "https://" + first_name }})', 5, "error", "one of the addresses that Usher gives"),
        ("[b](https://a.example/{{ first_name }})", 5, "error", "no other text beside a placeholder"),
        ("[a]({{ link }}){.button}\n\n[b]({{ link }}){.button}", 7, "error", "one button"),
        ("text {.button}", 5, "warning", "Only {.button}"),
        ("[b]({{ link }}){.big}", 5, "warning", "Only {.button}"),
        ("a\nb ![x](https://a.example/x.png)", 6, "warning", "Images are left out"),
        ("", 4, "error", "is empty below its subject"),
    ],
)  # fmt: skip
def test_each_problem_stands_on_its_line(body: str, line: int, severity: str, words: str) -> None:
    (problem,) = problems(source(body))
    assert words in problem.message
    assert (problem.line, problem.severity) == (line, severity)


def test_a_problem_of_the_subject_stands_on_its_line() -> None:
    (problem,) = problems(source("x", "Hi {{ practise }}"))
    assert (problem.line, problem.name, problem.instead) == (2, "practise", "practice")


def test_a_link_that_cannot_be_used_stops_the_mail_too() -> None:
    with pytest.raises(ExpressionError, match="https://"):
        rendered("[b](javascript:x)")
    with pytest.raises(ExpressionError, match="link"):
        compile_mail(source("[b]({{ link }})")).render(VALUES, NOW, language="en", links=())


def test_a_value_that_is_not_there_stops_the_mail_with_its_line() -> None:
    with pytest.raises(ExpressionError, match="nobody") as failed:
        rendered("a\n\n{{ nobody }}")
    assert failed.value.line == 7


def test_values_nobody_knows_are_not_judged() -> None:
    assert mail_problems(source("{{ whatever }}"), None, LINKS) == []


# files and languages


@pytest.mark.parametrize("path", sorted(PROCESSES.glob("*/mail/*.md")), ids=lambda path: path.stem)
def test_our_own_mails_are_right(path: Path) -> None:
    assert problems(path.read_text()) == []


@pytest.mark.parametrize("name", sorted(path.name.split(".")[0] for path in PROCESSES.glob("*/mail/*.en.md")))
def test_our_own_mails_say_the_same_in_each_language(name: str) -> None:
    """The same values in the same order, and the same number of paragraphs."""
    found = [compile_mail(path.read_text()) for path in sorted(PROCESSES.glob(f"*/mail/{name}.*.md"))]
    assert len(found) == 2
    assert len({tuple(sorted(template.names)) for template in found}) == 1
    assert len({len(template.body.tokens) for template in found}) == 1


def test_templates_are_found_by_name_and_language() -> None:
    paths = ["mail/a.en.md", "mail/a.es-MX.md", "mail/b.txt", "mail/b.html", "mail/c.en.md", "mail/c.txt",
             "mail/readme.md", "mail/x y.en.md", "mail/deep/a.en.md", "a.en.md"]  # fmt: skip
    package = Package(dict.fromkeys(paths, b""))
    found = templates_of(package)
    assert {name: template.languages for name, template in found.items()} == {
        "a": ("en", "es-MX"), "b": ("und",), "c": ("en",),
    }  # fmt: skip
    assert found["c"].paths == ("mail/c.en.md",)
    assert sorted(misnamed(package)) == ["mail/deep/a.en.md", "mail/readme.md", "mail/x y.en.md"]


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        (["es"], ["en", "es"], "es"),
        (["es-MX"], ["en", "es"], "es"),
        (["es_MX"], ["en", "es"], "es"),
        (["ES"], ["en", "es"], "es"),
        (["es"], ["en", "es-MX"], "es-MX"),
        (["zh-Hant-TW"], ["en", "zh-Hans", "zh-Hant"], "zh-Hant"),
        (["", "vi", "es"], ["en", "es"], "es"),
        (["vi", ""], ["en", "es"], "en"),
        (["vi"], ["es", "fr"], "es"),
        (["no tag at all", "x"], ["en"], "en"),
        (["vi"], ["und"], "und"),
        (["es"], [], None),
    ],
)
def test_the_language_somebody_gets(wanted: list[str], available: list[str], chosen: str | None) -> None:
    assert choose_language(wanted, available) == chosen


def test_tags_and_directions() -> None:
    tags = [language_tag(text) for text in (" es_MX ", "EN", "english language", "", "e")]
    assert tags == ["es-mx", "en", "", "", ""]
    assert [direction(tag) for tag in ("ar", "he-IL", "az-Arab", "ar-Latn", "en", "zh-Hant")] == [
        "rtl", "rtl", "rtl", "ltr", "ltr", "ltr",
    ]  # fmt: skip
