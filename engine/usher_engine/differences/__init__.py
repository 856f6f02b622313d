"""The changes between two versions of a package, in words people can check. Start with `package_changes.compare`."""

from .change import Aspect, Change, ChangeKind, Comparison
from .diagram_changes import read_diagrams
from .package_changes import compare

__all__ = ["Aspect", "Change", "ChangeKind", "Comparison", "compare", "read_diagrams"]
