"""Validates one submitted value against one field: returns JSON, or raises a reason that people understand."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from math import isfinite
from typing import Any, cast

from usher_engine.core.canonical import MAX_INTEGER, MAX_TEXT, Json
from usher_engine.core.email_address import NotAnEmailAddress, parse_email_address
from usher_engine.core.visible_text import trimmed, without_invisible

from .field import Field
from .pattern_matching import fits

DEFAULT_MAX_LENGTH = {"textarea": 4_000}
MAX_LENGTH = 500

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,10})?", re.ASCII)
_PHONE = re.compile(r"\+?[\d ()./-]{5,30}", re.ASCII)
#: Kinds whose values are written in one way only: nothing invisible in them means anything.
_WITHOUT_INVISIBLE = frozenset({"email", "tel", "date"})
_WIDE_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_YES = (True, "true", "on", "yes", "1")
_NO = (False, None, "", "false", "off", "no", "0")


class Unfit(Exception):
    """The value does not fit the field; the page shows *reason* next to it, so it does not repeat the label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def clean(field: Field, value: Any, today: date) -> Json:
    """Return *value* in its stored form for *field*; raises `Unfit`."""
    if field.kind == "checkbox":
        return _checkbox(field, value)
    if field.kind == "number":
        return _number(field, value)
    text = _text(field, value)
    if not text:
        if field.required:
            raise Unfit("Please choose one." if field.options else "Please fill this in.")
        return ""
    if field.kind == "email":
        text = _email_address(text)
    _CHECKS.get(field.kind, _plain)(field, text, today)
    return text


def _text(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unfit("This must be text.")
    if len(value) > MAX_TEXT:
        raise Unfit("This is too long.")
    text = trimmed(unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n"))
    if field.kind in _WITHOUT_INVISIBLE:
        text = without_invisible(_WIDE_SPACE.sub(" ", text))
    allowed = "\n\t" if field.kind == "textarea" else ""
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed for letter in text):
        raise Unfit("This holds a character that cannot be used here; please type it again.")
    return text


def _plain(field: Field, text: str, today: date) -> None:  # noqa: ARG001 - one shape for all checks
    longest = field.max_length or DEFAULT_MAX_LENGTH.get(field.kind, MAX_LENGTH)
    if len(text) > longest:
        raise Unfit(f"This may have at most {longest} characters; these are {len(text)}.")
    if field.min_length and len(text) < field.min_length:
        raise Unfit(f"This needs at least {field.min_length} characters.")
    if field.pattern and not fits(field.pattern, text):
        raise Unfit(field.pattern_hint or "This is not written in the expected way.")


def _email_address(text: str) -> str:
    """The address in its normal form, which is what is stored."""
    try:
        return parse_email_address(text).shown
    except NotAnEmailAddress as wrong:
        raise Unfit(str(wrong)) from None


def _phone(field: Field, text: str, today: date) -> None:
    if not _PHONE.fullmatch(text):
        raise Unfit("This is not a phone number. Please use digits, spaces, and + in front of a country code.")
    _plain(field, text, today)


def _date(field: Field, text: str, today: date) -> None:
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise Unfit("This is not a full date. Please enter year, month and day, like 1981-05-04.")
    if field.latest and day > _bound(field.latest, today):
        raise Unfit(f"This must not be {_after(field.latest)}.")
    if field.earliest and day < _bound(field.earliest, today):
        raise Unfit(f"This must not be {_before(field.earliest)}.")


def _bound(bound: str, today: date) -> date:
    return today if bound == "today" else date.fromisoformat(bound)


def _after(bound: str) -> str:
    return "in the future" if bound == "today" else f"after {bound}"


def _before(bound: str) -> str:
    return "in the past" if bound == "today" else f"before {bound}"


def _choice(field: Field, text: str, today: date) -> None:  # noqa: ARG001 - one shape for all checks
    if text not in (value for value, _ in field.options):
        raise Unfit(f"Please choose one of: {', '.join(label for _, label in field.options)}.")


_CHECKS = {"tel": _phone, "date": _date, "select": _choice, "radio": _choice}


def _checkbox(field: Field, value: Any) -> bool:
    if isinstance(value, (bool, str)) or value is None:
        if value in _YES:
            return True
        if value in _NO:
            if field.required:
                raise Unfit("Please tick this box.")
            return False
    raise Unfit("This must be yes or no.")


def _number(field: Field, value: Any) -> Json:
    if value is None or (isinstance(value, str) and not without_invisible(value)):
        if field.required:
            raise Unfit("Please fill this in.")
        return None
    number = _parse_number(value)
    if field.minimum is not None and number < field.minimum:
        raise Unfit(f"This must be at least {field.minimum:g}.")
    if field.maximum is not None and number > field.maximum:
        raise Unfit(f"This must be at most {field.maximum:g}.")
    if field.decimals is not None and round(number, field.decimals) != number:
        raise Unfit(_precision_message(field))
    return number


def _parse_number(value: Any) -> int | float:
    if isinstance(value, str):
        text = without_invisible(value)
        if not _NUMBER.fullmatch(text):
            raise Unfit("This must be a number, like 12 or 12.5.")
        return float(text) if "." in text else int(text)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or abs(value) > MAX_INTEGER:
        raise Unfit("This must be a number, like 12 or 12.5.")
    return cast("int | float", value)


def _precision_message(field: Field) -> str:
    if not field.decimals:
        return "This must be a whole number."
    return f"This may have at most {field.decimals} digits after the point."
