"""What changed from one version of a package to another, in words people can check. `packages.compare` is the door."""

from .change import Aspect, Change, ChangeKind, Comparison
from .package_changes import compare

__all__ = ["Aspect", "Change", "ChangeKind", "Comparison", "compare"]
