"""What the page of a mail shows beside its source: its languages, the values it may use, and what it begins from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template
from usher_engine import EngineError, InvalidSubmission
from usher_engine.definitions import Finding, Package
from usher_engine.enrollment import sample_values
from usher_engine.mail_templates import (
    RenderedMail,
    compile_mail,
    language_name,
    language_of,
    language_tag,
    name_of,
    template_path,
    templates_of,
)

from ..site import site

KINDS = {"link": "address", "opt_out": "address", "expires": "day", "contact": "text, perhaps empty"}


@dataclass(frozen=True, kw_only=True, slots=True)
class MailLanguage:
    """One language of a mail; *path* is empty where it is missing, *new_path* says where it would stand."""

    word: str
    path: str
    new_path: str
    errors: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MailValue:
    """A value that Usher gives a mail, with what it is for a patient who does not exist."""

    name: str
    kind: str
    sample: str
    used: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MailPage:
    """The page of one mail: its *language* in words, its *languages* and the *values* it may use."""

    language: str
    languages: list[MailLanguage]
    values: list[MailValue]

    @property
    def names(self) -> list[dict[str, str]]:
        """The values as the editor completes them (`authoring/editor_vocabulary.py`)."""
        return [{"name": one.name, "kind": one.kind, "title": f"like {one.sample}"} for one in self.values]


def mail_page(package: Package, path: str, findings: Sequence[Finding]) -> MailPage | None:
    """The page of the Markdown mail *path*; None for every other file."""
    language = language_of(path)
    if not language:
        return None
    values = sample_values(site().settings, now=site().now(), language=language)
    used = _used(package.text(path))
    return MailPage(
        language=language_name(language),
        languages=_languages(package, name_of(path), findings),
        values=[
            MailValue(name=name, kind=KINDS.get(name, "text"), sample=values[name], used=name in used)
            for name in sorted(values)
        ],
    )


def new_language(package: Package, path: str, language: str) -> tuple[str, bytes]:
    """
    Path and content of the mail *path* in another *language*: the same words, to be translated.

    Raises:
        InvalidSubmission: *path* is no Markdown mail of the draft, or *language* no tag.
    """
    if not language_of(path) or path not in package.files:
        raise InvalidSubmission("Choose a mail of the draft to begin from.", fields={"path": "There is no such mail."})
    if not language_tag(language):
        reason = "Name the language by its tag: es for Spanish, vi for Vietnamese, zh-Hant for traditional Chinese."
        raise InvalidSubmission(reason, fields={"path": reason})
    return template_path(name_of(path), language.strip().replace("_", "-")), package.files[path]


def framed_html(mail: RenderedMail, *, dark: bool) -> str:
    """The HTML part below its subject and sender, light or *dark* whatever the reader's own device prefers."""
    html = mail.html.replace("@media (prefers-color-scheme: dark)", "@media all" if dark else "@media not all")
    if not mail.subject:  # an older mail's HTML stands alone
        return html
    envelope = render_template("mail_envelope.html", subject=mail.subject, practice=site().settings.practice_name)
    return html.replace("<table", f"{envelope}<table", 1)


def _languages(package: Package, name: str, findings: Sequence[Finding]) -> list[MailLanguage]:
    """The languages of the mail, then those that only other mails of the package have."""
    templates = templates_of(package)
    own = templates[name].markdown
    others = {tag for template in templates.values() for tag in template.markdown} - own.keys()
    errors = [finding.file for finding in findings if finding.severity == "error"]
    return [
        MailLanguage(
            word=language_name(tag),
            path=own.get(tag, ""),
            new_path=template_path(name, tag),
            errors=errors.count(own.get(tag, "")),
        )
        for tag in (*own, *sorted(others))
    ]


def _used(text: str) -> frozenset[str]:
    try:
        return compile_mail(text).names
    except EngineError:
        return frozenset()
