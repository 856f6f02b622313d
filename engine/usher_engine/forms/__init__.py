"""Forms: a documented subset of form-js JSON. This package parses them and validates answers; the web shows them.

A form's required fields are the single source of mandatory fields. Anything outside the subset is refused by name.
"""

from .field import Field, Kind
from .form import Form
from .form_parser import parse_form
from .start_form import first_data, start_form

__all__ = ["Field", "Form", "Kind", "first_data", "parse_form", "start_form"]
