"""One input of a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from usher_engine.core.canonical import Json

Kind: TypeAlias = Literal["text", "email", "tel", "textarea", "number", "date", "select", "radio", "checkbox"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """
    One input. *options* are (value, label); *earliest* and *latest* are ISO dates or ``today`` (date fields only);
    *autocomplete* is the HTML token.
    """

    key: str
    label: str
    kind: Kind = "text"
    required: bool = False
    help: str = ""
    options: tuple[tuple[str, str], ...] = ()
    pattern: str = ""
    pattern_hint: str = ""
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    decimals: int | None = None
    earliest: str = ""
    latest: str = ""
    default: Json = None
    autocomplete: str = ""
