"""The date of birth in three fields, as people type it: months by name or number, digits of any width and script."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date

from babel import Locale
from babel.dates import get_month_names

from ..message_catalogs import languages, spoken

FIELDS = ("birth_month", "birth_day", "birth_year")
MOST = 20


def field_order() -> tuple[str, ...]:
    """The three fields in the order in which the language of the page writes a date."""
    pattern = Locale.parse(spoken(), sep="-").date_formats["short"].pattern.lower()
    places = {f"birth_{name}": pattern.find(name[0]) for name in ("month", "day", "year")}
    return tuple(sorted(places, key=lambda name: places[name]))


def typed_in(form: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the three fields, to be shown again."""
    return {name: form.get(name, "").strip()[:MOST] for name in FIELDS}


def sent_birth_date(form: Mapping[str, str]) -> str:
    """The date of birth of a sent form, also of a page from before an upgrade, which had it in one field."""
    return birth_date(typed_in(form)) or form.get("birth_date", "").strip()[:MOST]


def birth_date(typed: Mapping[str, str]) -> str:
    """The date as ``YYYY-MM-DD``; empty if it is none."""
    month, day, year = _month(typed["birth_month"]), _number(typed["birth_day"]), _number(typed["birth_year"])
    if month is None or day is None or year is None or year < 1000:
        return ""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _month(text: str) -> int | None:
    number = _number(text)
    if number is not None:
        return number
    wanted = _plain(text).rstrip(".")
    for language in (spoken(), *languages()):
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, locale=language).items():
                if wanted and _plain(str(name)).rstrip(".") == wanted:
                    return int(number)
    return None


def _number(text: str) -> int | None:
    """A number in decimal digits of any script."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return int(plain) if plain.isdecimal() and len(plain) <= 4 else None


def _plain(text: str) -> str:
    """*text* without case and accents."""
    parts = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in parts if not unicodedata.combining(letter)).strip()
