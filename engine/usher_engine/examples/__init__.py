"""Examples of a package: run for `usher test`, made up step by step in the try-out. Nothing leaves or is stored."""

from .example_runner import Outcome, Report, run_examples
from .player import SILENCE
from .scenario import AskedPerson, AskedService, Awaited, Tried, try_out

__all__ = [
    "SILENCE",
    "AskedPerson",
    "AskedService",
    "Awaited",
    "Outcome",
    "Report",
    "Tried",
    "run_examples",
    "try_out",
]
