"""The shape of a form's answer: what `Form.validate` returns."""

from __future__ import annotations

from usher_engine.core.shapes import Shape, boolean, nullable, number, record, text

from .field import Field
from .form import Form


def form_shape(form: Form) -> Shape:
    """The shape of the answer to *form*: every field is there; one that is not required may be empty or null."""
    return record({field.key: field_shape(field) for field in form.fields}, title=form.title)


def field_shape(field: Field) -> Shape:
    """The shape of one value of the answer."""
    match field.kind:
        case "checkbox":
            return boolean(field.label)
        case "number":
            bounds = {"minimum": field.minimum, "maximum": field.maximum}
            shape = {**number(field.label, whole=field.decimals == 0), **_given(bounds)}
            return shape if field.required else nullable(shape)
        case "select" | "radio":
            empty = () if field.required else ("",)
            return text(field.label, enum=[*(value for value, _ in field.options), *empty])
        case "date":
            return text(field.label, form="date" if field.required else "")
        case _:
            return {**text(field.label), **_given({"maxLength": field.max_length})}


def _given(bounds: dict[str, float | int | None]) -> dict[str, float | int]:
    return {word: bound for word, bound in bounds.items() if bound is not None}
