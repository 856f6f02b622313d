"""
Every page of docs/how-to is tried as written, on a copy of the repository with a database that has cases to look at.

Pages in `FRESH` run in an environment of their own, into which they may install packages. A `diff` block changes the
file named last before it: its lines without `+` must stand there exactly once. A `console` block is run, and what it
prints must match; `…` stands for anything, `CASE` for the number of the case that the page started; `export` sets a
variable for all that follows. A block of another language is a new file, named after “Create”.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import ROOT, SECRET

PAGES = sorted((ROOT / "docs/how-to").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(Create )?`([\w./-]+\.\w+)`")
PATIENCE_S = 240
TESTS_LEFT_OUT = ("browser", "bench", "faults", "golden", "interop", "mutants", "properties")
PROGRAMS = {
    "usher": ["-c", "from usher_web.cli import main; main()"],
    "pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"],
    "pip": ["-m", "pip", "--disable-pip-version-check"],
}
#: Where our own code is; a package of a clinic's own is no part of ours, and its tests lie beside its code.
OURS = ("engine/", "web/", "tests/")
#: Pages that are tried in a fresh environment, and how packages are installed there: from this machine alone.
FRESH = ("operator", "mail")
OFFLINE = ("--no-index", "--no-build-isolation", "--no-deps")


@dataclass
class Copy:
    """A copy of the repository that a page works on; *edited* are the files it changed, *created* the new ones."""

    root: Path
    python: str = sys.executable
    case: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    edited: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)

    def change(self, name: str, diff: str) -> None:
        before = "".join(line[1:] for line in diff.splitlines(keepends=True) if not line.startswith("+"))
        after = "".join(line[1:] for line in diff.splitlines(keepends=True) if not line.startswith("-"))
        file = self.root / name
        text = file.read_text()
        assert text.count(before) == 1, f"{name} has {text.count(before)} times:\n{before}"
        file.write_text(text.replace(before, after))
        self.edited.add(name)

    def create(self, name: str, text: str) -> None:
        file = self.root / name
        assert not file.exists(), f"{name} is there already"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.created.add(name)

    def run(self, block: str) -> None:
        """Run the commands of a console block, each with what it must print up to the next one."""
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            program, *words = shlex.split(command.replace("CASE", self.case))
            if program == "export":
                self.variables |= dict(word.split("=", 1) for word in words)
                continue
            if words[:1] == ["install"]:
                words[1:1] = OFFLINE
            printed = self._printed([self.python, *PROGRAMS[program], *words])
            if words[0] == "start" and (begun := re.match(r"Case (\w{12}): ", printed)):
                self.case = begun[1]
            pattern = expected.replace("CASE", self.case).replace("[", "[[]").replace("…", "*")
            assert fnmatch.fnmatchcase(printed.strip(), pattern.strip()), f"$ {command}\n{printed}"

    def _printed(self, words: list[str]) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "PYTHONPATH": f"{self.root / 'engine'}{os.pathsep}{self.root / 'web'}",
            "USHER_SECRET_KEY": SECRET,
            "USHER_DATABASE_URL": "sqlite:///usher.db",
            **self.variables,
        }
        done = subprocess.run(
            words, cwd=self.root, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert done.returncode == 0, (words[-3:], done.stdout[-3000:] + done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of a new virtual environment, which has the packages that Usher needs and no others of ours."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    show = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(show, capture_output=True, text=True, check=True).stdout.strip())
    (site / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return str(python)


@pytest.fixture
def copy(tmp_path: Path, furnished: Path) -> Iterator[Copy]:
    root = tmp_path / "usher"
    root.mkdir()
    leave_out = shutil.ignore_patterns("__pycache__", "ui", "static", *TESTS_LEFT_OUT)
    for folder in ("docs", "engine", "web", "processes", "tests", ".github"):
        shutil.copytree(ROOT / folder, root / folder, ignore=leave_out)
    (root / "web/usher_web/static").symlink_to(ROOT / "web/usher_web/static")
    for file in ("pyproject.toml", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / file, root)
    shutil.copy(furnished, root / "usher.db")
    yield Copy(root)
    shutil.rmtree(root)


def follow(howto: Path, copy: Copy) -> None:
    text = howto.read_text()
    for block in BLOCK.finditer(text):
        language, content = block.groups()
        if language == "console":
            copy.run(content)
            continue
        made, name = NAMED.findall(text[: block.start()])[-1]
        if language == "diff":
            assert not made or name in copy.created, f"{howto.name}: {name} is changed before it is created"
            copy.change(name, content)
        else:
            assert made, f"{howto.name}: a block without “Create `file`”"
            copy.create(name, content)


@pytest.mark.parametrize("howto", PAGES, ids=lambda howto: howto.stem)
def test_a_page_does_what_it_promises(howto: Path, copy: Copy, request: pytest.FixtureRequest) -> None:
    if howto.stem in FRESH:
        copy.python = request.getfixturevalue("fresh")
    follow(howto, copy)
    python = [name for name in copy.edited | copy.created if name.endswith(".py")]
    ours = [name for name in python if name.startswith(OURS)]
    ruff = str(Path(sys.executable).with_name("ruff"))
    for files, *less in (ours,), ([*{*python} - {*ours}], "--ignore", "INP001,S101"):
        words = [ruff, "check", *less, *files]
        checked = subprocess.run(words, cwd=copy.root, capture_output=True, text=True, check=False) if files else None
        assert checked is None or checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("howto", "most"), [("add-a-field", 3), ("add-an-operator", 1), ("add-a-page", 2), ("add-an-export-format", 1)]
)
def test_few_files_are_edited(howto: str, most: int) -> None:
    """Files that are there already and have to be edited; new files, their tests and documents come on top."""
    text = (ROOT / f"docs/how-to/{howto}.md").read_text()
    named = {NAMED.findall(text[: found.start()])[-1][1] for found in BLOCK.finditer(text) if found[1] == "diff"}
    beside = ("tests/", "engine/exports.md", "processes/enrollment/enroll-now.form")
    assert len({name for name in named if not name.startswith(beside)}) == most
