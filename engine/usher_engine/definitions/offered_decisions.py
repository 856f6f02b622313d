"""Lists the decisions of a package that its business rule tasks can call, for selection lists."""

from __future__ import annotations

from usher_engine.core.errors import InvalidDefinition

from .dmn_file import read_decisions
from .package import Package
from .safe_xml import parse_xml


def decision_names(package: Package) -> list[tuple[str, str]]:
    """Return (id, name) of each decision in the package's .dmn files; skips unreadable files."""
    found: list[tuple[str, str]] = []
    for path in package.files:
        if path.endswith(".dmn"):
            try:
                file = read_decisions(parse_xml(package.files[path], path), path)
            except InvalidDefinition:
                continue
            found += [(decision.id, decision.name) for decision in file.decisions if decision.id]
    return found
