"""What changed from one version of a package to another, in words people can check. `packages.compare` is the door."""

from .change import Aspect, Change, ChangeKind, Comparison
from .packages import compare

__all__ = ["Aspect", "Change", "ChangeKind", "Comparison", "compare"]
