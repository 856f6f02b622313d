"""Size limits (engine/decisions) and forbidden patterns. Raising a limit takes a decision record."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

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
MAX_WIDTH = 120
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


def test_pages_and_styles_are_narrow_enough_for_a_diff() -> None:
    """The formatters of `make lint` leave some long lines as they are; ruff watches the Python."""
    templates = [path for path in (ROOT / "web/usher_web").rglob("*.html") if "static" not in path.parts]
    sheets = list((ROOT / "web/ui/src").rglob("*.css"))
    assert len(templates) > 50
    assert len(sheets) > 10
    wide = [
        f"{path.relative_to(ROOT).as_posix()}:{number}"
        for path in templates + sheets
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MAX_WIDTH
    ]
    assert wide == []


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


#: Where a broad `except` may stand: borders behind which anything may come, each with what it does about it.
BORDERS = {
    "usher_engine/bpmn/compiled_diagram.py:_specs": "foreign files break the library's parser: a finding",
    "usher_engine/bpmn/serializer.py:load": "an altered state makes the library fail in any way: Corrupt, an incident",
    "usher_engine/checkpoints/checkpointer.py:_loop": "a thread: a fault with its trace, and the next try",
    "usher_engine/enrollment/minute_watch.py:_attempt": "a thread: a fault with its trace, and the next try",
    "usher_engine/assurance/integrity_check.py:run": "a thread: a fault with its trace, and a check that broke off",
    "usher_engine/definitions/package_io.py:from_zip": "garbled files make `zipfile` fail in any way: a refusal",
    "usher_engine/own_operators.py:load_operators": "a foreign package: put aside with its reason, and a trace",
    "usher_engine/own_operators.py:_why_refused": "a foreign declaration: put aside with its reason",
    "usher_engine/gate/service_use.py:use_problems": "a foreign operator's check: a warning, and a trace",
    "usher_engine/gate/service_use.py:result_shape": "the same: the shape it always has, and a trace",
    "usher_engine/reexecution/backtest_answers.py:_compute": "a foreign operator: a fault with its trace, as live",
    "usher_engine/reexecution/backtest_answers.py:_recall": "the same: nothing is known, and a trace",
    "usher_engine/enrollment/smtp.py:_connect": "closes the connection and raises on",
    "usher_engine/cases/operator_calls.py:ask": "a foreign operator: a fault with its trace, and an incident",
    "usher_engine/reexecution/case_verifier.py:_compile": "altered archive: a finding and a trace",
    "usher_engine/reexecution/case_verifier.py:_run_again": "altered step: a finding and a trace",
    "usher_engine/store/database.py:_prepare_sqlite": "raises on, but where the file is read-only",
    "usher_engine/jobs/job_work.py:_perform": "an operator, perhaps not ours: a fault with a trace, and an incident",
    "usher_engine/jobs/job_work.py:keep_leases": "a thread: a fault with its trace, and the next round",
    "usher_engine/jobs/job_work.py:guarded": "a thread: a fault with its trace, and the next job",
    "usher_engine/jobs/procrastinate_worker.py:_feed_on": "a thread: a fault with its trace, and the next turn",
    "usher_engine/jobs/procrastinate_worker.py:_supervise": "a thread: a fault with its trace, and the next run",
    "usher_web/cli.py:invoke": "the command line: one line",
    "usher_web/server/buffered_answer.py:run": "an answer breaks off: a fault with its trace",
    "usher_web/server/live_windows.py:_render": "a thread: a fault with its trace, and the windows look themselves",
    "usher_web/server/thread_pool.py:_work": "a thread: a fault with its trace, and the next request",
    "usher_web/auditor/replay_frames.py:frames": "an altered step: shown in red, and a trace in case it is our mistake",
}
BROAD = {"Exception", "BaseException"}


def _catches_all(node: ast.AST) -> bool:
    """Whether *node* catches every exception: a broad `except`, or the same by `suppress`."""
    caught: list[ast.expr] = []
    if isinstance(node, ast.ExceptHandler):
        if node.type is None:
            return True
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        caught = node.args
    return any(isinstance(kind, ast.Name) and kind.id in BROAD for kind in caught)


def _broad(node: ast.AST, inside: str = "module") -> Iterator[str]:
    """The functions in whose body every exception is caught."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _broad(child, child.name)
        else:
            if _catches_all(child):
                yield inside
            yield from _broad(child, inside)


def test_broad_excepts_stand_at_named_borders_only() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix().partition('/')[2]}:{function}"
        for path in MODULES
        for function in _broad(ast.parse(path.read_text()))
    }
    assert found == set(BORDERS)


