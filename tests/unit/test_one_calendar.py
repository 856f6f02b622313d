"""Only `core.practice_calendar` turns instants into days and days into instants (engine/decisions/0027)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = "usher_engine/core/practice_calendar.py"

#: Where it happens all the same, and why.
ELSEWHERE = {
    "usher_engine/enrollment/timestamps.py: datetime.combine(day, time.min, zone)": "a FHIR period's first day",
    "usher_engine/enrollment/timestamps.py: datetime.combine(day, time.max, zone)": "a FHIR period's last day",
    "usher_engine/setting_values.py: ZoneInfo(name)": "whether the setting names a zone",
    "usher_web/commands/backtesting.py: since.date()": "a day typed at the shell; click makes a midnight of it",
    "usher_web/commands/backtesting.py: until.date()": "the same",
    "usher_web/commands/purge.py: before.date()": "the same",
    "usher_web/commands/calendar.py: day.date()": "the same",
    "usher_web/demo/sample_patients.py: (now + timedelta(days=30)).date()": "an invented patient; any day will do",
}
DAYS = {"date", "combine", "utcnow", "utcfromtimestamp"}
CLASSES = {"date", "datetime"}


def _crossings(tree: ast.AST) -> Iterator[str]:
    """Each place where an instant becomes a day or a day an instant, as it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, owner = node.func.attr, node.func.value
            of_class = isinstance(owner, ast.Name) and owner.id in CLASSES
            crosses = name in DAYS or (of_class and name == "today")
        elif isinstance(node, ast.Call):
            crosses = isinstance(node.func, ast.Name) and node.func.id == "ZoneInfo"
        else:
            crosses = isinstance(node, ast.Subscript) and ast.unparse(node.slice) == ":10" and _is_text(node.value)
        if crosses:
            yield ast.unparse(node)


def _is_text(node: ast.expr) -> bool:
    """Whether what is cut may be a time as text: anything but a list of names."""
    return not (isinstance(node, ast.Call) and ast.unparse(node.func) in ("sorted", "list"))


def test_days_and_instants_meet_in_one_module() -> None:
    modules = [
        path
        for package in ("engine/usher_engine", "web/usher_web")
        for path in (ROOT / package).rglob("*.py")
        if "migrations/versions" not in path.as_posix()
    ]
    found = {
        f"{path.relative_to(ROOT).as_posix().split('/', 1)[1]}: {crossing}"
        for path in modules
        for crossing in _crossings(ast.parse(path.read_text()))
    }
    assert {one for one in found if not one.startswith(HOME)} == set(ELSEWHERE)
    assert any(one.startswith(HOME) for one in found)


def test_pages_cut_no_day_out_of_a_time() -> None:
    pages = [path for path in (ROOT / "web/usher_web").rglob("*.html") if "static" not in path.parts]
    cut = re.compile(r"\[:10\]|\.date\(|\.isoformat\(")
    assert [path.name for path in pages if cut.search(path.read_text())] == []


@pytest.mark.parametrize(
    ("source", "crosses"),
    [
        ("now.date()", True), ("now.astimezone(UTC).date()", True), ("date.today()", True), ("datetime.utcnow()", True),
        ("datetime.combine(day, time())", True), ("ZoneInfo('UTC')", True), ("stored[:10]", True),
        ("str(details['at'])[:10]", True), ("site().today()", False), ("calendar.day_of(now)", False),
        ("sorted(names)[:10]", False), ("text[:60]", False), ("date(2026, 5, 4)", False),
    ],
)  # fmt: skip
def test_a_crossing_is_recognised(source: str, *, crosses: bool) -> None:
    assert bool(list(_crossings(ast.parse(source)))) is crosses
