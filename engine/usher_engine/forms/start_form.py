"""The start form of a process, and the first data of a case that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ..core.canonical import Json
from ..definitions import Package, StartDeclaration
from .form import Form
from .form_parser import deployed_form


def start_form(package: Package, start: StartDeclaration) -> Form | None:
    """The start form, if there is one; raises `InvalidDefinition` if it cannot be read, which the gate refuses."""
    return deployed_form(package.text(start.form)) if start.form else None


def first_data(form: Form | None, data: Mapping[str, Json], *, keeps_others: bool, today: date) -> dict[str, Json]:
    """
    The first data of a case: the fields of *form* as `Form.validate` stores them; without a form *data* as it is.

    With *keeps_others* names in *data* that no field has are kept beside them.

    Raises:
        InvalidSubmission: One entry for each field that is wrong, missing or not asked for.
    """
    if form is None:
        return dict(data)
    keys = {field.key for field in form.fields} if keeps_others else data.keys()
    values = form.validate({key: value for key, value in data.items() if key in keys}, today=today)
    return {**data, **values}
