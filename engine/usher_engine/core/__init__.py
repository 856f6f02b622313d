"""The vocabulary of all other packages: errors, events, state, JSON, limits. Imports nothing of ours."""

from .canonical import Json, check_input, whole_number
from .deadlines import Deadlines, OutOfTime

__all__ = [
    "Deadlines",
    "Json",
    "OutOfTime",
    "check_input",
    "whole_number",
]
