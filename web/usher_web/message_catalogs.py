"""What pages say in the language of the person who reads them: the catalogues in translations/, and the one in use.

English is the source; each other language has a folder with `usher.po`, read at start-up. `make messages` brings the
catalogues up to date with the pages; a test holds that nothing is missing. Staff pages are English so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context
from usher_engine.enrollment import day_in_words
from usher_engine.mail_templates import choose_language, direction

FOLDER = Path(__file__).parent / "translations"
DOMAIN, ENGLISH = "usher", "en"


@cache
def languages() -> tuple[str, ...]:
    """The languages that pages can be read in, English first."""
    return (ENGLISH, *sorted(path.parent.parent.name for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po")))


@cache
def catalogue(language: str) -> NullTranslations:
    """The texts of a language; those of English are in the pages themselves."""
    path = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if language == ENGLISH or not path.is_file():
        return NullTranslations()
    with path.open("rb") as file:
        texts = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return Translations(compiled)


def speak(wishes: Iterable[str]) -> None:
    """Answer this request in the first language of *wishes* that there is, else in English."""
    g.language = choose_language(wishes, languages()) or ENGLISH


def spoken() -> str:
    """The language of the page that is being made."""
    return str(g.get("language", ENGLISH)) if has_request_context() else ENGLISH


def gettext(text: str) -> str:
    """*text* in the language of the page."""
    return str(catalogue(spoken()).ugettext(text))


def ngettext(one: str, many: str, number: int) -> str:
    """*one* or *many*, as the language of the page counts, in that language."""
    return str(catalogue(spoken()).ungettext(one, many, number))


def day_words(day: date) -> str:
    """*day* in words of the language of the page."""
    return day_in_words(day, spoken())


def own_name(language: str) -> str:
    """What a language is called by those who speak it."""
    try:
        name = Locale.parse(language, sep="-").get_language_name(language)
    except (ValueError, UnknownLocaleError):
        name = None
    return (name or language).capitalize()


def register_catalogues(app: Flask) -> None:
    """Make the texts of the page's language available to templates."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    environment: Any = app.jinja_env
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)
    app.jinja_env.filters["day_words"] = day_words
    app.jinja_env.globals.update(page_language=spoken, writing_direction=lambda: direction(spoken()))
