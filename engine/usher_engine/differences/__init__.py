"""The changes between two versions of a package, in words people can check. Start with `package_changes.compare`."""

from .change import Aspect, Change, ChangeKind, Comparison
from .diagram_changes import read_diagrams
from .package_changes import compare
from .single_changes import SingleChange, single_changes

__all__ = [
    "Aspect",
    "Change",
    "ChangeKind",
    "Comparison",
    "SingleChange",
    "compare",
    "read_diagrams",
    "single_changes",
]
