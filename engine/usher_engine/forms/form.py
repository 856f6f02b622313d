"""A form with its fields, and the validation of answers. Reasons address the person who filled in the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from usher_engine.core.canonical import Json
from usher_engine.core.errors import InvalidSubmission

from .field import Field
from .field_values import Unfit, clean


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """*title* is the first text that starts with ``# ``, *submit* the label of the button, *texts* the other texts."""

    id: str
    title: str
    submit: str
    fields: tuple[Field, ...]
    texts: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.required)

    def validate(self, submission: Mapping[str, Any], *, today: date) -> dict[str, Json]:
        """
        Return the answer as stored: every field of the form, texts trimmed, dates as YYYY-MM-DD, "" or null if empty.

        *today* is the day it is where the practice is.

        Raises:
            InvalidSubmission: One entry in ``fields`` for each wrong or unknown field, in form order.
        """
        values: dict[str, Json] = {}
        wrong: dict[str, str] = {}
        for field in self.fields:
            try:
                values[field.key] = clean(field, submission.get(field.key), today)
            except Unfit as unfit:
                wrong[field.key] = unfit.reason
        for key in submission:
            if key not in values and key not in wrong:
                wrong[str(key)] = "This form has no such field."
        if wrong:
            raise InvalidSubmission(_headline(wrong, self.fields), fields=wrong)
        return values

    def missing(self, values: Mapping[str, Any], *, today: date) -> tuple[Field, ...]:
        """The required fields that are empty or invalid in *values*."""
        return tuple(field for field in self.required if not _fits(field, values.get(field.key), today))

    def field(self, key: str) -> Field | None:
        return next((field for field in self.fields if field.key == key), None)


def _fits(field: Field, value: Any, today: date) -> bool:
    try:
        clean(field, value, today)
    except Unfit:
        return False
    return True


def _headline(wrong: Mapping[str, str], fields: tuple[Field, ...]) -> str:
    labels = {field.key: field.label for field in fields}
    count = "One field needs" if len(wrong) == 1 else f"{len(wrong)} fields need"
    return f"{count} another look: {', '.join(labels.get(key, key) for key in wrong)}."
