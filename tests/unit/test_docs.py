"""Documentation is a tested contract: each setting, command and error is told, nothing is told that is not there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from usher_engine.core.errors import EngineError
from usher_engine.settings import Settings, variable
from usher_web.commands import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_readme_lists_exactly_the_settings_there_are() -> None:
    told = dict(re.findall(r"^\| `(USHER_\w+)` \| `?([^|`]*)`? \|", README, re.MULTILINE))
    there = {variable(f.name): str(f.default) for f in fields(Settings)}
    assert {name: default.strip() for name, default in told.items()} == there


def test_readme_names_every_command() -> None:
    told = set(re.findall(r"`usher ([a-z-]+)", README))
    assert set(COMMANDS) <= told


def test_readme_names_no_command_that_is_not_there() -> None:
    told = set(re.findall(r"`usher ([a-z-]+)", README))
    assert told <= set(COMMANDS)


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_readme_begins_with_the_two_commands(command: str) -> None:
    assert command in README[:1500]


def test_every_error_stands_in_the_tree() -> None:
    tree = (ROOT / "engine/usher_engine/core/errors.py").read_text().split('"""')[1]
    for kind in EngineError.__subclasses__():
        if kind.__module__ == "usher_engine.core.errors":
            assert f"─ {kind.__name__} " in tree, kind.__name__


FOLDERS = ("", "engine", "engine/decisions", "processes/enrollment", "web")
PAGES = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


DECISIONS = sorted((ROOT / "engine/decisions").glob("*.md"))


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [page.name[:4] for page in DECISIONS]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_number_and_since_0017_its_date_and_status(page: Path) -> None:
    title, _, line, *_ = page.read_text().splitlines()
    assert title.startswith(f"# {page.name[:4]} ")
    if page.name >= "0017":
        assert re.match(r"\d{4}-\d\d-\d\d, (accepted|replaced by \d{4})\.", line), line


def test_code_and_pages_name_only_decisions_there_are() -> None:
    numbers = {page.name[:4] for page in DECISIONS}
    for page in (*PAGES, *(ROOT / "engine").rglob("*.py"), *(ROOT / "web/usher_web").rglob("*.py")):
        named = set(re.findall(r"decisions/(\d{4})", page.read_text()))
        assert named <= numbers, f"{page.name}: {named - numbers}"


def test_the_engine_s_page_says_where_everything_is() -> None:
    named = set(re.findall(r"`([\w.]+)/?`", (ROOT / "engine/README.md").read_text()))
    package = ROOT / "engine/usher_engine"
    there = {path.name for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there - {"__init__.py"} <= named
