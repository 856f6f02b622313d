"""The version says what one runs: the release from a wheel or at its tag, the commit too from a checkout past it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from conftest import ROOT
from usher_engine.release import DISTRIBUTION, running_version, version_of

RELEASE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def git(folder: Path, *words: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "One")
    return tmp_path


def test_the_commit_of_the_tag_is_the_release(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.0")
    assert version_of(checkout) == "1.2.0"


def test_a_commit_without_the_tag_has_a_version_of_its_own(checkout: Path) -> None:
    git(checkout, "tag", "v1.1.0")
    assert re.fullmatch(r"1\.2\.0\+g[0-9a-f]{8,}", version_of(checkout))


def test_a_commit_past_the_tag_has_a_version_of_its_own(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.0")
    git(checkout, "commit", "-q", "--allow-empty", "-m", "Two")
    assert version_of(checkout) == f"1.2.0+g{git(checkout, 'rev-parse', '--short=8', 'HEAD')}"


def test_uncommitted_changes_show_also_at_the_tag(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.0")
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert re.fullmatch(r"1\.2\.0\+g[0-9a-f]{8,}\.dirty", version_of(checkout))


def test_sources_without_git_say_the_release_they_are_from(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = tmp_path_factory.mktemp("unpacked")
    shutil.copy(checkout / "pyproject.toml", unpacked)
    assert version_of(unpacked) == "1.2.0"
    monkeypatch.setenv("PATH", "")
    assert version_of(checkout) == "1.2.0"


def test_an_installed_package_has_the_installed_version(tmp_path: Path) -> None:
    assert version_of(tmp_path) == metadata.version(DISTRIBUTION)


def test_what_runs_here_is_this_checkout() -> None:
    assert running_version().partition("+")[0] == RELEASE


def test_the_changelog_s_newest_release_is_this_one() -> None:
    releases = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert releases[:2] == ["Unreleased", RELEASE]
