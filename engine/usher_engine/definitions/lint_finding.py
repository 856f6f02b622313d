"""What is said of a package before it runs: one fault or one reading, where it is and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    *element* is an element id, a form field's key, or empty for the whole file; *rule* a name that stays.

    *path* are the elements and flows that lead from the start to the fault, where there is such a way.
    """

    file: str
    element: str
    rule: str
    message: str
    severity: Severity = "error"
    path: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `usher check --json` shows it; ``path`` is only there when it says something."""
        values = asdict(self)
        path = values.pop("path")
        return {**values, "path": list(path)} if path else values
