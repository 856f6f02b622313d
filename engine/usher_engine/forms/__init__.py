"""Forms: a documented subset of form-js JSON. This package parses them and validates answers; the web shows them.

A form's required fields are the single source of mandatory fields. Anything outside the subset is refused by name.
"""

from .field import Field, Kind
from .form import Form
from .form_parser import deployed_form, parse_form
from .form_shape import form_shape
from .start_form import first_data, start_form

__all__ = ["Field", "Form", "Kind", "deployed_form", "first_data", "form_shape", "parse_form", "start_form"]
