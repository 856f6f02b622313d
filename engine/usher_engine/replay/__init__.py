"""Verify: the hash chain of a case, and its diagram run again on the recorded inputs with all services off.

`Verifier.check` is the place to start; `rerun` runs a case again, `verify_all` does so for every case on all cores.
"""

from ..findings import Finding
from .many import Progress, Verified, verify_all
from .verifier import Verifier

__all__ = ["Finding", "Progress", "Verified", "Verifier", "verify_all"]
