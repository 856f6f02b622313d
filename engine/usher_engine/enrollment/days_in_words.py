"""Days as people of different languages write them in a letter. Pure; uses no locale of the machine."""

from __future__ import annotations

from datetime import date

_ENGLISH = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SPANISH = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)  # fmt: skip


def day_in_words(day: date, language: str) -> str:
    """
    *day* in the language of a tag (BCP 47): ``23 December 2026``, ``23 de diciembre de 2026``.

    In languages Usher does not know the months of, ``2026-12-23``, which no reader takes for another day (ISO 8601).
    """
    match language.lower().partition("-")[0]:
        case "en" | "und":
            return f"{day.day} {_ENGLISH[day.month - 1]} {day.year}"
        case "es":
            return f"{day.day} de {_SPANISH[day.month - 1]} de {day.year}"
        case _:
            return day.isoformat()
