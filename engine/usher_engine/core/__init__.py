"""The vocabulary of all other packages: errors, events, state, JSON, limits. Imports nothing of ours."""

from .canonical import Json, check_input, whole_number
from .deadlines import Deadlines, OutOfTime
from .practice_calendar import Calendar, full_years
from .shapes import Shape, kinds
from .working_days import WorkingDays

__all__ = [
    "Calendar",
    "Deadlines",
    "Json",
    "OutOfTime",
    "Shape",
    "WorkingDays",
    "check_input",
    "full_years",
    "kinds",
    "whole_number",
]
