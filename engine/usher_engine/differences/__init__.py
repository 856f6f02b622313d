"""The changes between two versions of a package, in words people can check. Start with `package_changes.compare`."""

from .change import Aspect, Change, ChangeKind, Comparison
from .diagram_changes import read_diagrams
from .merged_lists import merge_form, merge_table
from .package_changes import compare
from .single_changes import ChangeUnit, SingleChange, change_units, single_changes, without

__all__ = [
    "Aspect",
    "Change",
    "ChangeKind",
    "ChangeUnit",
    "Comparison",
    "SingleChange",
    "change_units",
    "compare",
    "merge_form",
    "merge_table",
    "read_diagrams",
    "single_changes",
    "without",
]
