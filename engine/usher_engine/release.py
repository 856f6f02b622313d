"""Which version of Usher this is: the release, and in a source checkout past it also the commit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "usher-flow"
_CHECKOUT = Path(__file__).parents[2]
_DESCRIBED = re.compile(r"(?:v(?P<tag>\S+)-(?P<past>\d+)-g)?(?P<commit>[0-9a-f]{7,40})(?P<dirty>-dirty)?")


@cache
def running_version() -> str:
    """`version_of` for the running code, computed once in each process."""
    return version_of(_CHECKOUT)


def version_of(root: Path) -> str:
    """
    The version of the checkout *root*, or of the installed package if *root* is not a checkout.

    A release has ``0.2.0``, a commit without the release's tag ``0.2.0+g1a2b3c4d``, and one with uncommitted
    changes ``0.2.0+g1a2b3c4d.dirty`` (a local version of PEP 440). Without git, sources have
    the version of their release.
    """
    project = root / "pyproject.toml"
    if not project.is_file():
        return metadata.version(DISTRIBUTION)
    declared = str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    found = _DESCRIBED.fullmatch(_described(root)) if (root / ".git").exists() else None
    if found is None or (found["tag"] == declared and found["past"] == "0" and not found["dirty"]):
        return declared
    return f"{declared}+g{found['commit']}{'.dirty' if found['dirty'] else ''}"


def _described(root: Path) -> str:
    """What git calls the commit of *root*; empty where git is missing or refuses to read the folder."""
    git = shutil.which("git")
    if git is None:
        return ""
    how = ("--tags", "--match=v[0-9]*", "--long", "--always", "--dirty", "--abbrev=8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    answer = subprocess.run(
        [git, "-C", str(root), "describe", *how], capture_output=True, text=True, check=False, env=environment
    )
    return answer.stdout.strip() if answer.returncode == 0 else ""
