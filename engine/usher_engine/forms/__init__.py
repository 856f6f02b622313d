"""Forms: a documented subset of form-js JSON, read, shown by the web and checked here, on the server.

A form's required fields are the single source of the mandatory fields. What is outside the subset is refused by name.
"""

from .field import Field, Kind
from .form import Form
from .form_parser import parse_form

__all__ = ["Field", "Form", "Kind", "parse_form"]
