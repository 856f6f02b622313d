"""The changes between two versions of a package, in words people can check. Start with `package_changes.compare`."""

from .change import Aspect, Change, ChangeKind, Comparison
from .package_changes import compare

__all__ = ["Aspect", "Change", "ChangeKind", "Comparison", "compare"]
