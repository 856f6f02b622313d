"""Fills the mail templates of a package, with as little data as possible. mail_message.py addresses what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from typing import Any

from ..core.canonical import Json
from ..core.errors import InvalidDefinition, ServiceError
from ..definitions import Package
from ..expressions import ExpressionError, compile_template
from ..mail_templates import (
    UNDETERMINED,
    RenderedMail,
    choose_language,
    compile_mail,
    language_of,
    templates_of,
)
from ..settings import Settings
from .days_in_words import day_in_words
from .invitations import expiry
from .mail_message import one_line

#: The template of `invitation/send`, unless the diagram names another.
INVITATION = "invitation"

#: The values that Usher gives a mail: each one; one to a patient; one with an invitation link.
ALWAYS = frozenset({"practice", "contact"})
TO_PATIENTS = frozenset({"first_name", "opt_out"})
WITH_LINK = frozenset({"link", "expires"})
PLACEHOLDERS = ALWAYS | TO_PATIENTS | WITH_LINK
#: Those that may be the address of a link in a Markdown mail.
LINKS = frozenset({"link", "opt_out"})

MAX_FIRST_NAME = 60
#: Stands for the token in the links of a preview; nobody was given it.
_SAMPLE = "sample"
_SUBJECT = "Subject:"
_TEXT, _HTML = "txt", "html"


def practice_values(settings: Settings) -> dict[str, str]:
    """The values of `ALWAYS`."""
    return {"practice": one_line(settings.practice_name), "contact": one_line(settings.practice_contact)}


def own_values(given: Mapping[str, Any]) -> dict[str, Json]:
    """The values of its own that a diagram gives `mail/send`; raises `ServiceError` for a name that is Usher's own."""
    own = given.get("values") or {}
    if taken := sorted(PLACEHOLDERS & own.keys()):
        raise ServiceError(f"The value “{taken[0]}” of a mail is Usher's own; call yours otherwise.", retry=False)
    return dict(own)


def patient_values(settings: Settings, *, token: str, first_name: str) -> dict[str, str]:
    """The values of `TO_PATIENTS`; *token* is the one behind the mail's links."""
    return {"first_name": one_line(first_name)[:MAX_FIRST_NAME], "opt_out": f"{link_address(settings, token)}/opt-out"}


def link_values(settings: Settings, *, token: str, expires_at: datetime, language: str) -> dict[str, str]:
    """The values of `WITH_LINK`: the invitation's address, and the last day it works, in words of *language*."""
    return {"link": link_address(settings, token), "expires": last_day(expires_at, settings, language)}


def link_address(settings: Settings, token: str) -> str:
    return f"{settings.base_url.rstrip('/')}/i/{token}"


def last_day(at: datetime, settings: Settings, language: str) -> str:
    """The day of *at* where the practice is, in words."""
    try:
        return day_in_words(settings.calendar.day_of(at), language)
    except (KeyError, ValueError):
        raise ServiceError("USHER_TIME_ZONE is no time zone, for example Europe/Vienna.", retry=False) from None


def mail_language(package: Package, template: str, wishes: Iterable[str], settings: Settings) -> str:
    """
    The language in which *template* goes out: by *wishes* in order, then the practice's, then English.

    Raises:
        ServiceError: The package has no such template.
    """
    found = templates_of(package).get(template)
    chosen = choose_language((*wishes, settings.mail_language), found.languages) if found else None
    if chosen is None:
        known = ", ".join(sorted(templates_of(package))) or "none"
        raise ServiceError(f"There is no mail template “{template[:60]}”. There are: {known}.", retry=False)
    return chosen


def fill_template(
    package: Package, template: str, language: str, values: Mapping[str, Json], *, now: datetime, settings: Settings
) -> RenderedMail:
    """
    *template* in *language* (as `mail_language` chose it), filled with *values*.

    Raises:
        ServiceError: A template cannot be filled; names its file and line.
    """
    files = templates_of(package)[template]
    if language == UNDETERMINED:
        return _fill_pair(package, files.pair, values, now, settings)
    path = files.markdown[language]
    try:
        return fill_markdown(package.text(path), values, language=language, now=now, settings=settings)
    except ExpressionError as error:
        raise _unfilled(path, f"line {error.line}: {error.message}") from None
    except InvalidDefinition as error:
        raise _unfilled(path, error.args[0]) from None


def fill_markdown(
    text: str, values: Mapping[str, Json], *, language: str, now: datetime, settings: Settings
) -> RenderedMail:
    """The Markdown mail *text*, filled; raises `ExpressionError` with its line."""
    template = compile_mail(text)
    return template.render(values, now, language=language, links=LINKS & values.keys(), calendar=settings.calendar)


def preview_mail(path: str, text: str, *, settings: Settings, now: datetime) -> RenderedMail:
    """
    The template *text* of the file *path* as a patient who does not exist would get it.

    Of a pair's file only the part it holds is filled. Raises `ExpressionError` where it cannot be filled.
    """
    language = language_of(path) or UNDETERMINED
    values = sample_values(settings, now=now, language=language)
    if path.endswith(".md"):
        return fill_markdown(text, values, language=language, now=now, settings=settings)
    is_html = path.endswith(f".{_HTML}")
    filled = compile_template(text).render(values, now, _escaped if is_html else str, calendar=settings.calendar)
    return RenderedMail(subject="", text="" if is_html else filled, html=filled if is_html else "")


def sample_values(settings: Settings, *, now: datetime, language: str) -> dict[str, str]:
    """All of `PLACEHOLDERS` for a patient who does not exist, with links that lead nowhere."""
    return {
        **practice_values(settings),
        **patient_values(settings, token=_SAMPLE, first_name="Sam"),
        **link_values(settings, token=_SAMPLE, expires_at=expiry(now, settings), language=language),
    }


def _fill_pair(
    package: Package, pair: Mapping[str, str], values: Mapping[str, Json], now: datetime, settings: Settings
) -> RenderedMail:
    """A template of two files, the form of Usher 0.2. A first line ``Subject: …`` of the text is the subject."""
    filled = {}
    for ending, escaped in ((_TEXT, str), (_HTML, _escaped)):
        path = pair.get(ending) or f"{next(iter(pair.values())).rpartition('.')[0]}.{ending}"
        try:
            template = compile_template(package.text(path))
            filled[ending] = template.render(values, now, escaped, calendar=settings.calendar)
        except (InvalidDefinition, ExpressionError) as error:
            raise _unfilled(path, error.args[0]) from None
    subject, text = _split(filled[_TEXT])
    default = f"Your invitation to the patient portal of {values['practice']}"
    return RenderedMail(subject=subject or default, text=text, html=filled[_HTML])


def _unfilled(path: str, reason: object) -> ServiceError:
    return ServiceError(f"The mail template {path} cannot be filled: {reason}", retry=False)


def _split(text: str) -> tuple[str, str]:
    first, _, rest = text.partition("\n")
    return (first[len(_SUBJECT) :].strip(), rest.lstrip("\r\n")) if first.startswith(_SUBJECT) else ("", text)


def _escaped(text: str) -> str:
    return escape(text)
