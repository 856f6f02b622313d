"""What the gate says: one fault of a package, where it is and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """*element* is an element id, a form field's key, or empty for the whole file; *rule* a name that stays."""

    file: str
    element: str
    rule: str
    message: str
    severity: Severity = "error"

    def to_json(self) -> dict[str, str]:
        return {key: str(value) for key, value in asdict(self).items()}
