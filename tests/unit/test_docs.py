"""Documentation is a tested contract: it names each setting, command and error, and nothing that does not exist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from usher_engine.audit import KINDS as AUDIT_KINDS
from usher_engine.core.errors import Corrupt, EngineError
from usher_engine.core.events import KINDS, from_json
from usher_engine.definitions import RULES
from usher_engine.enrollment import FIELDS
from usher_engine.exports import FORMATS
from usher_engine.settings import Settings, variable
from usher_web.commands import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_readme_lists_exactly_the_settings_there_are() -> None:
    listed = re.findall(r"^\| `(USHER_\w+)` \| `?([^|`]*)`? \| (.+) \|$", README, re.MULTILINE)
    there = [(variable(f.name), str(f.metadata["served"]), f.metadata["help"]) for f in fields(Settings)]
    assert [(name, default.strip(), meaning) for name, default, meaning in listed] == there


def test_readme_names_every_command() -> None:
    documented = set(re.findall(r"`usher ([a-z-]+)", README))
    assert set(COMMANDS) <= documented


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_readme_begins_with_the_two_commands(command: str) -> None:
    assert command in README[:1500]


def test_every_error_stands_in_the_tree() -> None:
    tree = (ROOT / "engine/usher_engine/core/errors.py").read_text().split('"""')[1]
    for kind in EngineError.__subclasses__():
        if kind.__module__ == "usher_engine.core.errors":
            assert f"─ {kind.__name__} " in tree, kind.__name__


RELEASES = ("0.1.0", "0.2.0", "0.3.0")


def rows(title: str) -> dict[str, list[str]]:
    """The table under *title* in docs/events.md: kind to the other columns."""
    text = (ROOT / "docs/events.md").read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \|(.*)\|(.*)\|(.*)\|$", text, re.MULTILINE)
    return {kind: [column.strip() for column in columns] for kind, *columns in found}


@pytest.mark.parametrize(("title", "kinds"), [("Events of a case", list(KINDS)), ("Audit events", AUDIT_KINDS)])
def test_every_kind_of_event_is_documented(title: str, kinds: Sequence[str]) -> None:
    documented = rows(title)
    assert list(documented) == list(kinds)
    for kind, (_, meaning, since) in documented.items():
        assert meaning.endswith(".") and since in RELEASES, kind


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_an_event_is_documented_with_its_fields(kind: type[Any]) -> None:
    """In parentheses: what the log may lack."""
    documented = rows("Events of a case")[kind.__name__][0]
    written = []
    for field in fields(kind):
        has_default = field.default is not field.default_factory
        may_lack = has_default or getattr(read_without(kind, field.name), field.name, None) == ""
        written.append(f"(`{field.name}`)" if may_lack else f"`{field.name}`")
    assert documented == ", ".join(written)


def read_without(kind: type[Any], name: str) -> Any:
    """An event of *kind* read from a log without the field; None where Usher refuses it."""
    record = {field.name: 1 for field in fields(kind) if field.name != name}
    try:
        return from_json({"kind": kind.__name__, **record})
    except Corrupt:
        return None


def test_every_rule_of_a_finding_is_documented() -> None:
    """The types hold the other half: no finding has a rule that is not one of RULES."""
    table = re.findall(r"^\| `([a-z-]+)` \| [A-Z].*\. \|$", (ROOT / "docs/findings.md").read_text(), re.MULTILINE)
    assert table == sorted(RULES) == list(RULES)


def test_every_field_of_a_patient_is_documented() -> None:
    text = (ROOT / "docs/patient-fields.md").read_text()
    for field in FIELDS.values():
        codes = ", ".join(f"`{code}`" for code in field.codes)
        assert f"| `{field.key}` | {field.title} | `{field.path}` | {codes} | {field.note} |" in text
    assert text.count("\n| `") == len(FIELDS)


def test_every_export_format_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", (ROOT / "engine/exports.md").read_text(), re.MULTILINE)
    assert set(FORMATS) <= set(rows)
    for one in FORMATS.values():
        assert one.purpose.endswith("."), one.name


FOLDERS = (
    "", ".github", "docs", "docs/how-to", "engine", "engine/decisions", "processes/enrollment", "processes/reminder",
    "web",
)  # fmt: skip
PAGES = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_no_command_that_is_not_there(page: Path) -> None:
    assert set(re.findall(r"(?:`|^\$ |^)usher ([a-z][a-z-]+)", page.read_text(), re.MULTILINE)) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```\w+\n.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


DECISIONS = sorted((ROOT / "engine/decisions").glob("*.md"))


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [page.name[:4] for page in DECISIONS]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_number_its_date_and_its_status(page: Path) -> None:
    title, _, line, *_ = page.read_text().splitlines()
    assert title.startswith(f"# {page.name[:4]} ")
    assert re.match(r"\d{4}-\d\d-\d\d, (accepted|replaced by \d{4})\.", line), line
    assert set(re.findall(r"\b(00\d\d)\b", line)) <= {other.name[:4] for other in DECISIONS} - {page.name[:4]}


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_names_only_modules_there_are(page: Path) -> None:
    """A decision is history, but the modules it names move; their names follow, so that a reader finds them."""
    there = {f"/{path.relative_to(ROOT).as_posix()}" for top in ("engine", "web", "tests") for path in modules(top)}
    for named in re.findall(r"`((?:\w+/)*\w+\.py)`", page.read_text()):
        assert any(path.endswith(f"/{named}") for path in there), f"{page.name}: {named}"


def modules(top: str) -> list[Path]:
    return [path for path in (ROOT / top).rglob("*.py") if "node_modules" not in path.parts]


def test_code_and_pages_name_only_decisions_there_are() -> None:
    numbers = {page.name[:4] for page in DECISIONS}
    for page in (*PAGES, *(ROOT / "engine").rglob("*.py"), *(ROOT / "web/usher_web").rglob("*.py")):
        named = set(re.findall(r"decisions/(\d{4})", page.read_text()))
        assert named <= numbers, f"{page.name}: {named - numbers}"


@pytest.mark.parametrize("document", sorted((ROOT / "docs").rglob("*.md")), ids=lambda document: document.stem)
def test_readme_leads_to_every_document(document: Path) -> None:
    assert f"]({document.relative_to(ROOT).as_posix()}" in README


def test_the_engine_s_page_names_every_package() -> None:
    named = set(re.findall(r"`([\w.]+)/?`", (ROOT / "engine/README.md").read_text()))
    package = ROOT / "engine/usher_engine"
    there = {path.name for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there - {"__init__.py"} <= named
