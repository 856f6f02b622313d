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


#: What a remedy does: write a text, name a parameter, put an event at the edge, draw an end, mark the default.
Act: TypeAlias = Literal[
    "write", "add-parameter", "rename-parameter", "remove-parameter", "catch-error", "draw-end", "set-default"
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Remedy:
    """
    One change of the element that removes the finding; *label* says it on a button.

    ``write``: where a text is *before*, write *after*. ``add-parameter``: give *before* the expression *after*;
    ``rename-parameter``: call *before* *after*; ``remove-parameter``: take *before* away. ``catch-error``: put an
    error event with the code *after* at the edge. ``set-default``: make the flow *after* its gateway's default.
    ``draw-end``: draw a flow to a new end event.
    """

    label: str
    act: Act = "write"
    before: str = ""
    after: str = ""


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
