"""Examples of a package: `usher test` runs them, the try-out builds them step by step. No effects, nothing stored."""

from .acceptance import accept_examples, accepted_examples
from .example_runner import Outcome, Report, run_examples, run_on
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
    "accept_examples",
    "accepted_examples",
    "run_examples",
    "run_on",
    "try_out",
]
