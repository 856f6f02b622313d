"""The list of mutants that may survive (`survivors.toml`), each with its reason, and the judgement of a run by it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .changes import Key

#: How many in a hundred mutants of a module may survive, reasons or not.
LIMIT = 5.0


class ListError(Exception):
    """The list itself is wrong: an entry without a reason, twice, or with other fields."""


def read(file: Path) -> dict[Key, str]:
    """The reason of each mutant that may survive; raises `ListError`."""
    reasons: dict[Key, str] = {}
    for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("survivor", ()):
        if entry.keys() != {"module", "function", "line", "changes", "reason"}:
            raise ListError(f"An entry has module, function, line, changes and reason; this one: {entry}")
        if len(entry["reason"].split()) < 3:
            raise ListError(f"Say why it may survive: {entry['line']}")
        for change in entry["changes"]:
            key = Key(module=entry["module"], function=entry["function"], line=entry["line"], change=change)
            if key in reasons:
                raise ListError(f"Listed twice: {key}")
            reasons[key] = entry["reason"]
    return reasons


def written(keys: Iterable[Key]) -> str:
    """Entries for the list, to be completed with a reason, which has to be true."""
    changes: dict[tuple[str, str, str], list[str]] = {}
    for key in keys:
        changes.setdefault((key.module, key.function, key.line), []).append(key.change)
    return "\n\n".join(_entry(*where, of) for where, of in changes.items())


def _entry(module: str, function: str, line: str, changes: list[str]) -> str:
    where = f"module = {_quoted(module)}\nfunction = {_quoted(function)}\nline = {_quoted(line)}"
    return f"[[survivor]]\n{where}\nchanges = [{', '.join(map(_quoted, changes))}]\nreason = \"\""


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is wrong with the outcome of one module; nothing is when all are empty."""

    #: Survived without a listed reason.
    unlisted: list[Key]
    #: On the list, and killed now: to be taken off.
    killed: list[Key]
    #: On the list, and no mutant any more: the line was changed.
    gone: list[Key]
    share: float

    @property
    def is_fine(self) -> bool:
        return not (self.unlisted or self.killed or self.gone) and self.share < LIMIT


def judged(module: str, survived: Mapping[Key, bool], every: Collection[Key], reasons: Mapping[Key, str]) -> Judgement:
    """*survived* is, for each mutant tried, whether it survived; *every* are all mutants of *module*."""
    listed = [key for key in reasons if key.module == module]
    lived = [key for key, did in survived.items() if did]
    return Judgement(
        unlisted=[key for key in lived if key not in reasons],
        killed=[key for key in listed if survived.get(key) is False],
        gone=[key for key in listed if key not in set(every)],
        share=100 * len(lived) / max(1, len(survived)),
    )
