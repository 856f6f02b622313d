"""A finding about a package before it runs: one fault or one translation, its location, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

Severity: TypeAlias = Literal["error", "warning", "info"]

#: What a finding is about; docs/findings.md says what each means.
Rule: TypeAlias = Literal[
    "cannot-run", "catcher", "completeness", "connection", "correlation",
    "data-field", "data-kind", "data-null", "data-perhaps", "data-unset", "data-value", "decision",
    "decision-cover", "drawn-only",
    "engine", "engine-name", "event", "example", "executable", "expression", "foreign", "form", "gateway", "group",
    "ignored", "link", "load", "loop", "mail", "main-process", "message", "misplaced", "more", "name", "not-bpmn",
    "not-drawn", "not-translated", "process-id", "property", "reference", "repeat", "reserved-id", "safe-xml", "schema",
    "service", "size", "soundness", "start-and-end", "timer", "translated", "unique-id", "unreachable",
]  # fmt: skip
RULES: tuple[Rule, ...] = get_args(Rule)
#: The rules on data, by what is doubted (`expressions/doubts.py`).
DATA_RULES: Mapping[str, Rule] = {rule.removeprefix("data-"): rule for rule in RULES if rule.startswith("data-")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Remedy:
    """A change of one text of the element that removes the finding: where the text is *before*, write *after*."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    *element* is an element id, a form field's key, or empty for the whole file; *rule* is a stable name.

    *path* lists the elements and flows from the start to the fault, if such a path exists. *remedy* is a change that
    an editor may make for the author.
    """

    file: str
    element: str
    rule: Rule
    message: str
    severity: Severity = "error"
    path: tuple[str, ...] = ()
    remedy: Remedy | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the form that `usher check --json` shows; ``path`` and ``remedy`` are omitted if empty."""
        values = asdict(self)
        path, remedy = values.pop("path"), values.pop("remedy")
        return values | ({"path": list(path)} if path else {}) | ({"remedy": remedy} if remedy else {})
