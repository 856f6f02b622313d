"""The page of the architecture, its drawing and the glossary name what there is."""

from __future__ import annotations

import re
import tomllib
from xml.etree import ElementTree as ET

from conftest import ROOT

ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()


def test_the_architecture_names_only_files_there_are() -> None:
    named = re.findall(r"`((?:engine|web)/[\w./]+)`", ARCHITECTURE)
    assert len(named) > 12
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_drawing_names_only_packages_and_modules_there_are() -> None:
    drawing = (ROOT / "docs/architecture.svg").read_text()
    assert ET.fromstring(drawing).tag.endswith("svg")
    named = re.findall(r"[\w/]+\.py|\w+(?=/[<, ])", drawing)
    assert len(named) > 10
    paths = [path for top in ("engine/usher_engine", "web/usher_web") for path in (ROOT / top).rglob("*")]
    there = [path.relative_to(ROOT).as_posix() for path in paths if path.is_dir() or path.suffix == ".py"]
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in there)] == []


def test_the_floors_are_those_that_imports_are_held_to() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one["name"] == "Engine packages depend downwards only"]
    table = ARCHITECTURE.split("<!-- floors")[1].split("\n\n")[0]
    told = [re.findall(r"`(\w+)`", row.split("|")[2]) for row in table.splitlines()[3:]]
    assert told == [re.findall(r"\w+", layer) for layer in layers]


GLOSSARY = (ROOT / "docs/glossary.md").read_text()
WORDS = (
    "case", "instance", "step", "event", "visit", "version", "draft", "checkpoint", "incident", "wait", "effect",
    "operator", "package", "gate", "finding", "re-execution", "backtest", "tombstone", "hold", "claim",
    "candidate group", "business key",
)  # fmt: skip


def test_the_glossary_explains_every_word_and_what_it_answers_to() -> None:
    rows = re.findall(r"^\| \*\*([^*]+)\*\* \| (.+) \| (.+) \|$", GLOSSARY, re.MULTILINE)
    words = [word for word, _, _ in rows]
    assert set(WORDS) <= set(words)
    assert words == sorted(words)
    assert all(meaning.endswith((".", ".)")) and answers.strip() for _, meaning, answers in rows)


def test_the_glossary_names_only_modules_and_pages_there_are() -> None:
    for named in re.findall(r"`([\w/]+\.py)`", GLOSSARY):
        assert (ROOT / "engine/usher_engine" / named).exists(), named
