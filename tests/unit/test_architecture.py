"""The sizes of the house (engine/decisions) and the patterns nobody may use. Raising a size is a decision record."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path
    for package in ("engine/usher_engine", "web/usher_web")
    for path in (ROOT / package).rglob("*.py")
    if "migrations/versions" not in path.as_posix()
)
MAX_LINES = 310
MAX_FUNCTION = 50
FORBIDDEN_NAMES = {"utils", "common", "base", "misc", "manager", "handler", "data", "info", "models", "helpers"}
#: Evaluating or unpickling text is how diagrams become code (engine/decisions/0002).
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}
BANNED_IMPORTS = {"pickle", "marshal", "shelve"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_keeps_the_rules_of_the_house(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert text.count("\n") <= MAX_LINES, "too long to read in one sitting"
    assert path.stem not in FORBIDDEN_NAMES
    assert ast.get_docstring(tree), "a module opens with its job"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or 0) - node.lineno + 1
            documented = len((ast.get_docstring(node) or "").splitlines())
            assert size - documented <= MAX_FUNCTION, f"{node.name} is too long to hold in mind"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in BANNED_CALLS, f"line {node.lineno}: {node.func.id}"
        if isinstance(node, ast.Import):
            assert not BANNED_IMPORTS & {alias.name for alias in node.names}


def test_where_the_library_evaluates_text_is_known() -> None:
    """Fails when an upgrade of SpiffWorkflow adds a place that would run a diagram's text."""
    import SpiffWorkflow

    package = Path(SpiffWorkflow.__file__).parent
    evaluates = re.compile(r"\b(eval|exec)\(|environment\.(evaluate|execute)\(|^import pickle", re.MULTILINE)
    found = {
        path.relative_to(package).as_posix() for path in package.rglob("*.py") if evaluates.search(path.read_text())
    }
    assert found == {
        "bpmn/script_engine/python_engine.py",
        "bpmn/script_engine/python_environment.py",
        "bpmn/serializer/migration/version_1_2.py",
        "bpmn/specs/bpmn_process_spec.py",
        "bpmn/specs/event_definitions/message.py",
        "serializer/dict.py",
        "specs/Transform.py",
    }
