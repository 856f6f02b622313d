"""Days as people of different languages write them in a letter. Pure; uses no locale of the machine."""

from __future__ import annotations

from datetime import date

from babel import Locale, UnknownLocaleError
from babel.dates import format_date


def day_in_words(day: date, language: str) -> str:
    """
    *day* in the language of a tag (BCP 47): ``23 December 2026``, ``23 de diciembre de 2026``.

    English puts the day first in every region, as all of Usher does. In a language whose months the CLDR does not know,
    ``2026-12-23``, which no reader takes for another day (ISO 8601).
    """
    tag = language.replace("_", "-")
    if tag.lower().partition("-")[0] in ("en", "und", ""):
        tag = "en-GB"
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return day.isoformat()
    if locale.months["format"]["wide"][day.month] == f"M{day.month:02}":  # the CLDR has no month names of it
        return day.isoformat()
    return str(format_date(day, "long", locale))