@pytest.mark.parametrize(
    ("source", "broad"),
    [
        ("try: pass\nexcept: pass", True),
        ("try: pass\nexcept Exception as e: pass", True),
        ("try: pass\nexcept (KeyError, BaseException): pass", True),
        ("with contextlib.suppress(OSError, Exception): pass", True),
        ("try: pass\nexcept (KeyError, OSError): pass", False),
        ("with suppress(OSError): pass", False),
    ],
)
def test_a_broad_except_is_recognised(source: str, *, broad: bool) -> None:
    assert list(_broad(ast.parse(source))) == (["module"] if broad else [])


def _patterns(tree: ast.AST) -> Iterator[tuple[int, str | bytes]]:
    """The regular expressions written out in calls of `re`, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            module, first = node.func.value, node.args[0]
            if isinstance(module, ast.Name) and module.id == "re" and isinstance(first, ast.Constant):
                yield node.lineno, first.value  # type: ignore[misc]


def _explodes(parsed: Iterable[Any], *, inside: bool = False) -> bool:
    """Whether a repeat stands in a repeat, both wide: such a pattern can take for ever on a text of thirty letters."""
    for operation, argument in parsed:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            _, most, body = argument
            wide = most > 10
            if (wide and inside) or _explodes(body, inside=inside or wide):
                return True
        elif name in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
            if _explodes(argument[-1], inside=inside):
                return True
        elif name == "BRANCH" and any(_explodes(branch, inside=inside) for branch in argument[1]):
            return True
    return False


def _reads(pattern: str | bytes) -> Iterable[Any]:
    over_lines = re.VERBOSE if len(pattern.splitlines()) > 1 else 0
    parsed: Iterable[Any] = importlib.import_module("re._parser").parse(pattern, over_lines)
    return parsed


def test_no_pattern_of_ours_can_explode() -> None:
    """What is typed, drawn or sent is matched by these, in code that nothing can interrupt (engine/decisions/0022)."""
    found = [(path, line, pattern) for path in MODULES for line, pattern in _patterns(ast.parse(path.read_text()))]
    assert len(found) > 50
    assert [where for *where, pattern in found if _explodes(_reads(pattern))] == []


@pytest.mark.parametrize(
    ("pattern", "explodes"),
    [
        ("(a+)+", True), ("(?:[0-9]+[a-z]*)*", True), ("((ab*){5,50}|c)", True), ("(?=(a*)*)", True),
        ("(a{1,99}b)*?", True), ("(ab)*a*", False), ("(a?b)*", False), ("a*b*", False), ("(a{2}){3}", False),
    ],
)  # fmt: skip
def test_a_pattern_that_can_explode_is_recognised(pattern: str, *, explodes: bool) -> None:
    assert _explodes(_reads(pattern)) is explodes


# ---------------------------------------------------------------- composed, not inherited

#: What inherits all the same, and why.
INHERIT = {
    "PracticeCalendar(Calendar)": "an abstract base with two implementations: the time zone database",
    "StepCalendar(Calendar)": "the other one: what a step recorded",
    "Worker(JobQueue)": "the port to what carries out jobs: the embedded queue",
    "ProcrastinateWorker(JobQueue)": "the other one: Procrastinate, on PostgreSQL",
    "_ScriptCompiler(Compiler)": "a script has every node of an expression, and statements; both walk one syntax tree",
}


def _bases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            named = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
            yield from ((node.name, base.id) for base in named if isinstance(base, ast.Name))


def _inherited(sources: Mapping[str, str]) -> set[str]:
    """Every class of ours that inherits from a class of ours, errors and the wall around SpiffWorkflow left out."""
    found = {file: list(_bases(ast.parse(source))) for file, source in sources.items()}
    trees = map(ast.parse, sources.values())
    ours = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    errors = {"EngineError"}
    for _ in range(3):
        errors |= {name for pairs in found.values() for name, base in pairs if base in errors}
    return {
        f"{name}({base})"
        for file, pairs in found.items()
        for name, base in pairs
        if base in ours and base not in errors and "/bpmn/" not in file
    }


def test_no_class_of_ours_inherits_from_another() -> None:
    assert _inherited({str(path): path.read_text() for path in MODULES}) == set(INHERIT)


def test_a_class_cut_in_two_by_inheritance_is_found() -> None:
    halves = {"a.py": "class Questions: ...", "b.py": "from a import Questions\nclass Engine(Questions): ..."}
    assert _inherited(halves) == {"Engine(Questions)"}
    wrong = {"a.py": "class EngineError(Exception): ...\nclass NotFound(EngineError): ..."}
    assert _inherited(wrong) == set()


# ---------------------------------------------------------------- names


def test_no_two_modules_and_no_two_templates_share_a_name() -> None:
    """A reader who searches for a file, or looks at the tabs of an editor, finds one."""
    pages = [path for path in (ROOT / "web/usher_web").rglob("*.html") if "static" not in path.parts]
    for files in ([path for path in MODULES if path.name != "__init__.py"], pages):
        counted = Counter(path.name for path in files)
        assert [name for name, count in counted.items() if count > 1] == []
